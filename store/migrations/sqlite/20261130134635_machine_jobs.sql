-- +goose Up
-- create "machine_jobs" table
CREATE TABLE `machine_jobs` (`id` uuid NOT NULL, `created_at` datetime NOT NULL, `created_by` text NOT NULL, `credential` text NOT NULL, `team_id` uuid NOT NULL, `request_id` text NOT NULL DEFAULT (''), `input` text NOT NULL, `selection` text NOT NULL, `within_group_id` uuid NULL, `action` text NOT NULL, `reason` text NOT NULL DEFAULT (''), `until` datetime NULL, `version` text NOT NULL DEFAULT (''), `group_id` uuid NULL, `replace` bool NOT NULL DEFAULT (false), `state` text NOT NULL, `machines` integer NOT NULL, `done` integer NOT NULL DEFAULT (0), `after_update` integer NOT NULL DEFAULT (0), `skipped` integer NOT NULL DEFAULT (0), `failed` integer NOT NULL DEFAULT (0), `changed_at` datetime NOT NULL, `stopped_by` text NOT NULL DEFAULT (''), PRIMARY KEY (`id`));
-- create index "machinejob_request_id" to table: "machine_jobs"
CREATE UNIQUE INDEX `machinejob_request_id` ON `machine_jobs` (`request_id`) WHERE request_id <> '';
-- create index "machinejob_state" to table: "machine_jobs"
CREATE INDEX `machinejob_state` ON `machine_jobs` (`state`) WHERE state = 'RUNNING';
-- create "machine_job_items" table
CREATE TABLE `machine_job_items` (`id` integer NOT NULL PRIMARY KEY AUTOINCREMENT, `job_id` uuid NOT NULL, `instance_id` uuid NOT NULL, `application_id` uuid NOT NULL, `machine_id` text NOT NULL, `result` integer NOT NULL, `detail` text NOT NULL DEFAULT (''), `ended_at` datetime NULL);
-- create index "machinejobitem_job_id_result_id" to table: "machine_job_items"
CREATE INDEX `machinejobitem_job_id_result_id` ON `machine_job_items` (`job_id`, `result`, `id`);
-- create index "machinejobitem_job_id_instance_id" to table: "machine_job_items"
CREATE UNIQUE INDEX `machinejobitem_job_id_instance_id` ON `machine_job_items` (`job_id`, `instance_id`);

-- +goose Down
-- reverse: create index "machinejobitem_job_id_instance_id" to table: "machine_job_items"
DROP INDEX `machinejobitem_job_id_instance_id`;
-- reverse: create index "machinejobitem_job_id_result_id" to table: "machine_job_items"
DROP INDEX `machinejobitem_job_id_result_id`;
-- reverse: create "machine_job_items" table
DROP TABLE `machine_job_items`;
-- reverse: create index "machinejob_state" to table: "machine_jobs"
DROP INDEX `machinejob_state`;
-- reverse: create index "machinejob_request_id" to table: "machine_jobs"
DROP INDEX `machinejob_request_id`;
-- reverse: create "machine_jobs" table
DROP TABLE `machine_jobs`;
