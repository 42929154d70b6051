-- +goose Up
-- written by hand: Atlas would copy each of these tables
ALTER TABLE `applications` ADD COLUMN `request_attributes` json NULL;
ALTER TABLE `applications` ADD COLUMN `request_attributes_revision` integer NOT NULL DEFAULT 0;
ALTER TABLE `applications` ADD COLUMN `removed_request_attributes` text NOT NULL DEFAULT '';
ALTER TABLE `instances` ADD COLUMN `request_attributes` text NOT NULL DEFAULT '';
ALTER TABLE `machine_labels` ADD COLUMN `sent` bool NOT NULL DEFAULT false;
-- create index "machinelabel_application_id_name" to table: "machine_labels"
CREATE INDEX `machinelabel_application_id_name` ON `machine_labels` (`application_id`, `name`) WHERE sent;

-- +goose Down
-- reverse: create index "machinelabel_application_id_name" to table: "machine_labels"
DROP INDEX `machinelabel_application_id_name`;
ALTER TABLE `machine_labels` DROP COLUMN `sent`;
ALTER TABLE `instances` DROP COLUMN `request_attributes`;
ALTER TABLE `applications` DROP COLUMN `removed_request_attributes`;
ALTER TABLE `applications` DROP COLUMN `request_attributes_revision`;
ALTER TABLE `applications` DROP COLUMN `request_attributes`;
