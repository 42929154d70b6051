-- +goose Up
-- disable the enforcement of foreign-keys constraints
PRAGMA foreign_keys = off;
-- create "new_instances" table
CREATE TABLE `new_instances` (`id` uuid NOT NULL, `machine_id` text NOT NULL, `alias` text NOT NULL DEFAULT (''), `machine_alias` text NOT NULL DEFAULT (''), `address` text NOT NULL DEFAULT (''), `arch` text NOT NULL DEFAULT ('amd64'), `oem` text NOT NULL DEFAULT (''), `oem_version` text NOT NULL DEFAULT (''), `aleph_version` text NOT NULL DEFAULT (''), `version_prefix` text NOT NULL DEFAULT (''), `updates_disabled` bool NOT NULL DEFAULT (false), `version` text NOT NULL, `state` integer NOT NULL, `standing` integer NOT NULL, `reason` text NOT NULL DEFAULT (''), `decision` text NOT NULL DEFAULT (''), `decided_at` datetime NULL, `decision_until` datetime NULL, `created_at` datetime NOT NULL, `last_seen_at` datetime NOT NULL, `state_changed_at` datetime NOT NULL, `granted_at` datetime NULL, `lease_until` datetime NULL, `lease_extended` integer NOT NULL DEFAULT (0), `session` text NOT NULL DEFAULT (''), `reboot_overdue` bool NOT NULL DEFAULT (false), `downloading_at` datetime NULL, `downloaded_at` datetime NULL, `installed_at` datetime NULL, `offer_rollout_id` uuid NULL, `offer_package_id` uuid NULL, `offer_version` text NOT NULL DEFAULT (''), `offer_leaves` text NOT NULL DEFAULT (''), `offer_wave` integer NOT NULL DEFAULT (0), `offer_epoch` integer NOT NULL DEFAULT (0), `attempt` integer NOT NULL DEFAULT (0), `last_offer_version` text NOT NULL DEFAULT (''), `last_granted_at` datetime NULL, `last_attempt_id` uuid NULL, `last_rollout_id` uuid NULL, `last_version` text NOT NULL DEFAULT (''), `last_from` text NOT NULL DEFAULT (''), `last_wave` integer NOT NULL DEFAULT (0), `last_epoch` integer NOT NULL DEFAULT (0), `last_stage` integer NOT NULL DEFAULT (0), `last_outcome` integer NOT NULL DEFAULT (0), `last_code` integer NOT NULL DEFAULT (0), `last_proof` bool NOT NULL DEFAULT (false), `last_oem` text NOT NULL DEFAULT (''), `last_address_block` text NOT NULL DEFAULT (''), `failed_version` text NOT NULL DEFAULT (''), `failures` integer NOT NULL DEFAULT (0), `quarantined_version` text NOT NULL DEFAULT (''), `interrupted_version` text NOT NULL DEFAULT (''), `interruptions` integer NOT NULL DEFAULT (0), `deferred_rollout_id` uuid NULL, `override` integer NOT NULL DEFAULT (0), `override_version` text NOT NULL DEFAULT (''), `override_until` datetime NULL, `override_by` text NOT NULL DEFAULT (''), `override_reason` text NOT NULL DEFAULT (''), `withdrawn_at` datetime NULL, `enrolled` bool NOT NULL DEFAULT (false), `moved` bool NOT NULL DEFAULT (false), `home_group_id` uuid NULL, `selectors` integer NOT NULL DEFAULT (0), `move_to` uuid NULL, `application_id` uuid NOT NULL, `group_id` uuid NULL, PRIMARY KEY (`id`), CONSTRAINT `instances_applications_instances` FOREIGN KEY (`application_id`) REFERENCES `applications` (`id`) ON DELETE CASCADE, CONSTRAINT `instances_groups_instances` FOREIGN KEY (`group_id`) REFERENCES `groups` (`id`) ON DELETE SET NULL);
-- copy rows from old table "instances" to new temporary table "new_instances"
INSERT INTO `new_instances` (`id`, `machine_id`, `alias`, `machine_alias`, `address`, `arch`, `oem`, `oem_version`, `aleph_version`, `version_prefix`, `updates_disabled`, `version`, `state`, `standing`, `reason`, `decision`, `decided_at`, `decision_until`, `created_at`, `last_seen_at`, `state_changed_at`, `granted_at`, `lease_until`, `lease_extended`, `session`, `reboot_overdue`, `downloading_at`, `downloaded_at`, `installed_at`, `offer_rollout_id`, `offer_package_id`, `offer_version`, `offer_leaves`, `offer_wave`, `offer_epoch`, `attempt`, `last_offer_version`, `last_granted_at`, `last_attempt_id`, `last_rollout_id`, `last_version`, `last_from`, `last_wave`, `last_epoch`, `last_stage`, `last_outcome`, `last_code`, `last_proof`, `last_oem`, `last_address_block`, `failed_version`, `failures`, `quarantined_version`, `interrupted_version`, `interruptions`, `deferred_rollout_id`, `override`, `override_version`, `override_until`, `override_by`, `override_reason`, `withdrawn_at`, `enrolled`, `moved`, `move_to`, `application_id`, `group_id`) SELECT `id`, `machine_id`, `alias`, `machine_alias`, `address`, `arch`, `oem`, `oem_version`, `aleph_version`, `version_prefix`, `updates_disabled`, `version`, `state`, `standing`, `reason`, `decision`, `decided_at`, `decision_until`, `created_at`, `last_seen_at`, `state_changed_at`, `granted_at`, `lease_until`, `lease_extended`, `session`, `reboot_overdue`, `downloading_at`, `downloaded_at`, `installed_at`, `offer_rollout_id`, `offer_package_id`, `offer_version`, `offer_leaves`, `offer_wave`, `offer_epoch`, `attempt`, `last_offer_version`, `last_granted_at`, `last_attempt_id`, `last_rollout_id`, `last_version`, `last_from`, `last_wave`, `last_epoch`, `last_stage`, `last_outcome`, `last_code`, `last_proof`, `last_oem`, `last_address_block`, `failed_version`, `failures`, `quarantined_version`, `interrupted_version`, `interruptions`, `deferred_rollout_id`, `override`, `override_version`, `override_until`, `override_by`, `override_reason`, `withdrawn_at`, `enrolled`, `moved`, `move_to`, `application_id`, `group_id` FROM `instances`;
-- drop "instances" table after copying rows
DROP TABLE `instances`;
-- rename temporary table "new_instances" to "instances"
ALTER TABLE `new_instances` RENAME TO `instances`;
-- create index "instance_application_id_machine_id" to table: "instances"
CREATE INDEX `instance_application_id_machine_id` ON `instances` (`application_id`, `machine_id`);
-- create index "instance_stretch" to table: "instances"
CREATE INDEX `instance_stretch` ON `instances` (`group_id`, `version`, `state`, `reason`, `standing`, `machine_id`, `oem`);
-- create index "instance_group_id_oem_machine_id" to table: "instances"
CREATE INDEX `instance_group_id_oem_machine_id` ON `instances` (`group_id`, `oem`, `machine_id`);
-- create index "instance_application_id_alias" to table: "instances"
CREATE INDEX `instance_application_id_alias` ON `instances` (`application_id`, `alias`) WHERE alias <> '';
-- create index "instance_application_id_machine_alias" to table: "instances"
CREATE INDEX `instance_application_id_machine_alias` ON `instances` (`application_id`, `machine_alias`) WHERE machine_alias <> '';
-- create index "instance_application_id_address" to table: "instances"
CREATE INDEX `instance_application_id_address` ON `instances` (`application_id`, `address`);
-- create index "instance_group_id_lease_until" to table: "instances"
CREATE INDEX `instance_group_id_lease_until` ON `instances` (`group_id`, `lease_until`) WHERE lease_until IS NOT NULL;
-- create index "instance_group_id_standing" to table: "instances"
CREATE INDEX `instance_group_id_standing` ON `instances` (`group_id`, `standing`) WHERE standing > 0;
-- create "new_groups" table
CREATE TABLE `new_groups` (`id` uuid NOT NULL, `name` text NOT NULL, `track` text NOT NULL, `aliases` json NULL, `arch` text NOT NULL DEFAULT ('amd64'), `description` text NOT NULL DEFAULT (''), `expression` text NOT NULL DEFAULT (''), `priority` integer NOT NULL DEFAULT (0), `policy` json NOT NULL, `require_secret` bool NOT NULL DEFAULT (false), `require_approval` bool NOT NULL DEFAULT (false), `require_certificate` bool NOT NULL DEFAULT (false), `revision` integer NOT NULL DEFAULT (1), `paused_at` datetime NULL, `paused_by` text NOT NULL DEFAULT (''), `pause_reason` text NOT NULL DEFAULT (''), `deleted_at` datetime NULL, `created_at` datetime NOT NULL, `application_id` uuid NOT NULL, `channel_id` uuid NULL, PRIMARY KEY (`id`), CONSTRAINT `groups_applications_groups` FOREIGN KEY (`application_id`) REFERENCES `applications` (`id`) ON DELETE CASCADE, CONSTRAINT `groups_channels_groups` FOREIGN KEY (`channel_id`) REFERENCES `channels` (`id`) ON DELETE SET NULL);
-- copy rows from old table "groups" to new temporary table "new_groups"
INSERT INTO `new_groups` (`id`, `name`, `track`, `aliases`, `arch`, `description`, `policy`, `require_secret`, `require_approval`, `require_certificate`, `revision`, `paused_at`, `paused_by`, `pause_reason`, `deleted_at`, `created_at`, `application_id`, `channel_id`) SELECT `id`, `name`, `track`, `aliases`, `arch`, `description`, `policy`, `require_secret`, `require_approval`, `require_certificate`, `revision`, `paused_at`, `paused_by`, `pause_reason`, `deleted_at`, `created_at`, `application_id`, `channel_id` FROM `groups`;
-- drop "groups" table after copying rows
DROP TABLE `groups`;
-- rename temporary table "new_groups" to "groups"
ALTER TABLE `new_groups` RENAME TO `groups`;
-- create index "group_application_id_name_arch" to table: "groups"
CREATE UNIQUE INDEX `group_application_id_name_arch` ON `groups` (`application_id`, `name`, `arch`);
-- create index "group_application_id_track_arch" to table: "groups"
CREATE UNIQUE INDEX `group_application_id_track_arch` ON `groups` (`application_id`, `track`, `arch`);
-- create "reassignments" table
CREATE TABLE `reassignments` (`id` uuid NOT NULL, `selectors` integer NOT NULL, `after` text NOT NULL DEFAULT (''), `seen` integer NOT NULL DEFAULT (0), `moved` integer NOT NULL DEFAULT (0), `waiting` integer NOT NULL DEFAULT (0), `kept` integer NOT NULL DEFAULT (0), `started_at` datetime NOT NULL, `ended_at` datetime NULL, `application_id` uuid NOT NULL, PRIMARY KEY (`id`), CONSTRAINT `reassignments_applications_reassignment` FOREIGN KEY (`application_id`) REFERENCES `applications` (`id`) ON DELETE CASCADE);
-- create index "reassignments_application_id_key" to table: "reassignments"
CREATE UNIQUE INDEX `reassignments_application_id_key` ON `reassignments` (`application_id`);
-- enable back the enforcement of foreign-keys constraints
PRAGMA foreign_keys = on;

