-- +goose Up
-- disable the enforcement of foreign-keys constraints
PRAGMA foreign_keys = off;
-- create "new_users" table
CREATE TABLE `new_users` (`id` uuid NOT NULL, `username` text NOT NULL, `password_hash` text NOT NULL, `must_change_password` bool NOT NULL DEFAULT (false), `role` text NOT NULL DEFAULT ('owner'), `created_at` datetime NOT NULL, `team_id` uuid NOT NULL, PRIMARY KEY (`id`), CONSTRAINT `users_teams_users` FOREIGN KEY (`team_id`) REFERENCES `teams` (`id`) ON DELETE CASCADE);
-- copy rows from old table "users" to new temporary table "new_users"
INSERT INTO `new_users` (`id`, `username`, `password_hash`, `must_change_password`, `created_at`, `team_id`) SELECT `id`, `username`, `password_hash`, `must_change_password`, `created_at`, `team_id` FROM `users`;
-- drop "users" table after copying rows
DROP TABLE `users`;
-- rename temporary table "new_users" to "users"
ALTER TABLE `new_users` RENAME TO `users`;
-- create index "users_username_key" to table: "users"
CREATE UNIQUE INDEX `users_username_key` ON `users` (`username`);
-- enable back the enforcement of foreign-keys constraints
PRAGMA foreign_keys = on;

-- +goose Down
-- reverse: create index "users_username_key" to table: "users"
DROP INDEX `users_username_key`;
-- reverse: create "new_users" table
DROP TABLE `new_users`;
