-- +goose Up
-- create "activities" table
CREATE TABLE `activities` (`id` uuid NOT NULL, `at` datetime NOT NULL, `kind` integer NOT NULL, `severity` integer NOT NULL, `application_id` uuid NOT NULL, `application_name` text NOT NULL, `group_id` uuid NULL, `group_name` text NOT NULL DEFAULT (''), `channel_id` uuid NULL, `channel_name` text NOT NULL DEFAULT (''), `instance_id` uuid NULL, `machine_id` text NOT NULL DEFAULT (''), `version` text NOT NULL DEFAULT (''), `code` integer NOT NULL DEFAULT (0), `actor` text NOT NULL DEFAULT (''), `detail` text NOT NULL DEFAULT (''), PRIMARY KEY (`id`));
-- create index "activity_application_id_id" to table: "activities"
CREATE INDEX `activity_application_id_id` ON `activities` (`application_id`, `id`);
-- create index "activity_group_id_id" to table: "activities"
CREATE INDEX `activity_group_id_id` ON `activities` (`group_id`, `id`);
-- create index "activity_severity_id" to table: "activities"
CREATE INDEX `activity_severity_id` ON `activities` (`severity`, `id`);
-- create "applications" table
CREATE TABLE `applications` (`id` uuid NOT NULL, `name` text NOT NULL, `product_id` text NULL, `description` text NOT NULL DEFAULT (''), `revision` integer NOT NULL DEFAULT (1), `created_at` datetime NOT NULL, `team_id` uuid NOT NULL, PRIMARY KEY (`id`), CONSTRAINT `applications_teams_applications` FOREIGN KEY (`team_id`) REFERENCES `teams` (`id`) ON DELETE CASCADE);
-- create index "applications_product_id_key" to table: "applications"
CREATE UNIQUE INDEX `applications_product_id_key` ON `applications` (`product_id`);
-- create index "application_team_id_name" to table: "applications"
CREATE UNIQUE INDEX `application_team_id_name` ON `applications` (`team_id`, `name`);
-- create "attempts" table
CREATE TABLE `attempts` (`id` uuid NOT NULL, `rollout_id` uuid NOT NULL, `package_id` uuid NOT NULL, `version` text NOT NULL, `from_version` text NOT NULL, `wave` integer NOT NULL, `number` integer NOT NULL, `granted_at` datetime NOT NULL, `downloading_at` datetime NULL, `downloaded_at` datetime NULL, `installed_at` datetime NULL, `ended_at` datetime NOT NULL, `outcome` integer NOT NULL, `code` integer NOT NULL DEFAULT (0), `instance_id` uuid NOT NULL, PRIMARY KEY (`id`), CONSTRAINT `attempts_instances_attempts` FOREIGN KEY (`instance_id`) REFERENCES `instances` (`id`) ON DELETE CASCADE);
-- create index "attempt_instance_id_id" to table: "attempts"
CREATE INDEX `attempt_instance_id_id` ON `attempts` (`instance_id`, `id`);
-- create "audits" table
CREATE TABLE `audits` (`id` uuid NOT NULL, `at` datetime NOT NULL, `team_id` uuid NOT NULL, `actor` text NOT NULL, `credential` text NOT NULL, `verb` text NOT NULL, `object` text NOT NULL, `object_id` uuid NOT NULL, `application_id` uuid NULL, `before` text NOT NULL DEFAULT (''), `after` text NOT NULL DEFAULT (''), `reason` text NOT NULL DEFAULT (''), PRIMARY KEY (`id`));
-- create index "audit_application_id_id" to table: "audits"
CREATE INDEX `audit_application_id_id` ON `audits` (`application_id`, `id`);
-- create index "audit_object_id_id" to table: "audits"
CREATE INDEX `audit_object_id_id` ON `audits` (`object_id`, `id`);
-- create "blacklistings" table
CREATE TABLE `blacklistings` (`id` uuid NOT NULL, `reason` text NOT NULL DEFAULT (''), `created_by` text NOT NULL DEFAULT (''), `created_at` datetime NOT NULL, `channel_id` uuid NOT NULL, `package_id` uuid NOT NULL, PRIMARY KEY (`id`), CONSTRAINT `blacklistings_channels_blacklistings` FOREIGN KEY (`channel_id`) REFERENCES `channels` (`id`) ON DELETE CASCADE, CONSTRAINT `blacklistings_packages_blacklistings` FOREIGN KEY (`package_id`) REFERENCES `packages` (`id`) ON DELETE CASCADE);
-- create index "blacklisting_channel_id_package_id" to table: "blacklistings"
CREATE UNIQUE INDEX `blacklisting_channel_id_package_id` ON `blacklistings` (`channel_id`, `package_id`);
-- create "channels" table
CREATE TABLE `channels` (`id` uuid NOT NULL, `name` text NOT NULL, `color` text NOT NULL DEFAULT (''), `arch` text NOT NULL DEFAULT ('amd64'), `promoted_at` datetime NULL, `promoted_by` text NOT NULL DEFAULT (''), `created_at` datetime NOT NULL, `application_id` uuid NOT NULL, `package_id` uuid NULL, PRIMARY KEY (`id`), CONSTRAINT `channels_applications_channels` FOREIGN KEY (`application_id`) REFERENCES `applications` (`id`) ON DELETE CASCADE, CONSTRAINT `channels_packages_channels` FOREIGN KEY (`package_id`) REFERENCES `packages` (`id`) ON DELETE SET NULL);
-- create index "channel_application_id_name_arch" to table: "channels"
CREATE UNIQUE INDEX `channel_application_id_name_arch` ON `channels` (`application_id`, `name`, `arch`);
-- create "failures" table
CREATE TABLE `failures` (`id` integer NOT NULL PRIMARY KEY AUTOINCREMENT, `outcome` integer NOT NULL, `code` integer NOT NULL, `attempts` integer NOT NULL, `rollout_id` uuid NOT NULL, CONSTRAINT `failures_rollouts_failures` FOREIGN KEY (`rollout_id`) REFERENCES `rollouts` (`id`) ON DELETE CASCADE);
-- create index "failure_rollout_id_outcome_code" to table: "failures"
CREATE UNIQUE INDEX `failure_rollout_id_outcome_code` ON `failures` (`rollout_id`, `outcome`, `code`);
-- create "floors" table
CREATE TABLE `floors` (`id` uuid NOT NULL, `reason` text NOT NULL DEFAULT (''), `created_by` text NOT NULL DEFAULT (''), `created_at` datetime NOT NULL, `channel_id` uuid NOT NULL, `package_id` uuid NOT NULL, PRIMARY KEY (`id`), CONSTRAINT `floors_channels_floors` FOREIGN KEY (`channel_id`) REFERENCES `channels` (`id`) ON DELETE CASCADE, CONSTRAINT `floors_packages_floors` FOREIGN KEY (`package_id`) REFERENCES `packages` (`id`) ON DELETE CASCADE);
-- create index "floor_channel_id_package_id" to table: "floors"
CREATE UNIQUE INDEX `floor_channel_id_package_id` ON `floors` (`channel_id`, `package_id`);
-- create "groups" table
CREATE TABLE `groups` (`id` uuid NOT NULL, `name` text NOT NULL, `track` text NOT NULL, `arch` text NOT NULL DEFAULT ('amd64'), `description` text NOT NULL DEFAULT (''), `policy` json NOT NULL, `revision` integer NOT NULL DEFAULT (1), `paused_at` datetime NULL, `paused_by` text NOT NULL DEFAULT (''), `pause_reason` text NOT NULL DEFAULT (''), `created_at` datetime NOT NULL, `application_id` uuid NOT NULL, `channel_id` uuid NULL, PRIMARY KEY (`id`), CONSTRAINT `groups_applications_groups` FOREIGN KEY (`application_id`) REFERENCES `applications` (`id`) ON DELETE CASCADE, CONSTRAINT `groups_channels_groups` FOREIGN KEY (`channel_id`) REFERENCES `channels` (`id`) ON DELETE SET NULL);
-- create index "group_application_id_name_arch" to table: "groups"
CREATE UNIQUE INDEX `group_application_id_name_arch` ON `groups` (`application_id`, `name`, `arch`);
-- create index "group_application_id_track_arch" to table: "groups"
CREATE UNIQUE INDEX `group_application_id_track_arch` ON `groups` (`application_id`, `track`, `arch`);
-- create "group_counts" table
CREATE TABLE `group_counts` (`id` integer NOT NULL PRIMARY KEY AUTOINCREMENT, `version` text NOT NULL, `state` integer NOT NULL, `reason` text NOT NULL, `standing` integer NOT NULL, `machines` integer NOT NULL, `group_id` uuid NOT NULL, CONSTRAINT `group_counts_groups_counts` FOREIGN KEY (`group_id`) REFERENCES `groups` (`id`) ON DELETE CASCADE);
-- create index "groupcount_group_id_version_state_reason_standing" to table: "group_counts"
CREATE UNIQUE INDEX `groupcount_group_id_version_state_reason_standing` ON `group_counts` (`group_id`, `version`, `state`, `reason`, `standing`);
-- create "rollouts" table
CREATE TABLE `rollouts` (`id` uuid NOT NULL, `package_id` uuid NOT NULL, `version` text NOT NULL, `state` integer NOT NULL, `salt` text NOT NULL, `created_at` datetime NOT NULL, `started_at` datetime NULL, `ended_at` datetime NULL, `wave` integer NOT NULL DEFAULT (0), `wave_at` datetime NOT NULL, `gate_at` datetime NULL, `approved` bool NOT NULL DEFAULT (false), `epoch` integer NOT NULL DEFAULT (0), `evidence` json NOT NULL, `failing` json NOT NULL, `set_aside` integer NOT NULL DEFAULT (0), `proven` bool NOT NULL DEFAULT (false), `leader` text NOT NULL DEFAULT (''), `halt` json NOT NULL, `group_id` uuid NOT NULL, PRIMARY KEY (`id`), CONSTRAINT `rollouts_groups_rollouts` FOREIGN KEY (`group_id`) REFERENCES `groups` (`id`) ON DELETE CASCADE);
-- create index "grouprollout_group_id_created_at" to table: "rollouts"
CREATE INDEX `grouprollout_group_id_created_at` ON `rollouts` (`group_id`, `created_at`);
-- create "history_entries" table
CREATE TABLE `history_entries` (`id` uuid NOT NULL, `at` datetime NOT NULL, `state` integer NOT NULL, `version` text NOT NULL, `reason` text NOT NULL DEFAULT (''), `code` integer NOT NULL DEFAULT (0), `detail` text NOT NULL DEFAULT (''), `instance_id` uuid NOT NULL, PRIMARY KEY (`id`), CONSTRAINT `history_entries_instances_history` FOREIGN KEY (`instance_id`) REFERENCES `instances` (`id`) ON DELETE CASCADE);
-- create index "historyentry_instance_id_id" to table: "history_entries"
CREATE INDEX `historyentry_instance_id_id` ON `history_entries` (`instance_id`, `id`);
-- create "instances" table
CREATE TABLE `instances` (`id` uuid NOT NULL, `machine_id` text NOT NULL, `alias` text NOT NULL DEFAULT (''), `machine_alias` text NOT NULL DEFAULT (''), `address` text NOT NULL DEFAULT (''), `arch` text NOT NULL DEFAULT ('amd64'), `oem` text NOT NULL DEFAULT (''), `oem_version` text NOT NULL DEFAULT (''), `aleph_version` text NOT NULL DEFAULT (''), `version` text NOT NULL, `state` integer NOT NULL, `standing` integer NOT NULL, `reason` text NOT NULL DEFAULT (''), `decision` text NOT NULL DEFAULT (''), `decided_at` datetime NULL, `decision_until` datetime NULL, `created_at` datetime NOT NULL, `last_seen_at` datetime NOT NULL, `state_changed_at` datetime NOT NULL, `granted_at` datetime NULL, `lease_until` datetime NULL, `downloading_at` datetime NULL, `downloaded_at` datetime NULL, `installed_at` datetime NULL, `offer_rollout_id` uuid NULL, `offer_package_id` uuid NULL, `offer_version` text NOT NULL DEFAULT (''), `offer_wave` integer NOT NULL DEFAULT (0), `offer_epoch` integer NOT NULL DEFAULT (0), `attempt` integer NOT NULL DEFAULT (0), `last_offer_version` text NOT NULL DEFAULT (''), `last_granted_at` datetime NULL, `failed_version` text NOT NULL DEFAULT (''), `failures` integer NOT NULL DEFAULT (0), `quarantined_version` text NOT NULL DEFAULT (''), `override` integer NOT NULL DEFAULT (0), `override_version` text NOT NULL DEFAULT (''), `override_until` datetime NULL, `override_by` text NOT NULL DEFAULT (''), `override_reason` text NOT NULL DEFAULT (''), `moved` bool NOT NULL DEFAULT (false), `application_id` uuid NOT NULL, `group_id` uuid NULL, PRIMARY KEY (`id`), CONSTRAINT `instances_applications_instances` FOREIGN KEY (`application_id`) REFERENCES `applications` (`id`) ON DELETE CASCADE, CONSTRAINT `instances_groups_instances` FOREIGN KEY (`group_id`) REFERENCES `groups` (`id`) ON DELETE SET NULL);
-- create index "instance_application_id_machine_id" to table: "instances"
CREATE UNIQUE INDEX `instance_application_id_machine_id` ON `instances` (`application_id`, `machine_id`);
-- create index "instance_group_id_machine_id" to table: "instances"
CREATE INDEX `instance_group_id_machine_id` ON `instances` (`group_id`, `machine_id`);
-- create index "instance_group_id_state_machine_id" to table: "instances"
CREATE INDEX `instance_group_id_state_machine_id` ON `instances` (`group_id`, `state`, `machine_id`);
-- create index "instance_group_id_version_machine_id" to table: "instances"
CREATE INDEX `instance_group_id_version_machine_id` ON `instances` (`group_id`, `version`, `machine_id`);
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
-- create "ledgers" table
CREATE TABLE `ledgers` (`id` integer NOT NULL PRIMARY KEY AUTOINCREMENT, `config_revision` integer NOT NULL, `in_flight` integer NOT NULL DEFAULT (0), `behind` integer NOT NULL DEFAULT (0), `on_target` integer NOT NULL DEFAULT (0), `spends` json NOT NULL, `rollout_id` uuid NULL, `next_lease_at` datetime NULL, `package_missing_noted` bool NOT NULL DEFAULT (false), `group_id` uuid NOT NULL, CONSTRAINT `ledgers_groups_ledger` FOREIGN KEY (`group_id`) REFERENCES `groups` (`id`) ON DELETE CASCADE);
-- create index "ledgers_group_id_key" to table: "ledgers"
CREATE UNIQUE INDEX `ledgers_group_id_key` ON `ledgers` (`group_id`);
-- create "package_actions" table
CREATE TABLE `package_actions` (`id` uuid NOT NULL, `event` text NOT NULL DEFAULT ('postinstall'), `sha256` text NOT NULL, `chromeos_version` text NOT NULL DEFAULT (''), `needs_admin` bool NOT NULL DEFAULT (false), `is_delta` bool NOT NULL DEFAULT (false), `disable_payload_backoff` bool NOT NULL DEFAULT (true), `metadata_signature_rsa` text NOT NULL DEFAULT (''), `metadata_size` text NOT NULL DEFAULT (''), `deadline` text NOT NULL DEFAULT (''), `created_at` datetime NOT NULL, `package_id` uuid NOT NULL, PRIMARY KEY (`id`), CONSTRAINT `package_actions_packages_action` FOREIGN KEY (`package_id`) REFERENCES `packages` (`id`) ON DELETE CASCADE);
-- create index "package_actions_package_id_key" to table: "package_actions"
CREATE UNIQUE INDEX `package_actions_package_id_key` ON `package_actions` (`package_id`);
-- create "package_files" table
CREATE TABLE `package_files` (`id` uuid NOT NULL, `name` text NOT NULL, `size` integer NOT NULL DEFAULT (0), `sha1` text NOT NULL DEFAULT (''), `sha256` text NOT NULL DEFAULT (''), `package_id` uuid NOT NULL, PRIMARY KEY (`id`), CONSTRAINT `package_files_packages_files` FOREIGN KEY (`package_id`) REFERENCES `packages` (`id`) ON DELETE CASCADE);
-- create index "packagefile_package_id_name" to table: "package_files"
CREATE UNIQUE INDEX `packagefile_package_id_name` ON `package_files` (`package_id`, `name`);
-- create "packages" table
CREATE TABLE `packages` (`id` uuid NOT NULL, `type` integer NOT NULL, `arch` text NOT NULL DEFAULT ('amd64'), `version` text NOT NULL, `url` text NOT NULL, `filename` text NOT NULL DEFAULT (''), `size` integer NOT NULL DEFAULT (0), `sha1` text NOT NULL DEFAULT (''), `sha256` text NOT NULL DEFAULT (''), `description` text NOT NULL DEFAULT (''), `created_at` datetime NOT NULL, `application_id` uuid NOT NULL, PRIMARY KEY (`id`), CONSTRAINT `packages_applications_packages` FOREIGN KEY (`application_id`) REFERENCES `applications` (`id`) ON DELETE CASCADE);
-- create index "release_application_id_arch_version" to table: "packages"
CREATE UNIQUE INDEX `release_application_id_arch_version` ON `packages` (`application_id`, `arch`, `version`);
-- create "sessions" table
CREATE TABLE `sessions` (`token_hash` text NOT NULL, `created_at` datetime NOT NULL, `expires_at` datetime NOT NULL, `user_id` uuid NOT NULL, PRIMARY KEY (`token_hash`), CONSTRAINT `sessions_users_sessions` FOREIGN KEY (`user_id`) REFERENCES `users` (`id`) ON DELETE CASCADE);
-- create index "session_expires_at" to table: "sessions"
CREATE INDEX `session_expires_at` ON `sessions` (`expires_at`);
-- create "stat_points" table
CREATE TABLE `stat_points` (`id` integer NOT NULL PRIMARY KEY AUTOINCREMENT, `resolution` integer NOT NULL, `at` datetime NOT NULL, `version` text NOT NULL, `state` integer NOT NULL, `machines` integer NOT NULL, `group_id` uuid NOT NULL, CONSTRAINT `stat_points_groups_points` FOREIGN KEY (`group_id`) REFERENCES `groups` (`id`) ON DELETE CASCADE);
-- create index "statpoint_group_id_resolution_at_version_state" to table: "stat_points"
CREATE UNIQUE INDEX `statpoint_group_id_resolution_at_version_state` ON `stat_points` (`group_id`, `resolution`, `at`, `version`, `state`);
-- create index "statpoint_resolution_at" to table: "stat_points"
CREATE INDEX `statpoint_resolution_at` ON `stat_points` (`resolution`, `at`);
-- create "teams" table
CREATE TABLE `teams` (`id` uuid NOT NULL, `name` text NOT NULL, `created_at` datetime NOT NULL, PRIMARY KEY (`id`));
-- create index "teams_name_key" to table: "teams"
CREATE UNIQUE INDEX `teams_name_key` ON `teams` (`name`);
-- create "users" table
CREATE TABLE `users` (`id` uuid NOT NULL, `username` text NOT NULL, `password_hash` text NOT NULL, `must_change_password` bool NOT NULL DEFAULT (false), `created_at` datetime NOT NULL, `team_id` uuid NOT NULL, PRIMARY KEY (`id`), CONSTRAINT `users_teams_users` FOREIGN KEY (`team_id`) REFERENCES `teams` (`id`) ON DELETE CASCADE);
-- create index "users_username_key" to table: "users"
CREATE UNIQUE INDEX `users_username_key` ON `users` (`username`);
-- create "waves" table
CREATE TABLE `waves` (`id` integer NOT NULL PRIMARY KEY AUTOINCREMENT, `position` integer NOT NULL, `granted` integer NOT NULL DEFAULT (0), `downloading` integer NOT NULL DEFAULT (0), `downloaded` integer NOT NULL DEFAULT (0), `installed` integer NOT NULL DEFAULT (0), `succeeded` integer NOT NULL DEFAULT (0), `failed` integer NOT NULL DEFAULT (0), `timed_out` integer NOT NULL DEFAULT (0), `rolled_back` integer NOT NULL DEFAULT (0), `released` integer NOT NULL DEFAULT (0), `rollout_id` uuid NOT NULL, CONSTRAINT `waves_rollouts_waves` FOREIGN KEY (`rollout_id`) REFERENCES `rollouts` (`id`) ON DELETE CASCADE);
-- create index "wave_rollout_id_position" to table: "waves"
CREATE UNIQUE INDEX `wave_rollout_id_position` ON `waves` (`rollout_id`, `position`);

