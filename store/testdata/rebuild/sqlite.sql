-- +goose Up
-- A table with children is rebuilt, as atlas writes it for SQLite.
PRAGMA foreign_keys = off;
CREATE TABLE `new_groups` (`id` uuid NOT NULL, `name` text NOT NULL, `track` text NOT NULL, `arch` text NOT NULL DEFAULT ('amd64'), `description` text NOT NULL DEFAULT (''), `policy` json NOT NULL, `revision` integer NOT NULL DEFAULT (1), `paused_at` datetime NULL, `paused_by` text NOT NULL DEFAULT (''), `pause_reason` text NOT NULL DEFAULT (''), `created_at` datetime NOT NULL, `application_id` uuid NOT NULL, `channel_id` uuid NULL, PRIMARY KEY (`id`), CONSTRAINT `groups_applications_groups` FOREIGN KEY (`application_id`) REFERENCES `applications` (`id`) ON DELETE CASCADE, CONSTRAINT `groups_channels_groups` FOREIGN KEY (`channel_id`) REFERENCES `channels` (`id`) ON DELETE SET NULL);
INSERT INTO `new_groups` (`id`, `name`, `track`, `arch`, `description`, `policy`, `revision`, `paused_at`, `paused_by`, `pause_reason`, `created_at`, `application_id`, `channel_id`) SELECT `id`, `name`, `track`, `arch`, `description`, `policy`, `revision`, `paused_at`, `paused_by`, `pause_reason`, `created_at`, `application_id`, `channel_id` FROM `groups`;
DROP TABLE `groups`;
ALTER TABLE `new_groups` RENAME TO `groups`;
PRAGMA foreign_keys = on;
