-- +goose Up
-- add column "newcomers" to table: "rollouts"
ALTER TABLE `rollouts` ADD COLUMN `newcomers` json NULL;

-- +goose Down
-- reverse: add column "newcomers" to table: "rollouts"
ALTER TABLE `rollouts` DROP COLUMN `newcomers`;