-- +goose Down
-- reverse: create index "reassignments_application_id_key" to table: "reassignments"
DROP INDEX `reassignments_application_id_key`;
-- reverse: create "reassignments" table
DROP TABLE `reassignments`;
-- reverse: create index "group_application_id_track_arch" to table: "groups"
DROP INDEX `group_application_id_track_arch`;
-- reverse: create index "group_application_id_name_arch" to table: "groups"
DROP INDEX `group_application_id_name_arch`;
-- reverse: create "new_groups" table
DROP TABLE `new_groups`;
-- reverse: create index "instance_group_id_standing" to table: "instances"
DROP INDEX `instance_group_id_standing`;
-- reverse: create index "instance_group_id_lease_until" to table: "instances"
DROP INDEX `instance_group_id_lease_until`;
-- reverse: create index "instance_application_id_address" to table: "instances"
DROP INDEX `instance_application_id_address`;
-- reverse: create index "instance_application_id_machine_alias" to table: "instances"
DROP INDEX `instance_application_id_machine_alias`;
-- reverse: create index "instance_application_id_alias" to table: "instances"
DROP INDEX `instance_application_id_alias`;
-- reverse: create index "instance_group_id_oem_machine_id" to table: "instances"
DROP INDEX `instance_group_id_oem_machine_id`;
-- reverse: create index "instance_stretch" to table: "instances"
DROP INDEX `instance_stretch`;
-- reverse: create index "instance_application_id_machine_id" to table: "instances"
DROP INDEX `instance_application_id_machine_id`;
-- reverse: create "new_instances" table
DROP TABLE `new_instances`;
