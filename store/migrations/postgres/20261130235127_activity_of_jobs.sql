-- +goose Up
-- modify "machine_jobs" table
ALTER TABLE "machine_jobs" ADD COLUMN "changed" jsonb NULL;

-- +goose Down
-- reverse: modify "machine_jobs" table
ALTER TABLE "machine_jobs" DROP COLUMN "changed";
