-- +goose Up
-- disable the enforcement of foreign-keys constraints
PRAGMA foreign_keys = off;
-- create "new_ledgers" table
CREATE TABLE `new_ledgers` (`id` integer NOT NULL PRIMARY KEY AUTOINCREMENT, `config_revision` integer NOT NULL, `in_flight` integer NOT NULL DEFAULT (0), `reboot_overdue` integer NOT NULL DEFAULT (0), `behind` integer NOT NULL DEFAULT (0), `on_target` integer NOT NULL DEFAULT (0), `other_build` integer NOT NULL DEFAULT (0), `spends` json NOT NULL, `rollout_id` uuid NULL, `next_lease_at` datetime NULL, `package_missing_noted` bool NOT NULL DEFAULT (false), `writes` integer NOT NULL DEFAULT (0), `group_id` uuid NOT NULL, CONSTRAINT `ledgers_groups_ledger` FOREIGN KEY (`group_id`) REFERENCES `groups` (`id`) ON DELETE CASCADE);
-- copy rows from old table "ledgers" to new temporary table "new_ledgers"
INSERT INTO `new_ledgers` (`id`, `config_revision`, `in_flight`, `reboot_overdue`, `behind`, `on_target`, `spends`, `rollout_id`, `next_lease_at`, `package_missing_noted`, `writes`, `group_id`) SELECT `id`, `config_revision`, `in_flight`, `reboot_overdue`, `behind`, `on_target`, `spends`, `rollout_id`, `next_lease_at`, `package_missing_noted`, `writes`, `group_id` FROM `ledgers`;
-- drop "ledgers" table after copying rows
DROP TABLE `ledgers`;
-- rename temporary table "new_ledgers" to "ledgers"
ALTER TABLE `new_ledgers` RENAME TO `ledgers`;
-- create index "ledgers_group_id_key" to table: "ledgers"
CREATE UNIQUE INDEX `ledgers_group_id_key` ON `ledgers` (`group_id`);
-- machines that run the target but for its build metadata were counted as on target
UPDATE `ledgers` SET `other_build` = COALESCE((SELECT SUM(c.machines) FROM group_counts c JOIN rollouts r ON r.id = `ledgers`.rollout_id
	WHERE c.group_id = `ledgers`.group_id AND c.standing = 0 AND c.version <> r.version AND substr(c.version, 1, instr(c.version || '+', '+') - 1) = substr(r.version, 1, instr(r.version || '+', '+') - 1)), 0);
UPDATE `ledgers` SET `on_target` = `on_target` - `other_build`;
-- enable back the enforcement of foreign-keys constraints
PRAGMA foreign_keys = on;

-- +goose Down
-- reverse: create index "ledgers_group_id_key" to table: "ledgers"
DROP INDEX `ledgers_group_id_key`;
-- reverse: create "new_ledgers" table
DROP TABLE `new_ledgers`;
