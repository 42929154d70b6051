-- +goose Up
-- add column "application_id" to table: "machine_jobs"
ALTER TABLE `machine_jobs` ADD COLUMN `application_id` uuid NULL;
-- add column "grants" to table: "users"
ALTER TABLE `users` ADD COLUMN `grants` json NULL;

-- +goose Down
-- reverse: add column "grants" to table: "users"
ALTER TABLE `users` DROP COLUMN `grants`;
-- reverse: add column "application_id" to table: "machine_jobs"
ALTER TABLE `machine_jobs` DROP COLUMN `application_id`;
