-- +goose Up
-- create "imports" table
CREATE TABLE "imports" ("id" uuid NOT NULL, "source" character varying NOT NULL, "place" character varying NOT NULL, "by" character varying NOT NULL, "started_at" timestamptz NOT NULL, "ended_at" timestamptz NULL, "counts" character varying NOT NULL DEFAULT '[]', "notes" character varying NOT NULL DEFAULT '[]', "prints" character varying NOT NULL DEFAULT '{}', PRIMARY KEY ("id"));

-- +goose Down
-- reverse: create "imports" table
DROP TABLE "imports";
