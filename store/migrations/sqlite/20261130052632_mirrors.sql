-- +goose Up
-- create "mirrors" table
CREATE TABLE `mirrors` (`id` integer NOT NULL PRIMARY KEY AUTOINCREMENT, `group_id` uuid NOT NULL, `machine_id` text NOT NULL, `address` text NOT NULL, `version` text NOT NULL, `fetched` text NOT NULL, `served` bool NOT NULL, `requests` integer NOT NULL, `first_seen_at` datetime NOT NULL, `last_seen_at` datetime NOT NULL);
-- create index "mirror_group_id_machine_id" to table: "mirrors"
CREATE UNIQUE INDEX `mirror_group_id_machine_id` ON `mirrors` (`group_id`, `machine_id`);

-- +goose Down
-- reverse: create index "mirror_group_id_machine_id" to table: "mirrors"
DROP INDEX `mirror_group_id_machine_id`;
-- reverse: create "mirrors" table
DROP TABLE `mirrors`;
