-- +goose Up
-- add column "deleted_at" to table: "groups"
ALTER TABLE `groups` ADD COLUMN `deleted_at` datetime NULL;

-- +goose Down
-- reverse: add column "deleted_at" to table: "groups"
ALTER TABLE `groups` DROP COLUMN `deleted_at`;
