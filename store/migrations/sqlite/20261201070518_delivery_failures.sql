-- +goose Up
-- disable the enforcement of foreign-keys constraints
PRAGMA foreign_keys = off;
-- create "new_deliveries" table
CREATE TABLE `new_deliveries` (`id` uuid NOT NULL, `event_id` uuid NOT NULL, `type` text NOT NULL, `summary` text NOT NULL, `messages` text NOT NULL, `omitted` integer NOT NULL DEFAULT (0), `state` text NOT NULL, `digest_id` uuid NULL, `attempts` integer NOT NULL DEFAULT (0), `next_at` datetime NULL, `created_at` datetime NOT NULL, `ended_at` datetime NULL, `failed_at` datetime NULL, `log` text NOT NULL DEFAULT ('[]'), `request` text NOT NULL DEFAULT (''), `response` text NOT NULL DEFAULT (''), `notifier_id` uuid NOT NULL, PRIMARY KEY (`id`), CONSTRAINT `deliveries_notifiers_deliveries` FOREIGN KEY (`notifier_id`) REFERENCES `notifiers` (`id`) ON DELETE CASCADE);
-- copy rows from old table "deliveries" to new temporary table "new_deliveries"
INSERT INTO `new_deliveries` (`id`, `event_id`, `type`, `summary`, `messages`, `omitted`, `state`, `digest_id`, `attempts`, `next_at`, `created_at`, `ended_at`, `log`, `request`, `response`, `notifier_id`) SELECT `id`, `event_id`, `type`, `summary`, `messages`, `omitted`, `state`, `digest_id`, `attempts`, `next_at`, `created_at`, `ended_at`, `log`, `request`, `response`, `notifier_id` FROM `deliveries`;
-- drop "deliveries" table after copying rows
DROP TABLE `deliveries`;
-- rename temporary table "new_deliveries" to "deliveries"
ALTER TABLE `new_deliveries` RENAME TO `deliveries`;
-- create index "delivery_notifier_id_event_id" to table: "deliveries"
CREATE UNIQUE INDEX `delivery_notifier_id_event_id` ON `deliveries` (`notifier_id`, `event_id`);
-- create index "delivery_notifier_id_id" to table: "deliveries"
CREATE INDEX `delivery_notifier_id_id` ON `deliveries` (`notifier_id`, `id`);
-- create index "delivery_next_at_notifier_id" to table: "deliveries"
CREATE INDEX `delivery_next_at_notifier_id` ON `deliveries` (`next_at`, `notifier_id`) WHERE next_at IS NOT NULL;
-- create index "delivery_notifier_id_next_at" to table: "deliveries"
CREATE INDEX `delivery_notifier_id_next_at` ON `deliveries` (`notifier_id`, `next_at`) WHERE next_at IS NOT NULL;
-- create index "delivery_failed_at" to table: "deliveries"
CREATE INDEX `delivery_failed_at` ON `deliveries` (`failed_at`) WHERE failed_at IS NOT NULL;
-- create index "delivery_notifier_id_failed_at" to table: "deliveries"
CREATE INDEX `delivery_notifier_id_failed_at` ON `deliveries` (`notifier_id`, `failed_at`) WHERE failed_at IS NOT NULL;
-- enable back the enforcement of foreign-keys constraints
PRAGMA foreign_keys = on;

-- +goose Down
-- reverse: create index "delivery_notifier_id_failed_at" to table: "deliveries"
DROP INDEX `delivery_notifier_id_failed_at`;
-- reverse: create index "delivery_failed_at" to table: "deliveries"
DROP INDEX `delivery_failed_at`;
-- reverse: create index "delivery_notifier_id_next_at" to table: "deliveries"
DROP INDEX `delivery_notifier_id_next_at`;
-- reverse: create index "delivery_next_at_notifier_id" to table: "deliveries"
DROP INDEX `delivery_next_at_notifier_id`;
-- reverse: create index "delivery_notifier_id_id" to table: "deliveries"
DROP INDEX `delivery_notifier_id_id`;
-- reverse: create index "delivery_notifier_id_event_id" to table: "deliveries"
DROP INDEX `delivery_notifier_id_event_id`;
-- reverse: create "new_deliveries" table
DROP TABLE `new_deliveries`;
