-- +goose Up
-- modify "instances" table
ALTER TABLE "instances" ADD COLUMN "lease_extended" bigint NOT NULL DEFAULT 0, ADD COLUMN "reboot_overdue" boolean NOT NULL DEFAULT false, ADD COLUMN "interrupted_version" character varying NOT NULL DEFAULT '', ADD COLUMN "interruptions" bigint NOT NULL DEFAULT 0, ADD COLUMN "deferred_rollout_id" uuid NULL;
-- modify "ledgers" table
ALTER TABLE "ledgers" ADD COLUMN "reboot_overdue" bigint NOT NULL DEFAULT 0;
-- modify "rollouts" table
ALTER TABLE "rollouts" ADD COLUMN "progress_at" timestamptz NULL, ADD COLUMN "stall" jsonb NULL, ADD COLUMN "roster" jsonb NULL;
-- modify "waves" table
ALTER TABLE "waves" ADD COLUMN "looping" bigint NOT NULL DEFAULT 0;
-- create "uptimes" table
CREATE TABLE "uptimes" ("id" uuid NOT NULL, "started_at" timestamptz NOT NULL, "ended_at" timestamptz NOT NULL, PRIMARY KEY ("id"));
-- create index "uptime_ended_at" to table: "uptimes"
CREATE INDEX "uptime_ended_at" ON "uptimes" ("ended_at");

-- +goose Down
-- reverse: create index "uptime_ended_at" to table: "uptimes"
DROP INDEX "uptime_ended_at";
-- reverse: create "uptimes" table
DROP TABLE "uptimes";
-- reverse: modify "waves" table
ALTER TABLE "waves" DROP COLUMN "looping";
-- reverse: modify "rollouts" table
ALTER TABLE "rollouts" DROP COLUMN "roster", DROP COLUMN "stall", DROP COLUMN "progress_at";
-- reverse: modify "ledgers" table
ALTER TABLE "ledgers" DROP COLUMN "reboot_overdue";
-- reverse: modify "instances" table
ALTER TABLE "instances" DROP COLUMN "deferred_rollout_id", DROP COLUMN "interruptions", DROP COLUMN "interrupted_version", DROP COLUMN "reboot_overdue", DROP COLUMN "lease_extended";
