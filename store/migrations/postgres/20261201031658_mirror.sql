-- +goose Up
-- create "upstreams" table
CREATE TABLE "upstreams" ("id" uuid NOT NULL, "name" character varying NOT NULL, "kind" character varying NOT NULL, "url" character varying NOT NULL, "remote_app_id" character varying NOT NULL DEFAULT '', "interval" bigint NOT NULL, "enabled" boolean NOT NULL DEFAULT true, "url_template" character varying NOT NULL, "ca" character varying NOT NULL DEFAULT '', "created_by" character varying NOT NULL, "created_at" timestamptz NOT NULL, "leased_until" timestamptz NULL, "application_id" uuid NOT NULL, PRIMARY KEY ("id"), CONSTRAINT "upstreams_applications_upstreams" FOREIGN KEY ("application_id") REFERENCES "applications" ("id") ON UPDATE NO ACTION ON DELETE CASCADE);
-- create index "upstream_application_id_name" to table: "upstreams"
CREATE UNIQUE INDEX "upstream_application_id_name" ON "upstreams" ("application_id", "name");
-- create "upstream_channels" table
CREATE TABLE "upstream_channels" ("id" uuid NOT NULL, "track" character varying NOT NULL, "mode" character varying NOT NULL, "host_files" boolean NOT NULL DEFAULT false, "machine_id" character varying NOT NULL, "created_at" timestamptz NOT NULL, "upstream_version" character varying NOT NULL DEFAULT '', "withdrawn" boolean NOT NULL DEFAULT false, "problem" character varying NOT NULL DEFAULT '', "last_run_at" timestamptz NULL, "last_success_at" timestamptz NULL, "next_run_at" timestamptz NOT NULL, "failing_since" timestamptz NULL, "failures" bigint NOT NULL DEFAULT 0, "last_error" character varying NOT NULL DEFAULT '', "channel_id" uuid NOT NULL, "upstream_id" uuid NOT NULL, PRIMARY KEY ("id"), CONSTRAINT "upstream_channels_channels_upstreams" FOREIGN KEY ("channel_id") REFERENCES "channels" ("id") ON UPDATE NO ACTION ON DELETE CASCADE, CONSTRAINT "upstream_channels_upstreams_channels" FOREIGN KEY ("upstream_id") REFERENCES "upstreams" ("id") ON UPDATE NO ACTION ON DELETE CASCADE);
-- create index "upstreamchannel_channel_id" to table: "upstream_channels"
CREATE UNIQUE INDEX "upstreamchannel_channel_id" ON "upstream_channels" ("channel_id");
-- create index "upstreamchannel_next_run_at" to table: "upstream_channels"
CREATE INDEX "upstreamchannel_next_run_at" ON "upstream_channels" ("next_run_at");
-- create index "upstreamchannel_upstream_id" to table: "upstream_channels"
CREATE INDEX "upstreamchannel_upstream_id" ON "upstream_channels" ("upstream_id");
-- create "mirror_runs" table
CREATE TABLE "mirror_runs" ("id" uuid NOT NULL, "application_id" uuid NOT NULL, "upstream_id" uuid NOT NULL, "started_at" timestamptz NOT NULL, "ended_at" timestamptz NOT NULL, "outcome" character varying NOT NULL, "changes" jsonb NOT NULL, "error" character varying NOT NULL DEFAULT '', "bytes" bigint NOT NULL DEFAULT 0, "upstream_channel_id" uuid NOT NULL, PRIMARY KEY ("id"), CONSTRAINT "mirror_runs_upstream_channels_runs" FOREIGN KEY ("upstream_channel_id") REFERENCES "upstream_channels" ("id") ON UPDATE NO ACTION ON DELETE CASCADE);
-- create index "mirrorrun_upstream_channel_id_id" to table: "mirror_runs"
CREATE INDEX "mirrorrun_upstream_channel_id_id" ON "mirror_runs" ("upstream_channel_id", "id");
-- create index "mirrorrun_upstream_id_id" to table: "mirror_runs"
CREATE INDEX "mirrorrun_upstream_id_id" ON "mirror_runs" ("upstream_id", "id");

-- +goose Down
-- reverse: create index "mirrorrun_upstream_id_id" to table: "mirror_runs"
DROP INDEX "mirrorrun_upstream_id_id";
-- reverse: create index "mirrorrun_upstream_channel_id_id" to table: "mirror_runs"
DROP INDEX "mirrorrun_upstream_channel_id_id";
-- reverse: create "mirror_runs" table
DROP TABLE "mirror_runs";
-- reverse: create index "upstreamchannel_upstream_id" to table: "upstream_channels"
DROP INDEX "upstreamchannel_upstream_id";
-- reverse: create index "upstreamchannel_next_run_at" to table: "upstream_channels"
DROP INDEX "upstreamchannel_next_run_at";
-- reverse: create index "upstreamchannel_channel_id" to table: "upstream_channels"
DROP INDEX "upstreamchannel_channel_id";
-- reverse: create "upstream_channels" table
DROP TABLE "upstream_channels";
-- reverse: create index "upstream_application_id_name" to table: "upstreams"
DROP INDEX "upstream_application_id_name";
-- reverse: create "upstreams" table
DROP TABLE "upstreams";
