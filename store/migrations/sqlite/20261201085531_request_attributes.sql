-- +goose Up
-- disable the enforcement of foreign-keys constraints
PRAGMA foreign_keys = off;
-- create "new_applications" table
CREATE TABLE `new_applications` (`id` uuid NOT NULL, `name` text NOT NULL, `product_id` text NULL, `description` text NOT NULL DEFAULT (''), `versioning` text NOT NULL DEFAULT ('semver'), `require_secret` bool NOT NULL DEFAULT (false), `require_certificate` bool NOT NULL DEFAULT (false), `request_attributes` json NULL, `request_attributes_revision` integer NOT NULL DEFAULT (0), `removed_request_attributes` text NOT NULL DEFAULT (''), `revision` integer NOT NULL DEFAULT (1), `created_at` datetime NOT NULL, `deleted_at` datetime NULL, `team_id` uuid NOT NULL, PRIMARY KEY (`id`), CONSTRAINT `applications_teams_applications` FOREIGN KEY (`team_id`) REFERENCES `teams` (`id`) ON DELETE CASCADE);
-- copy rows from old table "applications" to new temporary table "new_applications"
INSERT INTO `new_applications` (`id`, `name`, `product_id`, `description`, `versioning`, `require_secret`, `require_certificate`, `revision`, `created_at`, `deleted_at`, `team_id`) SELECT `id`, `name`, `product_id`, `description`, `versioning`, `require_secret`, `require_certificate`, `revision`, `created_at`, `deleted_at`, `team_id` FROM `applications`;
-- drop "applications" table after copying rows
DROP TABLE `applications`;
-- rename temporary table "new_applications" to "applications"
ALTER TABLE `new_applications` RENAME TO `applications`;
-- create index "applications_product_id_key" to table: "applications"
CREATE UNIQUE INDEX `applications_product_id_key` ON `applications` (`product_id`);
-- create index "application_team_id_name" to table: "applications"
CREATE UNIQUE INDEX `application_team_id_name` ON `applications` (`team_id`, `name`);
-- create "new_machine_labels" table
CREATE TABLE `new_machine_labels` (`id` uuid NOT NULL, `application_id` uuid NOT NULL, `machine_id` text NOT NULL, `tag` bool NOT NULL, `name` text NOT NULL, `value` text NOT NULL DEFAULT (''), `set_by` text NOT NULL, `set_at` datetime NOT NULL, `sent` bool NOT NULL DEFAULT (false), `instance_id` uuid NOT NULL, PRIMARY KEY (`id`), CONSTRAINT `machine_labels_instances_labels` FOREIGN KEY (`instance_id`) REFERENCES `instances` (`id`) ON DELETE CASCADE);
-- copy rows from old table "machine_labels" to new temporary table "new_machine_labels"
INSERT INTO `new_machine_labels` (`id`, `application_id`, `machine_id`, `tag`, `name`, `value`, `set_by`, `set_at`, `instance_id`) SELECT `id`, `application_id`, `machine_id`, `tag`, `name`, `value`, `set_by`, `set_at`, `instance_id` FROM `machine_labels`;
-- drop "machine_labels" table after copying rows
DROP TABLE `machine_labels`;
-- rename temporary table "new_machine_labels" to "machine_labels"
ALTER TABLE `new_machine_labels` RENAME TO `machine_labels`;
-- create index "machinelabel_tag_name_value_application_id_machine_id" to table: "machine_labels"
CREATE INDEX `machinelabel_tag_name_value_application_id_machine_id` ON `machine_labels` (`tag`, `name`, `value`, `application_id`, `machine_id`);
-- create index "machinelabel_instance_id_tag_name" to table: "machine_labels"
CREATE UNIQUE INDEX `machinelabel_instance_id_tag_name` ON `machine_labels` (`instance_id`, `tag`, `name`);
-- create index "machinelabel_application_id_name" to table: "machine_labels"
CREATE INDEX `machinelabel_application_id_name` ON `machine_labels` (`application_id`, `name`) WHERE sent;
-- create "new_instances" table
CREATE TABLE `new_instances` (`id` uuid NOT NULL, `machine_id` text NOT NULL, `alias` text NOT NULL DEFAULT (''), `machine_alias` text NOT NULL DEFAULT (''), `address` text NOT NULL DEFAULT (''), `arch` text NOT NULL DEFAULT ('amd64'), `oem` text NOT NULL DEFAULT (''), `oem_version` text NOT NULL DEFAULT (''), `aleph_version` text NOT NULL DEFAULT (''), `version_prefix` text NOT NULL DEFAULT (''), `updates_disabled` bool NOT NULL DEFAULT (false), `request_attributes` text NOT NULL DEFAULT (''), `version` text NOT NULL, `state` integer NOT NULL, `standing` integer NOT NULL, `reason` text NOT NULL DEFAULT (''), `decision` text NOT NULL DEFAULT (''), `decided_at` datetime NULL, `decision_until` datetime NULL, `created_at` datetime NOT NULL, `last_seen_at` datetime NOT NULL, `state_changed_at` datetime NOT NULL, `granted_at` datetime NULL, `lease_until` datetime NULL, `lease_extended` integer NOT NULL DEFAULT (0), `session` text NOT NULL DEFAULT (''), `reboot_overdue` bool NOT NULL DEFAULT (false), `downloading_at` datetime NULL, `downloaded_at` datetime NULL, `installed_at` datetime NULL, `offer_rollout_id` uuid NULL, `offer_package_id` uuid NULL, `offer_version` text NOT NULL DEFAULT (''), `offer_leaves` text NOT NULL DEFAULT (''), `offer_wave` integer NOT NULL DEFAULT (0), `offer_epoch` integer NOT NULL DEFAULT (0), `attempt` integer NOT NULL DEFAULT (0), `last_offer_version` text NOT NULL DEFAULT (''), `last_granted_at` datetime NULL, `last_attempt_id` uuid NULL, `last_rollout_id` uuid NULL, `last_version` text NOT NULL DEFAULT (''), `last_from` text NOT NULL DEFAULT (''), `last_wave` integer NOT NULL DEFAULT (0), `last_epoch` integer NOT NULL DEFAULT (0), `last_stage` integer NOT NULL DEFAULT (0), `last_outcome` integer NOT NULL DEFAULT (0), `last_code` integer NOT NULL DEFAULT (0), `last_proof` bool NOT NULL DEFAULT (false), `last_oem` text NOT NULL DEFAULT (''), `last_address_block` text NOT NULL DEFAULT (''), `failed_version` text NOT NULL DEFAULT (''), `failures` integer NOT NULL DEFAULT (0), `quarantined_version` text NOT NULL DEFAULT (''), `interrupted_version` text NOT NULL DEFAULT (''), `interruptions` integer NOT NULL DEFAULT (0), `deferred_rollout_id` uuid NULL, `override` integer NOT NULL DEFAULT (0), `override_version` text NOT NULL DEFAULT (''), `override_until` datetime NULL, `override_by` text NOT NULL DEFAULT (''), `override_reason` text NOT NULL DEFAULT (''), `withdrawn_at` datetime NULL, `enrolled` bool NOT NULL DEFAULT (false), `moved` bool NOT NULL DEFAULT (false), `home_group_id` uuid NULL, `selectors` integer NOT NULL DEFAULT (0), `move_to` uuid NULL, `application_id` uuid NOT NULL, `group_id` uuid NULL, PRIMARY KEY (`id`), CONSTRAINT `instances_applications_instances` FOREIGN KEY (`application_id`) REFERENCES `applications` (`id`) ON DELETE CASCADE, CONSTRAINT `instances_groups_instances` FOREIGN KEY (`group_id`) REFERENCES `groups` (`id`) ON DELETE SET NULL);
-- copy rows from old table "instances" to new temporary table "new_instances"
INSERT INTO `new_instances` (`id`, `machine_id`, `alias`, `machine_alias`, `address`, `arch`, `oem`, `oem_version`, `aleph_version`, `version_prefix`, `updates_disabled`, `version`, `state`, `standing`, `reason`, `decision`, `decided_at`, `decision_until`, `created_at`, `last_seen_at`, `state_changed_at`, `granted_at`, `lease_until`, `lease_extended`, `session`, `reboot_overdue`, `downloading_at`, `downloaded_at`, `installed_at`, `offer_rollout_id`, `offer_package_id`, `offer_version`, `offer_leaves`, `offer_wave`, `offer_epoch`, `attempt`, `last_offer_version`, `last_granted_at`, `last_attempt_id`, `last_rollout_id`, `last_version`, `last_from`, `last_wave`, `last_epoch`, `last_stage`, `last_outcome`, `last_code`, `last_proof`, `last_oem`, `last_address_block`, `failed_version`, `failures`, `quarantined_version`, `interrupted_version`, `interruptions`, `deferred_rollout_id`, `override`, `override_version`, `override_until`, `override_by`, `override_reason`, `withdrawn_at`, `enrolled`, `moved`, `home_group_id`, `selectors`, `move_to`, `application_id`, `group_id`) SELECT `id`, `machine_id`, `alias`, `machine_alias`, `address`, `arch`, `oem`, `oem_version`, `aleph_version`, `version_prefix`, `updates_disabled`, `version`, `state`, `standing`, `reason`, `decision`, `decided_at`, `decision_until`, `created_at`, `last_seen_at`, `state_changed_at`, `granted_at`, `lease_until`, `lease_extended`, `session`, `reboot_overdue`, `downloading_at`, `downloaded_at`, `installed_at`, `offer_rollout_id`, `offer_package_id`, `offer_version`, `offer_leaves`, `offer_wave`, `offer_epoch`, `attempt`, `last_offer_version`, `last_granted_at`, `last_attempt_id`, `last_rollout_id`, `last_version`, `last_from`, `last_wave`, `last_epoch`, `last_stage`, `last_outcome`, `last_code`, `last_proof`, `last_oem`, `last_address_block`, `failed_version`, `failures`, `quarantined_version`, `interrupted_version`, `interruptions`, `deferred_rollout_id`, `override`, `override_version`, `override_until`, `override_by`, `override_reason`, `withdrawn_at`, `enrolled`, `moved`, `home_group_id`, `selectors`, `move_to`, `application_id`, `group_id` FROM `instances`;
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
-- enable back the enforcement of foreign-keys constraints
PRAGMA foreign_keys = on;

-- +goose Down
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
-- reverse: create index "machinelabel_application_id_name" to table: "machine_labels"
DROP INDEX `machinelabel_application_id_name`;
-- reverse: create index "machinelabel_instance_id_tag_name" to table: "machine_labels"
DROP INDEX `machinelabel_instance_id_tag_name`;
-- reverse: create index "machinelabel_tag_name_value_application_id_machine_id" to table: "machine_labels"
DROP INDEX `machinelabel_tag_name_value_application_id_machine_id`;
-- reverse: create "new_machine_labels" table
DROP TABLE `new_machine_labels`;
-- reverse: create index "application_team_id_name" to table: "applications"
DROP INDEX `application_team_id_name`;
-- reverse: create index "applications_product_id_key" to table: "applications"
DROP INDEX `applications_product_id_key`;
-- reverse: create "new_applications" table
DROP TABLE `new_applications`;
