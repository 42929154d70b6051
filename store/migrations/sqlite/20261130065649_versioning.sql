-- +goose Up
-- disable the enforcement of foreign-keys constraints
PRAGMA foreign_keys = off;
-- create "new_applications" table
CREATE TABLE `new_applications` (`id` uuid NOT NULL, `name` text NOT NULL, `product_id` text NULL, `description` text NOT NULL DEFAULT (''), `versioning` text NOT NULL DEFAULT ('semver'), `revision` integer NOT NULL DEFAULT (1), `created_at` datetime NOT NULL, `team_id` uuid NOT NULL, PRIMARY KEY (`id`), CONSTRAINT `applications_teams_applications` FOREIGN KEY (`team_id`) REFERENCES `teams` (`id`) ON DELETE CASCADE);
-- copy rows from old table "applications" to new temporary table "new_applications"
INSERT INTO `new_applications` (`id`, `name`, `product_id`, `description`, `revision`, `created_at`, `team_id`) SELECT `id`, `name`, `product_id`, `description`, `revision`, `created_at`, `team_id` FROM `applications`;
-- drop "applications" table after copying rows
DROP TABLE `applications`;
-- rename temporary table "new_applications" to "applications"
ALTER TABLE `new_applications` RENAME TO `applications`;
-- create index "applications_product_id_key" to table: "applications"
CREATE UNIQUE INDEX `applications_product_id_key` ON `applications` (`product_id`);
-- create index "application_team_id_name" to table: "applications"
CREATE UNIQUE INDEX `application_team_id_name` ON `applications` (`team_id`, `name`);
-- enable back the enforcement of foreign-keys constraints
PRAGMA foreign_keys = on;

-- +goose Down
-- reverse: create index "application_team_id_name" to table: "applications"
DROP INDEX `application_team_id_name`;
-- reverse: create index "applications_product_id_key" to table: "applications"
DROP INDEX `applications_product_id_key`;
-- reverse: create "new_applications" table
DROP TABLE `new_applications`;
