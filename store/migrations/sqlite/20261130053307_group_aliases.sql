-- +goose Up
-- add column "aliases" to table: "groups"
ALTER TABLE `groups` ADD COLUMN `aliases` json NULL;

-- +goose Down
-- reverse: add column "aliases" to table: "groups"
ALTER TABLE `groups` DROP COLUMN `aliases`;
