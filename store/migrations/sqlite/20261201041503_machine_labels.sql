-- +goose Up
-- disable the enforcement of foreign-keys constraints
PRAGMA foreign_keys = off;
-- create "new_machine_jobs" table
CREATE TABLE `new_machine_jobs` (`id` uuid NOT NULL, `created_at` datetime NOT NULL, `created_by` text NOT NULL, `credential` text NOT NULL, `team_id` uuid NOT NULL, `request_id` text NOT NULL DEFAULT (''), `input` text NOT NULL, `selection` text NOT NULL, `application_id` uuid NULL, `within_group_id` uuid NULL, `action` text NOT NULL, `reason` text NOT NULL DEFAULT (''), `until` datetime NULL, `version` text NOT NULL DEFAULT (''), `group_id` uuid NULL, `replace` bool NOT NULL DEFAULT (false), `labels` text NOT NULL DEFAULT (''), `state` text NOT NULL, `machines` integer NOT NULL, `done` integer NOT NULL DEFAULT (0), `after_update` integer NOT NULL DEFAULT (0), `skipped` integer NOT NULL DEFAULT (0), `failed` integer NOT NULL DEFAULT (0), `changed_at` datetime NOT NULL, `stopped_by` text NOT NULL DEFAULT (''), `changed` json NULL, PRIMARY KEY (`id`));
-- copy rows from old table "machine_jobs" to new temporary table "new_machine_jobs"
INSERT INTO `new_machine_jobs` (`id`, `created_at`, `created_by`, `credential`, `team_id`, `request_id`, `input`, `selection`, `application_id`, `within_group_id`, `action`, `reason`, `until`, `version`, `group_id`, `replace`, `state`, `machines`, `done`, `after_update`, `skipped`, `failed`, `changed_at`, `stopped_by`, `changed`) SELECT `id`, `created_at`, `created_by`, `credential`, `team_id`, `request_id`, `input`, `selection`, `application_id`, `within_group_id`, `action`, `reason`, `until`, `version`, `group_id`, `replace`, `state`, `machines`, `done`, `after_update`, `skipped`, `failed`, `changed_at`, `stopped_by`, `changed` FROM `machine_jobs`;
-- drop "machine_jobs" table after copying rows
DROP TABLE `machine_jobs`;
-- rename temporary table "new_machine_jobs" to "machine_jobs"
ALTER TABLE `new_machine_jobs` RENAME TO `machine_jobs`;
-- create index "machinejob_request_id" to table: "machine_jobs"
CREATE UNIQUE INDEX `machinejob_request_id` ON `machine_jobs` (`request_id`) WHERE request_id <> '';
-- create index "machinejob_state" to table: "machine_jobs"
CREATE INDEX `machinejob_state` ON `machine_jobs` (`state`) WHERE state = 'RUNNING';
-- create "machine_labels" table
CREATE TABLE `machine_labels` (`id` uuid NOT NULL, `application_id` uuid NOT NULL, `machine_id` text NOT NULL, `tag` bool NOT NULL, `name` text NOT NULL, `value` text NOT NULL DEFAULT (''), `set_by` text NOT NULL, `set_at` datetime NOT NULL, `instance_id` uuid NOT NULL, PRIMARY KEY (`id`), CONSTRAINT `machine_labels_instances_labels` FOREIGN KEY (`instance_id`) REFERENCES `instances` (`id`) ON DELETE CASCADE);
-- create index "machinelabel_tag_name_value_application_id_machine_id" to table: "machine_labels"
CREATE INDEX `machinelabel_tag_name_value_application_id_machine_id` ON `machine_labels` (`tag`, `name`, `value`, `application_id`, `machine_id`);
-- create index "machinelabel_instance_id_tag_name" to table: "machine_labels"
CREATE UNIQUE INDEX `machinelabel_instance_id_tag_name` ON `machine_labels` (`instance_id`, `tag`, `name`);
-- enable back the enforcement of foreign-keys constraints
PRAGMA foreign_keys = on;

-- +goose Down
-- reverse: create index "machinelabel_instance_id_tag_name" to table: "machine_labels"
DROP INDEX `machinelabel_instance_id_tag_name`;
-- reverse: create index "machinelabel_tag_name_value_application_id_machine_id" to table: "machine_labels"
DROP INDEX `machinelabel_tag_name_value_application_id_machine_id`;
-- reverse: create "machine_labels" table
DROP TABLE `machine_labels`;
-- reverse: create index "machinejob_state" to table: "machine_jobs"
DROP INDEX `machinejob_state`;
-- reverse: create index "machinejob_request_id" to table: "machine_jobs"
DROP INDEX `machinejob_request_id`;
-- reverse: create "new_machine_jobs" table
DROP TABLE `new_machine_jobs`;
