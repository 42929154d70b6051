-- +goose Up
-- disable the enforcement of foreign-keys constraints
PRAGMA foreign_keys = off;
-- create "new_ledgers" table
CREATE TABLE `new_ledgers` (`id` integer NOT NULL PRIMARY KEY AUTOINCREMENT, `config_revision` integer NOT NULL, `in_flight` integer NOT NULL DEFAULT (0), `behind` integer NOT NULL DEFAULT (0), `on_target` integer NOT NULL DEFAULT (0), `spends` json NOT NULL, `rollout_id` uuid NULL, `next_lease_at` datetime NULL, `package_missing_noted` bool NOT NULL DEFAULT (false), `writes` integer NOT NULL DEFAULT (0), `group_id` uuid NOT NULL, CONSTRAINT `ledgers_groups_ledger` FOREIGN KEY (`group_id`) REFERENCES `groups` (`id`) ON DELETE CASCADE);
-- copy rows from old table "ledgers" to new temporary table "new_ledgers"
INSERT INTO `new_ledgers` (`id`, `config_revision`, `in_flight`, `behind`, `on_target`, `spends`, `rollout_id`, `next_lease_at`, `package_missing_noted`, `group_id`) SELECT `id`, `config_revision`, `in_flight`, `behind`, `on_target`, `spends`, `rollout_id`, `next_lease_at`, `package_missing_noted`, `group_id` FROM `ledgers`;
-- drop "ledgers" table after copying rows
DROP TABLE `ledgers`;
-- rename temporary table "new_ledgers" to "ledgers"
ALTER TABLE `new_ledgers` RENAME TO `ledgers`;
-- create index "ledgers_group_id_key" to table: "ledgers"
CREATE UNIQUE INDEX `ledgers_group_id_key` ON `ledgers` (`group_id`);
-- enable back the enforcement of foreign-keys constraints
PRAGMA foreign_keys = on;

-- +goose Down
-- reverse: create index "ledgers_group_id_key" to table: "ledgers"
DROP INDEX `ledgers_group_id_key`;
-- reverse: create "new_ledgers" table
DROP TABLE `new_ledgers`;
