-- +goose Up
-- create "notifiers" table
CREATE TABLE "notifiers" ("id" uuid NOT NULL, "name" character varying NOT NULL, "kind" character varying NOT NULL, "url" character varying NOT NULL DEFAULT '', "addresses" jsonb NULL, "authorization" character varying NOT NULL DEFAULT '', "secret" character varying NOT NULL DEFAULT '', "previous_secret" character varying NOT NULL DEFAULT '', "previous_secret_until" timestamptz NULL, "kinds" jsonb NULL, "min_severity" smallint NOT NULL, "applications" jsonb NULL, "groups" jsonb NULL, "digest" bigint NOT NULL DEFAULT 0, "quiet_from" character varying NOT NULL DEFAULT '', "quiet_until" character varying NOT NULL DEFAULT '', "timezone" character varying NOT NULL DEFAULT 'UTC', "enabled" boolean NOT NULL DEFAULT true, "enabled_at" timestamptz NOT NULL, "disabled_because" character varying NOT NULL DEFAULT '', "position" uuid NOT NULL, "looked_back_at" timestamptz NOT NULL, "sent_at" timestamptz NULL, "failing_since" timestamptz NULL, "last_error" character varying NOT NULL DEFAULT '', "alerts" character varying NOT NULL DEFAULT '', "alerts_at" timestamptz NULL, "leased_by" uuid NULL, "leased_until" timestamptz NULL, "created_by" character varying NOT NULL, "created_at" timestamptz NOT NULL, "team_id" uuid NOT NULL, PRIMARY KEY ("id"), CONSTRAINT "notifiers_teams_notifiers" FOREIGN KEY ("team_id") REFERENCES "teams" ("id") ON UPDATE NO ACTION ON DELETE CASCADE);
-- create index "notifier_team_id_name" to table: "notifiers"
CREATE UNIQUE INDEX "notifier_team_id_name" ON "notifiers" ("team_id", "name");
-- create "deliveries" table
CREATE TABLE "deliveries" ("id" uuid NOT NULL, "event_id" uuid NOT NULL, "type" character varying NOT NULL, "summary" character varying NOT NULL, "messages" character varying NOT NULL, "omitted" bigint NOT NULL DEFAULT 0, "state" character varying NOT NULL, "digest_id" uuid NULL, "attempts" bigint NOT NULL DEFAULT 0, "next_at" timestamptz NULL, "created_at" timestamptz NOT NULL, "ended_at" timestamptz NULL, "log" character varying NOT NULL DEFAULT '[]', "request" character varying NOT NULL DEFAULT '', "response" character varying NOT NULL DEFAULT '', "notifier_id" uuid NOT NULL, PRIMARY KEY ("id"), CONSTRAINT "deliveries_notifiers_deliveries" FOREIGN KEY ("notifier_id") REFERENCES "notifiers" ("id") ON UPDATE NO ACTION ON DELETE CASCADE);
-- create index "delivery_next_at_notifier_id" to table: "deliveries"
CREATE INDEX "delivery_next_at_notifier_id" ON "deliveries" ("next_at", "notifier_id") WHERE (next_at IS NOT NULL);
-- create index "delivery_notifier_id_event_id" to table: "deliveries"
CREATE UNIQUE INDEX "delivery_notifier_id_event_id" ON "deliveries" ("notifier_id", "event_id");
-- create index "delivery_notifier_id_id" to table: "deliveries"
CREATE INDEX "delivery_notifier_id_id" ON "deliveries" ("notifier_id", "id");
-- create index "delivery_notifier_id_next_at" to table: "deliveries"
CREATE INDEX "delivery_notifier_id_next_at" ON "deliveries" ("notifier_id", "next_at") WHERE (next_at IS NOT NULL);

-- +goose Down
-- reverse: create index "delivery_notifier_id_next_at" to table: "deliveries"
DROP INDEX "delivery_notifier_id_next_at";
-- reverse: create index "delivery_notifier_id_id" to table: "deliveries"
DROP INDEX "delivery_notifier_id_id";
-- reverse: create index "delivery_notifier_id_event_id" to table: "deliveries"
DROP INDEX "delivery_notifier_id_event_id";
-- reverse: create index "delivery_next_at_notifier_id" to table: "deliveries"
DROP INDEX "delivery_next_at_notifier_id";
-- reverse: create "deliveries" table
DROP TABLE "deliveries";
-- reverse: create index "notifier_team_id_name" to table: "notifiers"
DROP INDEX "notifier_team_id_name";
-- reverse: create "notifiers" table
DROP TABLE "notifiers";
