-- +goose Up
-- create "mirror_runs" table
CREATE TABLE `mirror_runs` (`id` uuid NOT NULL, `application_id` uuid NOT NULL, `upstream_id` uuid NOT NULL, `started_at` datetime NOT NULL, `ended_at` datetime NOT NULL, `outcome` text NOT NULL, `changes` json NOT NULL, `error` text NOT NULL DEFAULT (''), `bytes` integer NOT NULL DEFAULT (0), `upstream_channel_id` uuid NOT NULL, PRIMARY KEY (`id`), CONSTRAINT `mirror_runs_upstream_channels_runs` FOREIGN KEY (`upstream_channel_id`) REFERENCES `upstream_channels` (`id`) ON DELETE CASCADE);
-- create index "mirrorrun_upstream_id_id" to table: "mirror_runs"
CREATE INDEX `mirrorrun_upstream_id_id` ON `mirror_runs` (`upstream_id`, `id`);
-- create index "mirrorrun_upstream_channel_id_id" to table: "mirror_runs"
CREATE INDEX `mirrorrun_upstream_channel_id_id` ON `mirror_runs` (`upstream_channel_id`, `id`);
-- create "upstreams" table
CREATE TABLE `upstreams` (`id` uuid NOT NULL, `name` text NOT NULL, `kind` text NOT NULL, `url` text NOT NULL, `remote_app_id` text NOT NULL DEFAULT (''), `interval` integer NOT NULL, `enabled` bool NOT NULL DEFAULT (true), `url_template` text NOT NULL, `ca` text NOT NULL DEFAULT (''), `created_by` text NOT NULL, `created_at` datetime NOT NULL, `leased_until` datetime NULL, `application_id` uuid NOT NULL, PRIMARY KEY (`id`), CONSTRAINT `upstreams_applications_upstreams` FOREIGN KEY (`application_id`) REFERENCES `applications` (`id`) ON DELETE CASCADE);
-- create index "upstream_application_id_name" to table: "upstreams"
CREATE UNIQUE INDEX `upstream_application_id_name` ON `upstreams` (`application_id`, `name`);
-- create "upstream_channels" table
CREATE TABLE `upstream_channels` (`id` uuid NOT NULL, `track` text NOT NULL, `mode` text NOT NULL, `host_files` bool NOT NULL DEFAULT (false), `machine_id` text NOT NULL, `created_at` datetime NOT NULL, `upstream_version` text NOT NULL DEFAULT (''), `withdrawn` bool NOT NULL DEFAULT (false), `problem` text NOT NULL DEFAULT (''), `last_run_at` datetime NULL, `last_success_at` datetime NULL, `next_run_at` datetime NOT NULL, `failing_since` datetime NULL, `failures` integer NOT NULL DEFAULT (0), `last_error` text NOT NULL DEFAULT (''), `channel_id` uuid NOT NULL, `upstream_id` uuid NOT NULL, PRIMARY KEY (`id`), CONSTRAINT `upstream_channels_channels_upstreams` FOREIGN KEY (`channel_id`) REFERENCES `channels` (`id`) ON DELETE CASCADE, CONSTRAINT `upstream_channels_upstreams_channels` FOREIGN KEY (`upstream_id`) REFERENCES `upstreams` (`id`) ON DELETE CASCADE);
-- create index "upstreamchannel_channel_id" to table: "upstream_channels"
CREATE UNIQUE INDEX `upstreamchannel_channel_id` ON `upstream_channels` (`channel_id`);
-- create index "upstreamchannel_upstream_id" to table: "upstream_channels"
CREATE INDEX `upstreamchannel_upstream_id` ON `upstream_channels` (`upstream_id`);
-- create index "upstreamchannel_next_run_at" to table: "upstream_channels"
CREATE INDEX `upstreamchannel_next_run_at` ON `upstream_channels` (`next_run_at`);

-- +goose Down
-- reverse: create index "upstreamchannel_next_run_at" to table: "upstream_channels"
DROP INDEX `upstreamchannel_next_run_at`;
-- reverse: create index "upstreamchannel_upstream_id" to table: "upstream_channels"
DROP INDEX `upstreamchannel_upstream_id`;
-- reverse: create index "upstreamchannel_channel_id" to table: "upstream_channels"
DROP INDEX `upstreamchannel_channel_id`;
-- reverse: create "upstream_channels" table
DROP TABLE `upstream_channels`;
-- reverse: create index "upstream_application_id_name" to table: "upstreams"
DROP INDEX `upstream_application_id_name`;
-- reverse: create "upstreams" table
DROP TABLE `upstreams`;
-- reverse: create index "mirrorrun_upstream_channel_id_id" to table: "mirror_runs"
DROP INDEX `mirrorrun_upstream_channel_id_id`;
-- reverse: create index "mirrorrun_upstream_id_id" to table: "mirror_runs"
DROP INDEX `mirrorrun_upstream_id_id`;
-- reverse: create "mirror_runs" table
DROP TABLE `mirror_runs`;
