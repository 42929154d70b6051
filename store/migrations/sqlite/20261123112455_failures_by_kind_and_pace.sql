-- +goose Up
-- disable the enforcement of foreign-keys constraints
PRAGMA foreign_keys = off;
-- create "new_attempts" table
CREATE TABLE `new_attempts` (`id` uuid NOT NULL, `rollout_id` uuid NOT NULL, `package_id` uuid NOT NULL, `version` text NOT NULL, `from_version` text NOT NULL, `wave` integer NOT NULL, `number` integer NOT NULL, `granted_at` datetime NOT NULL, `downloading_at` datetime NULL, `downloaded_at` datetime NULL, `installed_at` datetime NULL, `ended_at` datetime NOT NULL, `outcome` integer NOT NULL, `code` integer NOT NULL DEFAULT (0), `oem` text NOT NULL DEFAULT (''), `instance_id` uuid NOT NULL, PRIMARY KEY (`id`), CONSTRAINT `attempts_instances_attempts` FOREIGN KEY (`instance_id`) REFERENCES `instances` (`id`) ON DELETE CASCADE);
-- copy rows from old table "attempts" to new temporary table "new_attempts"
INSERT INTO `new_attempts` (`id`, `rollout_id`, `package_id`, `version`, `from_version`, `wave`, `number`, `granted_at`, `downloading_at`, `downloaded_at`, `installed_at`, `ended_at`, `outcome`, `code`, `instance_id`) SELECT `id`, `rollout_id`, `package_id`, `version`, `from_version`, `wave`, `number`, `granted_at`, `downloading_at`, `downloaded_at`, `installed_at`, `ended_at`, `outcome`, `code`, `instance_id` FROM `attempts`;
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
-- add column "replaced_at" to table: "rollouts"
ALTER TABLE `rollouts` ADD COLUMN `replaced_at` datetime NULL;
-- create "failure_shares" table
CREATE TABLE `failure_shares` (`id` integer NOT NULL PRIMARY KEY AUTOINCREMENT, `trait` text NOT NULL, `value` text NOT NULL, `attempts` integer NOT NULL, `rollout_id` uuid NOT NULL, CONSTRAINT `failure_shares_rollouts_failure_shares` FOREIGN KEY (`rollout_id`) REFERENCES `rollouts` (`id`) ON DELETE CASCADE);
-- create index "failureshare_rollout_id_trait_value" to table: "failure_shares"
CREATE UNIQUE INDEX `failureshare_rollout_id_trait_value` ON `failure_shares` (`rollout_id`, `trait`, `value`);
-- create "pace_points" table
CREATE TABLE `pace_points` (`id` integer NOT NULL PRIMARY KEY AUTOINCREMENT, `resolution` integer NOT NULL, `at` datetime NOT NULL, `in_flight` integer NOT NULL, `in_flight_cap` integer NOT NULL, `granted` integer NOT NULL, `granted_cap` integer NOT NULL, `checks` integer NOT NULL, `group_id` uuid NOT NULL, CONSTRAINT `pace_points_groups_paces` FOREIGN KEY (`group_id`) REFERENCES `groups` (`id`) ON DELETE CASCADE);
-- create index "pacepoint_group_id_resolution_at" to table: "pace_points"
CREATE UNIQUE INDEX `pacepoint_group_id_resolution_at` ON `pace_points` (`group_id`, `resolution`, `at`);
-- create index "pacepoint_resolution_at" to table: "pace_points"
CREATE INDEX `pacepoint_resolution_at` ON `pace_points` (`resolution`, `at`);
-- Failed attempts are also counted by platform, which was not kept until now, and by the version before; what
-- the attempts do not tell any more is counted as not known.
INSERT INTO failure_shares (trait, value, attempts, rollout_id) SELECT 'oem', '', SUM(attempts), rollout_id FROM failures GROUP BY rollout_id;
INSERT INTO failure_shares (trait, value, attempts, rollout_id) SELECT 'from_version', from_version, COUNT(*), rollout_id FROM attempts
	WHERE outcome > 1 AND outcome < 5 AND rollout_id IN (SELECT rollout_id FROM failures) GROUP BY rollout_id, from_version;
INSERT INTO failure_shares (trait, value, attempts, rollout_id) SELECT 'from_version', '', counted - kept, rollout_id
	FROM (SELECT rollout_id, SUM(attempts) AS counted, (SELECT COUNT(*) FROM attempts a WHERE a.rollout_id = f.rollout_id AND outcome > 1 AND outcome < 5) AS kept
		FROM failures f GROUP BY rollout_id) AS sums WHERE counted > kept
	ON CONFLICT (rollout_id, trait, value) DO UPDATE SET attempts = failure_shares.attempts + EXCLUDED.attempts;
-- Of a rollout that was completed before it was replaced, the next one tells.
UPDATE rollouts SET replaced_at = ended_at WHERE state = 4;
-- enable back the enforcement of foreign-keys constraints
PRAGMA foreign_keys = on;

-- +goose Down
-- reverse: create index "pacepoint_resolution_at" to table: "pace_points"
DROP INDEX `pacepoint_resolution_at`;
-- reverse: create index "pacepoint_group_id_resolution_at" to table: "pace_points"
DROP INDEX `pacepoint_group_id_resolution_at`;
-- reverse: create "pace_points" table
DROP TABLE `pace_points`;
-- reverse: create index "failureshare_rollout_id_trait_value" to table: "failure_shares"
DROP INDEX `failureshare_rollout_id_trait_value`;
-- reverse: create "failure_shares" table
DROP TABLE `failure_shares`;
-- reverse: add column "replaced_at" to table: "rollouts"
ALTER TABLE `rollouts` DROP COLUMN `replaced_at`;
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
-- reverse: modify "attempts" table
ALTER TABLE `attempts` DROP COLUMN `oem`;
