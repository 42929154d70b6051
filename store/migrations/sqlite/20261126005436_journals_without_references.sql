-- +goose Up
-- disable the enforcement of foreign-keys constraints
PRAGMA foreign_keys = off;
-- create "new_history_entries" table
CREATE TABLE `new_history_entries` (`id` uuid NOT NULL, `at` datetime NOT NULL, `state` integer NOT NULL, `version` text NOT NULL, `reason` text NOT NULL DEFAULT (''), `code` integer NOT NULL DEFAULT (0), `detail` text NOT NULL DEFAULT (''), `instance_id` uuid NOT NULL, PRIMARY KEY (`id`));
-- copy rows from old table "history_entries" to new temporary table "new_history_entries"
INSERT INTO `new_history_entries` (`id`, `at`, `state`, `version`, `reason`, `code`, `detail`, `instance_id`) SELECT `id`, `at`, `state`, `version`, `reason`, `code`, `detail`, `instance_id` FROM `history_entries`;
-- drop "history_entries" table after copying rows
DROP TABLE `history_entries`;
-- rename temporary table "new_history_entries" to "history_entries"
ALTER TABLE `new_history_entries` RENAME TO `history_entries`;
-- create index "historyentry_instance_id_id" to table: "history_entries"
CREATE INDEX `historyentry_instance_id_id` ON `history_entries` (`instance_id`, `id`);
-- create "new_attempts" table
CREATE TABLE `new_attempts` (`id` uuid NOT NULL, `rollout_id` uuid NOT NULL, `package_id` uuid NOT NULL, `version` text NOT NULL, `from_version` text NOT NULL, `wave` integer NOT NULL, `number` integer NOT NULL, `granted_at` datetime NOT NULL, `downloading_at` datetime NULL, `downloaded_at` datetime NULL, `installed_at` datetime NULL, `ended_at` datetime NOT NULL, `outcome` integer NOT NULL, `code` integer NOT NULL DEFAULT (0), `oem` text NOT NULL DEFAULT (''), `instance_id` uuid NOT NULL, PRIMARY KEY (`id`));
-- copy rows from old table "attempts" to new temporary table "new_attempts"
INSERT INTO `new_attempts` (`id`, `rollout_id`, `package_id`, `version`, `from_version`, `wave`, `number`, `granted_at`, `downloading_at`, `downloaded_at`, `installed_at`, `ended_at`, `outcome`, `code`, `oem`, `instance_id`) SELECT `id`, `rollout_id`, `package_id`, `version`, `from_version`, `wave`, `number`, `granted_at`, `downloading_at`, `downloaded_at`, `installed_at`, `ended_at`, `outcome`, `code`, `oem`, `instance_id` FROM `attempts`;
-- drop "attempts" table after copying rows
DROP TABLE `attempts`;
-- rename temporary table "new_attempts" to "attempts"
ALTER TABLE `new_attempts` RENAME TO `attempts`;
-- create index "attempt_instance_id_id" to table: "attempts"
CREATE INDEX `attempt_instance_id_id` ON `attempts` (`instance_id`, `id`);
-- create index "attempt_rollout_id_id" to table: "attempts"
CREATE INDEX `attempt_rollout_id_id` ON `attempts` (`rollout_id`, `id`) WHERE outcome > 1 AND outcome < 5;
-- create index "attempt_rollout_id_outcome_id" to table: "attempts"
CREATE INDEX `attempt_rollout_id_outcome_id` ON `attempts` (`rollout_id`, `outcome`, `id`) WHERE outcome > 1 AND outcome < 5;
-- create index "attempt_rollout_id_code_id" to table: "attempts"
CREATE INDEX `attempt_rollout_id_code_id` ON `attempts` (`rollout_id`, `code`, `id`) WHERE outcome > 1 AND outcome < 5;
-- create index "attempt_rollout_id_oem_id" to table: "attempts"
CREATE INDEX `attempt_rollout_id_oem_id` ON `attempts` (`rollout_id`, `oem`, `id`) WHERE outcome > 1 AND outcome < 5;
-- create index "attempt_rollout_id_from_version_id" to table: "attempts"
CREATE INDEX `attempt_rollout_id_from_version_id` ON `attempts` (`rollout_id`, `from_version`, `id`) WHERE outcome > 1 AND outcome < 5;
-- enable back the enforcement of foreign-keys constraints
PRAGMA foreign_keys = on;

-- +goose Down
-- reverse: create index "attempt_rollout_id_from_version_id" to table: "attempts"
DROP INDEX `attempt_rollout_id_from_version_id`;
-- reverse: create index "attempt_rollout_id_oem_id" to table: "attempts"
DROP INDEX `attempt_rollout_id_oem_id`;
-- reverse: create index "attempt_rollout_id_code_id" to table: "attempts"
DROP INDEX `attempt_rollout_id_code_id`;
-- reverse: create index "attempt_rollout_id_outcome_id" to table: "attempts"
DROP INDEX `attempt_rollout_id_outcome_id`;
-- reverse: create index "attempt_rollout_id_id" to table: "attempts"
DROP INDEX `attempt_rollout_id_id`;
-- reverse: create index "attempt_instance_id_id" to table: "attempts"
DROP INDEX `attempt_instance_id_id`;
-- reverse: create "new_attempts" table
DROP TABLE `new_attempts`;
-- reverse: create index "historyentry_instance_id_id" to table: "history_entries"
DROP INDEX `historyentry_instance_id_id`;
-- reverse: create "new_history_entries" table
DROP TABLE `new_history_entries`;
