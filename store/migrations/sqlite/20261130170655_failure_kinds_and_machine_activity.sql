-- +goose Up
-- create index "activity_instance_id_id" to table: "activities"
CREATE INDEX `activity_instance_id_id` ON `activities` (`instance_id`, `id`);
-- add column "failure_kinds" to table: "rollouts"
ALTER TABLE `rollouts` ADD COLUMN `failure_kinds` json NULL;

-- +goose Down
-- reverse: add column "failure_kinds" to table: "rollouts"
ALTER TABLE `rollouts` DROP COLUMN `failure_kinds`;
-- reverse: create index "activity_instance_id_id" to table: "activities"
DROP INDEX `activity_instance_id_id`;
