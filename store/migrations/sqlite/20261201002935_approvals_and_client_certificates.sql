-- +goose Up
-- disable the enforcement of foreign-keys constraints
PRAGMA foreign_keys = off;
-- create "new_channels" table
CREATE TABLE `new_channels` (`id` uuid NOT NULL, `name` text NOT NULL, `color` text NOT NULL DEFAULT (''), `arch` text NOT NULL DEFAULT ('amd64'), `promoted_at` datetime NULL, `promoted_by` text NOT NULL DEFAULT (''), `require_approval` bool NOT NULL DEFAULT (false), `revision` integer NOT NULL DEFAULT (0), `created_at` datetime NOT NULL, `application_id` uuid NOT NULL, `package_id` uuid NULL, PRIMARY KEY (`id`), CONSTRAINT `channels_applications_channels` FOREIGN KEY (`application_id`) REFERENCES `applications` (`id`) ON DELETE CASCADE, CONSTRAINT `channels_packages_channels` FOREIGN KEY (`package_id`) REFERENCES `packages` (`id`) ON DELETE SET NULL);
-- copy rows from old table "channels" to new temporary table "new_channels"
INSERT INTO `new_channels` (`id`, `name`, `color`, `arch`, `promoted_at`, `promoted_by`, `revision`, `created_at`, `application_id`, `package_id`) SELECT `id`, `name`, `color`, `arch`, `promoted_at`, `promoted_by`, `revision`, `created_at`, `application_id`, `package_id` FROM `channels`;
-- drop "channels" table after copying rows
DROP TABLE `channels`;
-- rename temporary table "new_channels" to "channels"
ALTER TABLE `new_channels` RENAME TO `channels`;
-- create index "channel_application_id_name_arch" to table: "channels"
CREATE UNIQUE INDEX `channel_application_id_name_arch` ON `channels` (`application_id`, `name`, `arch`);
-- create "new_groups" table
CREATE TABLE `new_groups` (`id` uuid NOT NULL, `name` text NOT NULL, `track` text NOT NULL, `aliases` json NULL, `arch` text NOT NULL DEFAULT ('amd64'), `description` text NOT NULL DEFAULT (''), `policy` json NOT NULL, `require_secret` bool NOT NULL DEFAULT (false), `require_approval` bool NOT NULL DEFAULT (false), `require_certificate` bool NOT NULL DEFAULT (false), `revision` integer NOT NULL DEFAULT (1), `paused_at` datetime NULL, `paused_by` text NOT NULL DEFAULT (''), `pause_reason` text NOT NULL DEFAULT (''), `deleted_at` datetime NULL, `created_at` datetime NOT NULL, `application_id` uuid NOT NULL, `channel_id` uuid NULL, PRIMARY KEY (`id`), CONSTRAINT `groups_applications_groups` FOREIGN KEY (`application_id`) REFERENCES `applications` (`id`) ON DELETE CASCADE, CONSTRAINT `groups_channels_groups` FOREIGN KEY (`channel_id`) REFERENCES `channels` (`id`) ON DELETE SET NULL);
-- copy rows from old table "groups" to new temporary table "new_groups"
INSERT INTO `new_groups` (`id`, `name`, `track`, `aliases`, `arch`, `description`, `policy`, `require_secret`, `revision`, `paused_at`, `paused_by`, `pause_reason`, `deleted_at`, `created_at`, `application_id`, `channel_id`) SELECT `id`, `name`, `track`, `aliases`, `arch`, `description`, `policy`, `require_secret`, `revision`, `paused_at`, `paused_by`, `pause_reason`, `deleted_at`, `created_at`, `application_id`, `channel_id` FROM `groups`;
-- drop "groups" table after copying rows
DROP TABLE `groups`;
-- rename temporary table "new_groups" to "groups"
ALTER TABLE `new_groups` RENAME TO `groups`;
-- create index "group_application_id_name_arch" to table: "groups"
CREATE UNIQUE INDEX `group_application_id_name_arch` ON `groups` (`application_id`, `name`, `arch`);
-- create index "group_application_id_track_arch" to table: "groups"
CREATE UNIQUE INDEX `group_application_id_track_arch` ON `groups` (`application_id`, `track`, `arch`);
-- create "new_applications" table
CREATE TABLE `new_applications` (`id` uuid NOT NULL, `name` text NOT NULL, `product_id` text NULL, `description` text NOT NULL DEFAULT (''), `versioning` text NOT NULL DEFAULT ('semver'), `require_secret` bool NOT NULL DEFAULT (false), `require_certificate` bool NOT NULL DEFAULT (false), `revision` integer NOT NULL DEFAULT (1), `created_at` datetime NOT NULL, `deleted_at` datetime NULL, `team_id` uuid NOT NULL, PRIMARY KEY (`id`), CONSTRAINT `applications_teams_applications` FOREIGN KEY (`team_id`) REFERENCES `teams` (`id`) ON DELETE CASCADE);
-- copy rows from old table "applications" to new temporary table "new_applications"
INSERT INTO `new_applications` (`id`, `name`, `product_id`, `description`, `versioning`, `require_secret`, `revision`, `created_at`, `deleted_at`, `team_id`) SELECT `id`, `name`, `product_id`, `description`, `versioning`, `require_secret`, `revision`, `created_at`, `deleted_at`, `team_id` FROM `applications`;
-- drop "applications" table after copying rows
DROP TABLE `applications`;
-- rename temporary table "new_applications" to "applications"
ALTER TABLE `new_applications` RENAME TO `applications`;
-- create index "applications_product_id_key" to table: "applications"
CREATE UNIQUE INDEX `applications_product_id_key` ON `applications` (`product_id`);
-- create index "application_team_id_name" to table: "applications"
CREATE UNIQUE INDEX `application_team_id_name` ON `applications` (`team_id`, `name`);
-- create "proposals" table
CREATE TABLE `proposals` (`id` uuid NOT NULL, `application_id` uuid NOT NULL, `group_id` uuid NULL, `channel_id` uuid NULL, `package_id` uuid NULL, `instance_id` uuid NULL, `verb` text NOT NULL, `input` text NOT NULL, `basis` text NOT NULL, `summary` text NOT NULL, `changes` json NOT NULL, `reason` text NOT NULL, `user_id` uuid NOT NULL, `created_by` text NOT NULL, `created_at` datetime NOT NULL, `expires_at` datetime NOT NULL, `state` text NOT NULL, `decided_at` datetime NULL, `decided_by` text NOT NULL DEFAULT (''), `decision` text NOT NULL DEFAULT (''), PRIMARY KEY (`id`));
-- create index "proposal_expires_at" to table: "proposals"
CREATE INDEX `proposal_expires_at` ON `proposals` (`expires_at`) WHERE state = 'OPEN';
-- create index "proposal_decided_at" to table: "proposals"
CREATE INDEX `proposal_decided_at` ON `proposals` (`decided_at`) WHERE state <> 'OPEN';
-- enable back the enforcement of foreign-keys constraints
PRAGMA foreign_keys = on;

-- +goose Down
-- reverse: create index "proposal_decided_at" to table: "proposals"
DROP INDEX `proposal_decided_at`;
-- reverse: create index "proposal_expires_at" to table: "proposals"
DROP INDEX `proposal_expires_at`;
-- reverse: create "proposals" table
DROP TABLE `proposals`;
-- reverse: create index "application_team_id_name" to table: "applications"
DROP INDEX `application_team_id_name`;
-- reverse: create index "applications_product_id_key" to table: "applications"
DROP INDEX `applications_product_id_key`;
-- reverse: create "new_applications" table
DROP TABLE `new_applications`;
-- reverse: create index "group_application_id_track_arch" to table: "groups"
DROP INDEX `group_application_id_track_arch`;
-- reverse: create index "group_application_id_name_arch" to table: "groups"
DROP INDEX `group_application_id_name_arch`;
-- reverse: create "new_groups" table
DROP TABLE `new_groups`;
-- reverse: create index "channel_application_id_name_arch" to table: "channels"
DROP INDEX `channel_application_id_name_arch`;
-- reverse: create "new_channels" table
DROP TABLE `new_channels`;