-- +goose Down
-- reverse: create index "wave_rollout_id_position" to table: "waves"
DROP INDEX `wave_rollout_id_position`;
-- reverse: create "waves" table
DROP TABLE `waves`;
-- reverse: create index "users_username_key" to table: "users"
DROP INDEX `users_username_key`;
-- reverse: create "users" table
DROP TABLE `users`;
-- reverse: create index "teams_name_key" to table: "teams"
DROP INDEX `teams_name_key`;
-- reverse: create "teams" table
DROP TABLE `teams`;
-- reverse: create index "statpoint_resolution_at" to table: "stat_points"
DROP INDEX `statpoint_resolution_at`;
-- reverse: create index "statpoint_group_id_resolution_at_version_state" to table: "stat_points"
DROP INDEX `statpoint_group_id_resolution_at_version_state`;
-- reverse: create "stat_points" table
DROP TABLE `stat_points`;
-- reverse: create index "session_expires_at" to table: "sessions"
DROP INDEX `session_expires_at`;
-- reverse: create "sessions" table
DROP TABLE `sessions`;
-- reverse: create index "release_application_id_arch_version" to table: "packages"
DROP INDEX `release_application_id_arch_version`;
-- reverse: create "packages" table
DROP TABLE `packages`;
-- reverse: create index "packagefile_package_id_name" to table: "package_files"
DROP INDEX `packagefile_package_id_name`;
-- reverse: create "package_files" table
DROP TABLE `package_files`;
-- reverse: create index "package_actions_package_id_key" to table: "package_actions"
DROP INDEX `package_actions_package_id_key`;
-- reverse: create "package_actions" table
DROP TABLE `package_actions`;
-- reverse: create index "ledgers_group_id_key" to table: "ledgers"
DROP INDEX `ledgers_group_id_key`;
-- reverse: create "ledgers" table
DROP TABLE `ledgers`;
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
-- reverse: create index "instance_group_id_version_machine_id" to table: "instances"
DROP INDEX `instance_group_id_version_machine_id`;
-- reverse: create index "instance_group_id_state_machine_id" to table: "instances"
DROP INDEX `instance_group_id_state_machine_id`;
-- reverse: create index "instance_group_id_machine_id" to table: "instances"
DROP INDEX `instance_group_id_machine_id`;
-- reverse: create index "instance_application_id_machine_id" to table: "instances"
DROP INDEX `instance_application_id_machine_id`;
-- reverse: create "instances" table
DROP TABLE `instances`;
-- reverse: create index "historyentry_instance_id_id" to table: "history_entries"
DROP INDEX `historyentry_instance_id_id`;
-- reverse: create "history_entries" table
DROP TABLE `history_entries`;
-- reverse: create index "grouprollout_group_id_created_at" to table: "rollouts"
DROP INDEX `grouprollout_group_id_created_at`;
-- reverse: create "rollouts" table
DROP TABLE `rollouts`;
-- reverse: create index "groupcount_group_id_version_state_reason_standing" to table: "group_counts"
DROP INDEX `groupcount_group_id_version_state_reason_standing`;
-- reverse: create "group_counts" table
DROP TABLE `group_counts`;
-- reverse: create index "group_application_id_track_arch" to table: "groups"
DROP INDEX `group_application_id_track_arch`;
-- reverse: create index "group_application_id_name_arch" to table: "groups"
DROP INDEX `group_application_id_name_arch`;
-- reverse: create "groups" table
DROP TABLE `groups`;
-- reverse: create index "floor_channel_id_package_id" to table: "floors"
DROP INDEX `floor_channel_id_package_id`;
-- reverse: create "floors" table
DROP TABLE `floors`;
-- reverse: create index "failure_rollout_id_outcome_code" to table: "failures"
DROP INDEX `failure_rollout_id_outcome_code`;
-- reverse: create "failures" table
DROP TABLE `failures`;
-- reverse: create index "channel_application_id_name_arch" to table: "channels"
DROP INDEX `channel_application_id_name_arch`;
-- reverse: create "channels" table
DROP TABLE `channels`;
-- reverse: create index "blacklisting_channel_id_package_id" to table: "blacklistings"
DROP INDEX `blacklisting_channel_id_package_id`;
-- reverse: create "blacklistings" table
DROP TABLE `blacklistings`;
-- reverse: create index "audit_object_id_id" to table: "audits"
DROP INDEX `audit_object_id_id`;
-- reverse: create index "audit_application_id_id" to table: "audits"
DROP INDEX `audit_application_id_id`;
-- reverse: create "audits" table
DROP TABLE `audits`;
-- reverse: create index "attempt_instance_id_id" to table: "attempts"
DROP INDEX `attempt_instance_id_id`;
-- reverse: create "attempts" table
DROP TABLE `attempts`;
-- reverse: create index "application_team_id_name" to table: "applications"
DROP INDEX `application_team_id_name`;
-- reverse: create index "applications_product_id_key" to table: "applications"
DROP INDEX `applications_product_id_key`;
-- reverse: create "applications" table
DROP TABLE `applications`;
-- reverse: create index "activity_severity_id" to table: "activities"
DROP INDEX `activity_severity_id`;
-- reverse: create index "activity_group_id_id" to table: "activities"
DROP INDEX `activity_group_id_id`;
-- reverse: create index "activity_application_id_id" to table: "activities"
DROP INDEX `activity_application_id_id`;
-- reverse: create "activities" table
DROP TABLE `activities`;
