-- +goose Up
-- create "activities" table
CREATE TABLE "activities" ("id" uuid NOT NULL, "at" timestamptz NOT NULL, "kind" smallint NOT NULL, "severity" smallint NOT NULL, "application_id" uuid NOT NULL, "application_name" character varying NOT NULL, "group_id" uuid NULL, "group_name" character varying NOT NULL DEFAULT '', "channel_id" uuid NULL, "channel_name" character varying NOT NULL DEFAULT '', "instance_id" uuid NULL, "machine_id" character varying NOT NULL DEFAULT '', "version" character varying NOT NULL DEFAULT '', "code" bigint NOT NULL DEFAULT 0, "actor" character varying NOT NULL DEFAULT '', "detail" character varying NOT NULL DEFAULT '', PRIMARY KEY ("id"));
-- create index "activity_application_id_id" to table: "activities"
CREATE INDEX "activity_application_id_id" ON "activities" ("application_id", "id");
-- create index "activity_group_id_id" to table: "activities"
CREATE INDEX "activity_group_id_id" ON "activities" ("group_id", "id");
-- create index "activity_severity_id" to table: "activities"
CREATE INDEX "activity_severity_id" ON "activities" ("severity", "id");
-- create "audits" table
CREATE TABLE "audits" ("id" uuid NOT NULL, "at" timestamptz NOT NULL, "team_id" uuid NOT NULL, "actor" character varying NOT NULL, "credential" character varying NOT NULL, "verb" character varying NOT NULL, "object" character varying NOT NULL, "object_id" uuid NOT NULL, "application_id" uuid NULL, "before" character varying NOT NULL DEFAULT '', "after" character varying NOT NULL DEFAULT '', "reason" character varying NOT NULL DEFAULT '', PRIMARY KEY ("id"));
-- create index "audit_application_id_id" to table: "audits"
CREATE INDEX "audit_application_id_id" ON "audits" ("application_id", "id");
-- create index "audit_object_id_id" to table: "audits"
CREATE INDEX "audit_object_id_id" ON "audits" ("object_id", "id");
-- create "teams" table
CREATE TABLE "teams" ("id" uuid NOT NULL, "name" character varying NOT NULL, "created_at" timestamptz NOT NULL, PRIMARY KEY ("id"));
-- create index "teams_name_key" to table: "teams"
CREATE UNIQUE INDEX "teams_name_key" ON "teams" ("name");
-- create "applications" table
CREATE TABLE "applications" ("id" uuid NOT NULL, "name" character varying NOT NULL, "product_id" character varying NULL, "description" character varying NOT NULL DEFAULT '', "revision" bigint NOT NULL DEFAULT 1, "created_at" timestamptz NOT NULL, "team_id" uuid NOT NULL, PRIMARY KEY ("id"), CONSTRAINT "applications_teams_applications" FOREIGN KEY ("team_id") REFERENCES "teams" ("id") ON UPDATE NO ACTION ON DELETE CASCADE);
-- create index "application_team_id_name" to table: "applications"
CREATE UNIQUE INDEX "application_team_id_name" ON "applications" ("team_id", "name");
-- create index "applications_product_id_key" to table: "applications"
CREATE UNIQUE INDEX "applications_product_id_key" ON "applications" ("product_id");
-- create "packages" table
CREATE TABLE "packages" ("id" uuid NOT NULL, "type" smallint NOT NULL, "arch" character varying NOT NULL DEFAULT 'amd64', "version" character varying NOT NULL, "url" character varying NOT NULL, "filename" character varying NOT NULL DEFAULT '', "size" bigint NOT NULL DEFAULT 0, "sha1" character varying NOT NULL DEFAULT '', "sha256" character varying NOT NULL DEFAULT '', "description" character varying NOT NULL DEFAULT '', "created_at" timestamptz NOT NULL, "application_id" uuid NOT NULL, PRIMARY KEY ("id"), CONSTRAINT "packages_applications_packages" FOREIGN KEY ("application_id") REFERENCES "applications" ("id") ON UPDATE NO ACTION ON DELETE CASCADE);
-- create index "release_application_id_arch_version" to table: "packages"
CREATE UNIQUE INDEX "release_application_id_arch_version" ON "packages" ("application_id", "arch", "version");
-- create "channels" table
CREATE TABLE "channels" ("id" uuid NOT NULL, "name" character varying NOT NULL, "color" character varying NOT NULL DEFAULT '', "arch" character varying NOT NULL DEFAULT 'amd64', "promoted_at" timestamptz NULL, "promoted_by" character varying NOT NULL DEFAULT '', "created_at" timestamptz NOT NULL, "application_id" uuid NOT NULL, "package_id" uuid NULL, PRIMARY KEY ("id"), CONSTRAINT "channels_applications_channels" FOREIGN KEY ("application_id") REFERENCES "applications" ("id") ON UPDATE NO ACTION ON DELETE CASCADE, CONSTRAINT "channels_packages_channels" FOREIGN KEY ("package_id") REFERENCES "packages" ("id") ON UPDATE NO ACTION ON DELETE SET NULL);
-- create index "channel_application_id_name_arch" to table: "channels"
CREATE UNIQUE INDEX "channel_application_id_name_arch" ON "channels" ("application_id", "name", "arch");
-- create "groups" table
CREATE TABLE "groups" ("id" uuid NOT NULL, "name" character varying NOT NULL, "track" character varying NOT NULL, "arch" character varying NOT NULL DEFAULT 'amd64', "description" character varying NOT NULL DEFAULT '', "policy" jsonb NOT NULL, "revision" bigint NOT NULL DEFAULT 1, "paused_at" timestamptz NULL, "paused_by" character varying NOT NULL DEFAULT '', "pause_reason" character varying NOT NULL DEFAULT '', "created_at" timestamptz NOT NULL, "application_id" uuid NOT NULL, "channel_id" uuid NULL, PRIMARY KEY ("id"), CONSTRAINT "groups_applications_groups" FOREIGN KEY ("application_id") REFERENCES "applications" ("id") ON UPDATE NO ACTION ON DELETE CASCADE, CONSTRAINT "groups_channels_groups" FOREIGN KEY ("channel_id") REFERENCES "channels" ("id") ON UPDATE NO ACTION ON DELETE SET NULL);
-- create index "group_application_id_name_arch" to table: "groups"
CREATE UNIQUE INDEX "group_application_id_name_arch" ON "groups" ("application_id", "name", "arch");
-- create index "group_application_id_track_arch" to table: "groups"
CREATE UNIQUE INDEX "group_application_id_track_arch" ON "groups" ("application_id", "track", "arch");
-- create "instances" table
CREATE TABLE "instances" ("id" uuid NOT NULL, "machine_id" character varying NOT NULL, "alias" character varying NOT NULL DEFAULT '', "machine_alias" character varying NOT NULL DEFAULT '', "address" character varying NOT NULL DEFAULT '', "arch" character varying NOT NULL DEFAULT 'amd64', "oem" character varying NOT NULL DEFAULT '', "oem_version" character varying NOT NULL DEFAULT '', "aleph_version" character varying NOT NULL DEFAULT '', "version" character varying NOT NULL, "state" smallint NOT NULL, "standing" smallint NOT NULL, "reason" character varying NOT NULL DEFAULT '', "decision" character varying NOT NULL DEFAULT '', "decided_at" timestamptz NULL, "decision_until" timestamptz NULL, "created_at" timestamptz NOT NULL, "last_seen_at" timestamptz NOT NULL, "state_changed_at" timestamptz NOT NULL, "granted_at" timestamptz NULL, "lease_until" timestamptz NULL, "downloading_at" timestamptz NULL, "downloaded_at" timestamptz NULL, "installed_at" timestamptz NULL, "offer_rollout_id" uuid NULL, "offer_package_id" uuid NULL, "offer_version" character varying NOT NULL DEFAULT '', "offer_wave" bigint NOT NULL DEFAULT 0, "offer_epoch" bigint NOT NULL DEFAULT 0, "attempt" bigint NOT NULL DEFAULT 0, "last_offer_version" character varying NOT NULL DEFAULT '', "last_granted_at" timestamptz NULL, "failed_version" character varying NOT NULL DEFAULT '', "failures" bigint NOT NULL DEFAULT 0, "quarantined_version" character varying NOT NULL DEFAULT '', "override" smallint NOT NULL DEFAULT 0, "override_version" character varying NOT NULL DEFAULT '', "override_until" timestamptz NULL, "override_by" character varying NOT NULL DEFAULT '', "override_reason" character varying NOT NULL DEFAULT '', "moved" boolean NOT NULL DEFAULT false, "application_id" uuid NOT NULL, "group_id" uuid NULL, PRIMARY KEY ("id"), CONSTRAINT "instances_applications_instances" FOREIGN KEY ("application_id") REFERENCES "applications" ("id") ON UPDATE NO ACTION ON DELETE CASCADE, CONSTRAINT "instances_groups_instances" FOREIGN KEY ("group_id") REFERENCES "groups" ("id") ON UPDATE NO ACTION ON DELETE SET NULL);
-- create index "instance_application_id_address" to table: "instances"
CREATE INDEX "instance_application_id_address" ON "instances" ("application_id", "address");
-- create index "instance_application_id_alias" to table: "instances"
CREATE INDEX "instance_application_id_alias" ON "instances" ("application_id", "alias") WHERE ((alias)::text <> ''::text);
-- create index "instance_application_id_machine_alias" to table: "instances"
CREATE INDEX "instance_application_id_machine_alias" ON "instances" ("application_id", "machine_alias") WHERE ((machine_alias)::text <> ''::text);
-- create index "instance_application_id_machine_id" to table: "instances"
CREATE UNIQUE INDEX "instance_application_id_machine_id" ON "instances" ("application_id", "machine_id");
-- create index "instance_group_id_lease_until" to table: "instances"
CREATE INDEX "instance_group_id_lease_until" ON "instances" ("group_id", "lease_until") WHERE (lease_until IS NOT NULL);
-- create index "instance_group_id_machine_id" to table: "instances"
CREATE INDEX "instance_group_id_machine_id" ON "instances" ("group_id", "machine_id");
-- create index "instance_group_id_standing" to table: "instances"
CREATE INDEX "instance_group_id_standing" ON "instances" ("group_id", "standing") WHERE (standing > 0);
-- create index "instance_group_id_state_machine_id" to table: "instances"
CREATE INDEX "instance_group_id_state_machine_id" ON "instances" ("group_id", "state", "machine_id");
-- create index "instance_group_id_version_machine_id" to table: "instances"
CREATE INDEX "instance_group_id_version_machine_id" ON "instances" ("group_id", "version", "machine_id");
-- create "attempts" table
CREATE TABLE "attempts" ("id" uuid NOT NULL, "rollout_id" uuid NOT NULL, "package_id" uuid NOT NULL, "version" character varying NOT NULL, "from_version" character varying NOT NULL, "wave" bigint NOT NULL, "number" bigint NOT NULL, "granted_at" timestamptz NOT NULL, "downloading_at" timestamptz NULL, "downloaded_at" timestamptz NULL, "installed_at" timestamptz NULL, "ended_at" timestamptz NOT NULL, "outcome" smallint NOT NULL, "code" bigint NOT NULL DEFAULT 0, "instance_id" uuid NOT NULL, PRIMARY KEY ("id"), CONSTRAINT "attempts_instances_attempts" FOREIGN KEY ("instance_id") REFERENCES "instances" ("id") ON UPDATE NO ACTION ON DELETE CASCADE);
-- create index "attempt_instance_id_id" to table: "attempts"
CREATE INDEX "attempt_instance_id_id" ON "attempts" ("instance_id", "id");
-- create "blacklistings" table
CREATE TABLE "blacklistings" ("id" uuid NOT NULL, "reason" character varying NOT NULL DEFAULT '', "created_by" character varying NOT NULL DEFAULT '', "created_at" timestamptz NOT NULL, "channel_id" uuid NOT NULL, "package_id" uuid NOT NULL, PRIMARY KEY ("id"), CONSTRAINT "blacklistings_channels_blacklistings" FOREIGN KEY ("channel_id") REFERENCES "channels" ("id") ON UPDATE NO ACTION ON DELETE CASCADE, CONSTRAINT "blacklistings_packages_blacklistings" FOREIGN KEY ("package_id") REFERENCES "packages" ("id") ON UPDATE NO ACTION ON DELETE CASCADE);
-- create index "blacklisting_channel_id_package_id" to table: "blacklistings"
CREATE UNIQUE INDEX "blacklisting_channel_id_package_id" ON "blacklistings" ("channel_id", "package_id");
-- create "rollouts" table
CREATE TABLE "rollouts" ("id" uuid NOT NULL, "package_id" uuid NOT NULL, "version" character varying NOT NULL, "state" smallint NOT NULL, "salt" character varying NOT NULL, "created_at" timestamptz NOT NULL, "started_at" timestamptz NULL, "ended_at" timestamptz NULL, "wave" bigint NOT NULL DEFAULT 0, "wave_at" timestamptz NOT NULL, "gate_at" timestamptz NULL, "approved" boolean NOT NULL DEFAULT false, "epoch" bigint NOT NULL DEFAULT 0, "evidence" jsonb NOT NULL, "failing" jsonb NOT NULL, "set_aside" bigint NOT NULL DEFAULT 0, "proven" boolean NOT NULL DEFAULT false, "leader" character varying NOT NULL DEFAULT '', "halt" jsonb NOT NULL, "group_id" uuid NOT NULL, PRIMARY KEY ("id"), CONSTRAINT "rollouts_groups_rollouts" FOREIGN KEY ("group_id") REFERENCES "groups" ("id") ON UPDATE NO ACTION ON DELETE CASCADE);
-- create index "grouprollout_group_id_created_at" to table: "rollouts"
CREATE INDEX "grouprollout_group_id_created_at" ON "rollouts" ("group_id", "created_at");
-- create "failures" table
CREATE TABLE "failures" ("id" bigint NOT NULL GENERATED BY DEFAULT AS IDENTITY, "outcome" smallint NOT NULL, "code" bigint NOT NULL, "attempts" bigint NOT NULL, "rollout_id" uuid NOT NULL, PRIMARY KEY ("id"), CONSTRAINT "failures_rollouts_failures" FOREIGN KEY ("rollout_id") REFERENCES "rollouts" ("id") ON UPDATE NO ACTION ON DELETE CASCADE);
-- create index "failure_rollout_id_outcome_code" to table: "failures"
CREATE UNIQUE INDEX "failure_rollout_id_outcome_code" ON "failures" ("rollout_id", "outcome", "code");
-- create "floors" table
CREATE TABLE "floors" ("id" uuid NOT NULL, "reason" character varying NOT NULL DEFAULT '', "created_by" character varying NOT NULL DEFAULT '', "created_at" timestamptz NOT NULL, "channel_id" uuid NOT NULL, "package_id" uuid NOT NULL, PRIMARY KEY ("id"), CONSTRAINT "floors_channels_floors" FOREIGN KEY ("channel_id") REFERENCES "channels" ("id") ON UPDATE NO ACTION ON DELETE CASCADE, CONSTRAINT "floors_packages_floors" FOREIGN KEY ("package_id") REFERENCES "packages" ("id") ON UPDATE NO ACTION ON DELETE CASCADE);
-- create index "floor_channel_id_package_id" to table: "floors"
CREATE UNIQUE INDEX "floor_channel_id_package_id" ON "floors" ("channel_id", "package_id");
-- create "group_counts" table
CREATE TABLE "group_counts" ("id" bigint NOT NULL GENERATED BY DEFAULT AS IDENTITY, "version" character varying NOT NULL, "state" smallint NOT NULL, "reason" character varying NOT NULL, "standing" smallint NOT NULL, "machines" bigint NOT NULL, "group_id" uuid NOT NULL, PRIMARY KEY ("id"), CONSTRAINT "group_counts_groups_counts" FOREIGN KEY ("group_id") REFERENCES "groups" ("id") ON UPDATE NO ACTION ON DELETE CASCADE);
-- create index "groupcount_group_id_version_state_reason_standing" to table: "group_counts"
CREATE UNIQUE INDEX "groupcount_group_id_version_state_reason_standing" ON "group_counts" ("group_id", "version", "state", "reason", "standing");
-- create "history_entries" table
CREATE TABLE "history_entries" ("id" uuid NOT NULL, "at" timestamptz NOT NULL, "state" smallint NOT NULL, "version" character varying NOT NULL, "reason" character varying NOT NULL DEFAULT '', "code" bigint NOT NULL DEFAULT 0, "detail" character varying NOT NULL DEFAULT '', "instance_id" uuid NOT NULL, PRIMARY KEY ("id"), CONSTRAINT "history_entries_instances_history" FOREIGN KEY ("instance_id") REFERENCES "instances" ("id") ON UPDATE NO ACTION ON DELETE CASCADE);
-- create index "historyentry_instance_id_id" to table: "history_entries"
CREATE INDEX "historyentry_instance_id_id" ON "history_entries" ("instance_id", "id");
-- create "ledgers" table
CREATE TABLE "ledgers" ("id" bigint NOT NULL GENERATED BY DEFAULT AS IDENTITY, "config_revision" bigint NOT NULL, "in_flight" bigint NOT NULL DEFAULT 0, "behind" bigint NOT NULL DEFAULT 0, "on_target" bigint NOT NULL DEFAULT 0, "spends" jsonb NOT NULL, "rollout_id" uuid NULL, "next_lease_at" timestamptz NULL, "package_missing_noted" boolean NOT NULL DEFAULT false, "group_id" uuid NOT NULL, PRIMARY KEY ("id"), CONSTRAINT "ledgers_groups_ledger" FOREIGN KEY ("group_id") REFERENCES "groups" ("id") ON UPDATE NO ACTION ON DELETE CASCADE);
-- create index "ledgers_group_id_key" to table: "ledgers"
CREATE UNIQUE INDEX "ledgers_group_id_key" ON "ledgers" ("group_id");
-- create "package_actions" table
CREATE TABLE "package_actions" ("id" uuid NOT NULL, "event" character varying NOT NULL DEFAULT 'postinstall', "sha256" character varying NOT NULL, "chromeos_version" character varying NOT NULL DEFAULT '', "needs_admin" boolean NOT NULL DEFAULT false, "is_delta" boolean NOT NULL DEFAULT false, "disable_payload_backoff" boolean NOT NULL DEFAULT true, "metadata_signature_rsa" character varying NOT NULL DEFAULT '', "metadata_size" character varying NOT NULL DEFAULT '', "deadline" character varying NOT NULL DEFAULT '', "created_at" timestamptz NOT NULL, "package_id" uuid NOT NULL, PRIMARY KEY ("id"), CONSTRAINT "package_actions_packages_action" FOREIGN KEY ("package_id") REFERENCES "packages" ("id") ON UPDATE NO ACTION ON DELETE CASCADE);
-- create index "package_actions_package_id_key" to table: "package_actions"
CREATE UNIQUE INDEX "package_actions_package_id_key" ON "package_actions" ("package_id");
-- create "package_files" table
CREATE TABLE "package_files" ("id" uuid NOT NULL, "name" character varying NOT NULL, "size" bigint NOT NULL DEFAULT 0, "sha1" character varying NOT NULL DEFAULT '', "sha256" character varying NOT NULL DEFAULT '', "package_id" uuid NOT NULL, PRIMARY KEY ("id"), CONSTRAINT "package_files_packages_files" FOREIGN KEY ("package_id") REFERENCES "packages" ("id") ON UPDATE NO ACTION ON DELETE CASCADE);
-- create index "packagefile_package_id_name" to table: "package_files"
CREATE UNIQUE INDEX "packagefile_package_id_name" ON "package_files" ("package_id", "name");
-- create "users" table
CREATE TABLE "users" ("id" uuid NOT NULL, "username" character varying NOT NULL, "password_hash" character varying NOT NULL, "must_change_password" boolean NOT NULL DEFAULT false, "created_at" timestamptz NOT NULL, "team_id" uuid NOT NULL, PRIMARY KEY ("id"), CONSTRAINT "users_teams_users" FOREIGN KEY ("team_id") REFERENCES "teams" ("id") ON UPDATE NO ACTION ON DELETE CASCADE);
-- create index "users_username_key" to table: "users"
CREATE UNIQUE INDEX "users_username_key" ON "users" ("username");
-- create "sessions" table
CREATE TABLE "sessions" ("token_hash" character varying NOT NULL, "created_at" timestamptz NOT NULL, "expires_at" timestamptz NOT NULL, "user_id" uuid NOT NULL, PRIMARY KEY ("token_hash"), CONSTRAINT "sessions_users_sessions" FOREIGN KEY ("user_id") REFERENCES "users" ("id") ON UPDATE NO ACTION ON DELETE CASCADE);
-- create index "session_expires_at" to table: "sessions"
CREATE INDEX "session_expires_at" ON "sessions" ("expires_at");
-- create "stat_points" table
CREATE TABLE "stat_points" ("id" bigint NOT NULL GENERATED BY DEFAULT AS IDENTITY, "resolution" bigint NOT NULL, "at" timestamptz NOT NULL, "version" character varying NOT NULL, "state" smallint NOT NULL, "machines" bigint NOT NULL, "group_id" uuid NOT NULL, PRIMARY KEY ("id"), CONSTRAINT "stat_points_groups_points" FOREIGN KEY ("group_id") REFERENCES "groups" ("id") ON UPDATE NO ACTION ON DELETE CASCADE);
-- create index "statpoint_group_id_resolution_at_version_state" to table: "stat_points"
CREATE UNIQUE INDEX "statpoint_group_id_resolution_at_version_state" ON "stat_points" ("group_id", "resolution", "at", "version", "state");
-- create index "statpoint_resolution_at" to table: "stat_points"
CREATE INDEX "statpoint_resolution_at" ON "stat_points" ("resolution", "at");
-- create "waves" table
CREATE TABLE "waves" ("id" bigint NOT NULL GENERATED BY DEFAULT AS IDENTITY, "position" bigint NOT NULL, "granted" bigint NOT NULL DEFAULT 0, "downloading" bigint NOT NULL DEFAULT 0, "downloaded" bigint NOT NULL DEFAULT 0, "installed" bigint NOT NULL DEFAULT 0, "succeeded" bigint NOT NULL DEFAULT 0, "failed" bigint NOT NULL DEFAULT 0, "timed_out" bigint NOT NULL DEFAULT 0, "rolled_back" bigint NOT NULL DEFAULT 0, "released" bigint NOT NULL DEFAULT 0, "rollout_id" uuid NOT NULL, PRIMARY KEY ("id"), CONSTRAINT "waves_rollouts_waves" FOREIGN KEY ("rollout_id") REFERENCES "rollouts" ("id") ON UPDATE NO ACTION ON DELETE CASCADE);
-- create index "wave_rollout_id_position" to table: "waves"
CREATE UNIQUE INDEX "wave_rollout_id_position" ON "waves" ("rollout_id", "position");

