-- +goose Up
-- create "refusals" table
CREATE TABLE `refusals` (`id` integer NOT NULL PRIMARY KEY AUTOINCREMENT, `kind` text NOT NULL, `group_id` text NOT NULL, `refused` integer NOT NULL, `first_at` datetime NOT NULL, `last_at` datetime NOT NULL);
-- create index "refusal_kind_group_id" to table: "refusals"
CREATE UNIQUE INDEX `refusal_kind_group_id` ON `refusals` (`kind`, `group_id`);

-- +goose Down
-- reverse: create index "refusal_kind_group_id" to table: "refusals"
DROP INDEX `refusal_kind_group_id`;
-- reverse: create "refusals" table
DROP TABLE `refusals`;
