-- +goose Up
-- modify "machine_jobs" table
ALTER TABLE "machine_jobs" ADD COLUMN "application_id" uuid NULL;
-- modify "users" table
ALTER TABLE "users" ADD COLUMN "grants" jsonb NULL;

-- +goose Down
-- reverse: modify "users" table
ALTER TABLE "users" DROP COLUMN "grants";
-- reverse: modify "machine_jobs" table
ALTER TABLE "machine_jobs" DROP COLUMN "application_id";