-- +goose Down
-- reverse: create index "wave_rollout_id_position" to table: "waves"
DROP INDEX "wave_rollout_id_position";
-- reverse: create "waves" table
DROP TABLE "waves";
-- reverse: create index "statpoint_resolution_at" to table: "stat_points"
DROP INDEX "statpoint_resolution_at";
-- reverse: create index "statpoint_group_id_resolution_at_version_state" to table: "stat_points"
DROP INDEX "statpoint_group_id_resolution_at_version_state";
-- reverse: create "stat_points" table
DROP TABLE "stat_points";
-- reverse: create index "session_expires_at" to table: "sessions"
DROP INDEX "session_expires_at";
-- reverse: create "sessions" table
DROP TABLE "sessions";
-- reverse: create index "users_username_key" to table: "users"
DROP INDEX "users_username_key";
-- reverse: create "users" table
DROP TABLE "users";
-- reverse: create index "packagefile_package_id_name" to table: "package_files"
DROP INDEX "packagefile_package_id_name";
-- reverse: create "package_files" table
DROP TABLE "package_files";
-- reverse: create index "package_actions_package_id_key" to table: "package_actions"
DROP INDEX "package_actions_package_id_key";
-- reverse: create "package_actions" table
DROP TABLE "package_actions";
-- reverse: create index "ledgers_group_id_key" to table: "ledgers"
DROP INDEX "ledgers_group_id_key";
-- reverse: create "ledgers" table
DROP TABLE "ledgers";
-- reverse: create index "historyentry_instance_id_id" to table: "history_entries"
DROP INDEX "historyentry_instance_id_id";
-- reverse: create "history_entries" table
DROP TABLE "history_entries";
-- reverse: create index "groupcount_group_id_version_state_reason_standing" to table: "group_counts"
DROP INDEX "groupcount_group_id_version_state_reason_standing";
-- reverse: create "group_counts" table
DROP TABLE "group_counts";
-- reverse: create index "floor_channel_id_package_id" to table: "floors"
DROP INDEX "floor_channel_id_package_id";
-- reverse: create "floors" table
DROP TABLE "floors";
-- reverse: create index "failure_rollout_id_outcome_code" to table: "failures"
DROP INDEX "failure_rollout_id_outcome_code";
-- reverse: create "failures" table
DROP TABLE "failures";
-- reverse: create index "grouprollout_group_id_created_at" to table: "rollouts"
DROP INDEX "grouprollout_group_id_created_at";
-- reverse: create "rollouts" table
DROP TABLE "rollouts";
-- reverse: create index "blacklisting_channel_id_package_id" to table: "blacklistings"
DROP INDEX "blacklisting_channel_id_package_id";
-- reverse: create "blacklistings" table
DROP TABLE "blacklistings";
-- reverse: create index "attempt_instance_id_id" to table: "attempts"
DROP INDEX "attempt_instance_id_id";
-- reverse: create "attempts" table
DROP TABLE "attempts";
-- reverse: create index "instance_group_id_version_machine_id" to table: "instances"
DROP INDEX "instance_group_id_version_machine_id";
-- reverse: create index "instance_group_id_state_machine_id" to table: "instances"
DROP INDEX "instance_group_id_state_machine_id";
-- reverse: create index "instance_group_id_standing" to table: "instances"
DROP INDEX "instance_group_id_standing";
-- reverse: create index "instance_group_id_machine_id" to table: "instances"
DROP INDEX "instance_group_id_machine_id";
-- reverse: create index "instance_group_id_lease_until" to table: "instances"
DROP INDEX "instance_group_id_lease_until";
-- reverse: create index "instance_application_id_machine_id" to table: "instances"
DROP INDEX "instance_application_id_machine_id";
-- reverse: create index "instance_application_id_machine_alias" to table: "instances"
DROP INDEX "instance_application_id_machine_alias";
-- reverse: create index "instance_application_id_alias" to table: "instances"
DROP INDEX "instance_application_id_alias";
-- reverse: create index "instance_application_id_address" to table: "instances"
DROP INDEX "instance_application_id_address";
-- reverse: create "instances" table
DROP TABLE "instances";
-- reverse: create index "group_application_id_track_arch" to table: "groups"
DROP INDEX "group_application_id_track_arch";
-- reverse: create index "group_application_id_name_arch" to table: "groups"
DROP INDEX "group_application_id_name_arch";
-- reverse: create "groups" table
DROP TABLE "groups";
-- reverse: create index "channel_application_id_name_arch" to table: "channels"
DROP INDEX "channel_application_id_name_arch";
-- reverse: create "channels" table
DROP TABLE "channels";
-- reverse: create index "release_application_id_arch_version" to table: "packages"
DROP INDEX "release_application_id_arch_version";
-- reverse: create "packages" table
DROP TABLE "packages";
-- reverse: create index "applications_product_id_key" to table: "applications"
DROP INDEX "applications_product_id_key";
-- reverse: create index "application_team_id_name" to table: "applications"
DROP INDEX "application_team_id_name";
-- reverse: create "applications" table
DROP TABLE "applications";
-- reverse: create index "teams_name_key" to table: "teams"
DROP INDEX "teams_name_key";
-- reverse: create "teams" table
DROP TABLE "teams";
-- reverse: create index "audit_object_id_id" to table: "audits"
DROP INDEX "audit_object_id_id";
-- reverse: create index "audit_application_id_id" to table: "audits"
DROP INDEX "audit_application_id_id";
-- reverse: create "audits" table
DROP TABLE "audits";
-- reverse: create index "activity_severity_id" to table: "activities"
DROP INDEX "activity_severity_id";
-- reverse: create index "activity_group_id_id" to table: "activities"
DROP INDEX "activity_group_id_id";
-- reverse: create index "activity_application_id_id" to table: "activities"
DROP INDEX "activity_application_id_id";
-- reverse: create "activities" table
DROP TABLE "activities";
