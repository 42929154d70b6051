-- +goose Up
-- modify "instances" table
ALTER TABLE "instances" ADD COLUMN "version_prefix" character varying NOT NULL DEFAULT '', ADD COLUMN "updates_disabled" boolean NOT NULL DEFAULT false;

-- +goose Down
-- reverse: modify "instances" table
ALTER TABLE "instances" DROP COLUMN "updates_disabled", DROP COLUMN "version_prefix";
