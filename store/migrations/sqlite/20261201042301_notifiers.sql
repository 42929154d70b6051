-- +goose Up
-- create "deliveries" table
CREATE TABLE `deliveries` (`id` uuid NOT NULL, `event_id` uuid NOT NULL, `type` text NOT NULL, `summary` text NOT NULL, `messages` text NOT NULL, `omitted` integer NOT NULL DEFAULT (0), `state` text NOT NULL, `digest_id` uuid NULL, `attempts` integer NOT NULL DEFAULT (0), `next_at` datetime NULL, `created_at` datetime NOT NULL, `ended_at` datetime NULL, `log` text NOT NULL DEFAULT ('[]'), `request` text NOT NULL DEFAULT (''), `response` text NOT NULL DEFAULT (''), `notifier_id` uuid NOT NULL, PRIMARY KEY (`id`), CONSTRAINT `deliveries_notifiers_deliveries` FOREIGN KEY (`notifier_id`) REFERENCES `notifiers` (`id`) ON DELETE CASCADE);
-- create index "delivery_notifier_id_event_id" to table: "deliveries"
CREATE UNIQUE INDEX `delivery_notifier_id_event_id` ON `deliveries` (`notifier_id`, `event_id`);
-- create index "delivery_notifier_id_id" to table: "deliveries"
CREATE INDEX `delivery_notifier_id_id` ON `deliveries` (`notifier_id`, `id`);
-- create index "delivery_next_at_notifier_id" to table: "deliveries"
CREATE INDEX `delivery_next_at_notifier_id` ON `deliveries` (`next_at`, `notifier_id`) WHERE next_at IS NOT NULL;
-- create index "delivery_notifier_id_next_at" to table: "deliveries"
CREATE INDEX `delivery_notifier_id_next_at` ON `deliveries` (`notifier_id`, `next_at`) WHERE next_at IS NOT NULL;
-- create "notifiers" table
CREATE TABLE `notifiers` (`id` uuid NOT NULL, `name` text NOT NULL, `kind` text NOT NULL, `url` text NOT NULL DEFAULT (''), `addresses` json NULL, `authorization` text NOT NULL DEFAULT (''), `secret` text NOT NULL DEFAULT (''), `previous_secret` text NOT NULL DEFAULT (''), `previous_secret_until` datetime NULL, `kinds` json NULL, `min_severity` integer NOT NULL, `applications` json NULL, `groups` json NULL, `digest` integer NOT NULL DEFAULT (0), `quiet_from` text NOT NULL DEFAULT (''), `quiet_until` text NOT NULL DEFAULT (''), `timezone` text NOT NULL DEFAULT ('UTC'), `enabled` bool NOT NULL DEFAULT (true), `enabled_at` datetime NOT NULL, `disabled_because` text NOT NULL DEFAULT (''), `position` uuid NOT NULL, `looked_back_at` datetime NOT NULL, `sent_at` datetime NULL, `failing_since` datetime NULL, `last_error` text NOT NULL DEFAULT (''), `alerts` text NOT NULL DEFAULT (''), `alerts_at` datetime NULL, `leased_by` uuid NULL, `leased_until` datetime NULL, `created_by` text NOT NULL, `created_at` datetime NOT NULL, `team_id` uuid NOT NULL, PRIMARY KEY (`id`), CONSTRAINT `notifiers_teams_notifiers` FOREIGN KEY (`team_id`) REFERENCES `teams` (`id`) ON DELETE CASCADE);
-- create index "notifier_team_id_name" to table: "notifiers"
CREATE UNIQUE INDEX `notifier_team_id_name` ON `notifiers` (`team_id`, `name`);

-- +goose Down
-- reverse: create index "notifier_team_id_name" to table: "notifiers"
DROP INDEX `notifier_team_id_name`;
-- reverse: create "notifiers" table
DROP TABLE `notifiers`;
-- reverse: create index "delivery_notifier_id_next_at" to table: "deliveries"
DROP INDEX `delivery_notifier_id_next_at`;
-- reverse: create index "delivery_next_at_notifier_id" to table: "deliveries"
DROP INDEX `delivery_next_at_notifier_id`;
-- reverse: create index "delivery_notifier_id_id" to table: "deliveries"
DROP INDEX `delivery_notifier_id_id`;
-- reverse: create index "delivery_notifier_id_event_id" to table: "deliveries"
DROP INDEX `delivery_notifier_id_event_id`;
-- reverse: create "deliveries" table
DROP TABLE `deliveries`;
