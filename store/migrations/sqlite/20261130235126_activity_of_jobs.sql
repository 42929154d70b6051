-- +goose Up
-- add column "changed" to table: "machine_jobs"
ALTER TABLE `machine_jobs` ADD COLUMN `changed` json NULL;

-- +goose Down
-- reverse: add column "changed" to table: "machine_jobs"
ALTER TABLE `machine_jobs` DROP COLUMN `changed`;
