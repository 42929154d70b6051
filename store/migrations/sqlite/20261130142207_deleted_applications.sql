-- +goose Up
-- add column "deleted_at" to table: "applications"
ALTER TABLE `applications` ADD COLUMN `deleted_at` datetime NULL;

-- +goose Down
-- reverse: add column "deleted_at" to table: "applications"
ALTER TABLE `applications` DROP COLUMN `deleted_at`;
