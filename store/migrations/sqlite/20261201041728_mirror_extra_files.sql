-- +goose Up
-- disable the enforcement of foreign-keys constraints
PRAGMA foreign_keys = off;
-- create "new_upstream_channels" table
CREATE TABLE `new_upstream_channels` (`id` uuid NOT NULL, `track` text NOT NULL, `mode` text NOT NULL, `host_files` bool NOT NULL DEFAULT (false), `extra_files` text NOT NULL DEFAULT ('*'), `machine_id` text NOT NULL, `created_at` datetime NOT NULL, `upstream_version` text NOT NULL DEFAULT (''), `withdrawn` bool NOT NULL DEFAULT (false), `problem` text NOT NULL DEFAULT (''), `last_run_at` datetime NULL, `last_success_at` datetime NULL, `next_run_at` datetime NOT NULL, `failing_since` datetime NULL, `failures` integer NOT NULL DEFAULT (0), `last_error` text NOT NULL DEFAULT (''), `channel_id` uuid NOT NULL, `upstream_id` uuid NOT NULL, PRIMARY KEY (`id`), CONSTRAINT `upstream_channels_channels_upstreams` FOREIGN KEY (`channel_id`) REFERENCES `channels` (`id`) ON DELETE CASCADE, CONSTRAINT `upstream_channels_upstreams_channels` FOREIGN KEY (`upstream_id`) REFERENCES `upstreams` (`id`) ON DELETE CASCADE);
-- copy rows from old table "upstream_channels" to new temporary table "new_upstream_channels"
INSERT INTO `new_upstream_channels` (`id`, `track`, `mode`, `host_files`, `machine_id`, `created_at`, `upstream_version`, `withdrawn`, `problem`, `last_run_at`, `last_success_at`, `next_run_at`, `failing_since`, `failures`, `last_error`, `channel_id`, `upstream_id`) SELECT `id`, `track`, `mode`, `host_files`, `machine_id`, `created_at`, `upstream_version`, `withdrawn`, `problem`, `last_run_at`, `last_success_at`, `next_run_at`, `failing_since`, `failures`, `last_error`, `channel_id`, `upstream_id` FROM `upstream_channels`;
-- drop "upstream_channels" table after copying rows
DROP TABLE `upstream_channels`;
-- rename temporary table "new_upstream_channels" to "upstream_channels"
ALTER TABLE `new_upstream_channels` RENAME TO `upstream_channels`;
-- create index "upstreamchannel_channel_id" to table: "upstream_channels"
CREATE UNIQUE INDEX `upstreamchannel_channel_id` ON `upstream_channels` (`channel_id`);
-- create index "upstreamchannel_upstream_id" to table: "upstream_channels"
CREATE INDEX `upstreamchannel_upstream_id` ON `upstream_channels` (`upstream_id`);
-- create index "upstreamchannel_next_run_at" to table: "upstream_channels"
CREATE INDEX `upstreamchannel_next_run_at` ON `upstream_channels` (`next_run_at`);
-- enable back the enforcement of foreign-keys constraints
PRAGMA foreign_keys = on;

-- +goose Down
-- reverse: create index "upstreamchannel_next_run_at" to table: "upstream_channels"
DROP INDEX `upstreamchannel_next_run_at`;
-- reverse: create index "upstreamchannel_upstream_id" to table: "upstream_channels"
DROP INDEX `upstreamchannel_upstream_id`;
-- reverse: create index "upstreamchannel_channel_id" to table: "upstream_channels"
DROP INDEX `upstreamchannel_channel_id`;
-- reverse: create "new_upstream_channels" table
DROP TABLE `new_upstream_channels`;
