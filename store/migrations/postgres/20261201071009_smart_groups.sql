-- +goose Up
-- modify "groups" table
ALTER TABLE "groups" ADD COLUMN "expression" character varying NOT NULL DEFAULT '', ADD COLUMN "priority" bigint NOT NULL DEFAULT 0;
-- modify "instances" table
ALTER TABLE "instances" ADD COLUMN "home_group_id" uuid NULL, ADD COLUMN "selectors" bigint NOT NULL DEFAULT 0;
-- create "reassignments" table
CREATE TABLE "reassignments" ("id" uuid NOT NULL, "selectors" bigint NOT NULL, "after" character varying NOT NULL DEFAULT '', "seen" bigint NOT NULL DEFAULT 0, "moved" bigint NOT NULL DEFAULT 0, "waiting" bigint NOT NULL DEFAULT 0, "kept" bigint NOT NULL DEFAULT 0, "started_at" timestamptz NOT NULL, "ended_at" timestamptz NULL, "application_id" uuid NOT NULL, PRIMARY KEY ("id"), CONSTRAINT "reassignments_applications_reassignment" FOREIGN KEY ("application_id") REFERENCES "applications" ("id") ON UPDATE NO ACTION ON DELETE CASCADE);
-- create index "reassignments_application_id_key" to table: "reassignments"
CREATE UNIQUE INDEX "reassignments_application_id_key" ON "reassignments" ("application_id");

-- +goose Down
-- reverse: create index "reassignments_application_id_key" to table: "reassignments"
DROP INDEX "reassignments_application_id_key";
-- reverse: create "reassignments" table
DROP TABLE "reassignments";
-- reverse: modify "instances" table
ALTER TABLE "instances" DROP COLUMN "selectors", DROP COLUMN "home_group_id";
-- reverse: modify "groups" table
ALTER TABLE "groups" DROP COLUMN "priority", DROP COLUMN "expression";
