-- +goose Up
-- modify "applications" table
ALTER TABLE "applications" ADD COLUMN "require_certificate" boolean NOT NULL DEFAULT false;
-- modify "channels" table
ALTER TABLE "channels" ADD COLUMN "require_approval" boolean NOT NULL DEFAULT false;
-- modify "groups" table
ALTER TABLE "groups" ADD COLUMN "require_approval" boolean NOT NULL DEFAULT false, ADD COLUMN "require_certificate" boolean NOT NULL DEFAULT false;
-- create "proposals" table
CREATE TABLE "proposals" ("id" uuid NOT NULL, "application_id" uuid NOT NULL, "group_id" uuid NULL, "channel_id" uuid NULL, "package_id" uuid NULL, "instance_id" uuid NULL, "verb" character varying NOT NULL, "input" character varying NOT NULL, "basis" character varying NOT NULL, "summary" character varying NOT NULL, "changes" jsonb NOT NULL, "reason" character varying NOT NULL, "user_id" uuid NOT NULL, "created_by" character varying NOT NULL, "created_at" timestamptz NOT NULL, "expires_at" timestamptz NOT NULL, "state" character varying NOT NULL, "decided_at" timestamptz NULL, "decided_by" character varying NOT NULL DEFAULT '', "decision" character varying NOT NULL DEFAULT '', PRIMARY KEY ("id"));
-- create index "proposal_decided_at" to table: "proposals"
CREATE INDEX "proposal_decided_at" ON "proposals" ("decided_at") WHERE ((state)::text <> 'OPEN'::text);
-- create index "proposal_expires_at" to table: "proposals"
CREATE INDEX "proposal_expires_at" ON "proposals" ("expires_at") WHERE ((state)::text = 'OPEN'::text);

-- +goose Down
-- reverse: create index "proposal_expires_at" to table: "proposals"
DROP INDEX "proposal_expires_at";
-- reverse: create index "proposal_decided_at" to table: "proposals"
DROP INDEX "proposal_decided_at";
-- reverse: create "proposals" table
DROP TABLE "proposals";
-- reverse: modify "groups" table
ALTER TABLE "groups" DROP COLUMN "require_certificate", DROP COLUMN "require_approval";
-- reverse: modify "channels" table
ALTER TABLE "channels" DROP COLUMN "require_approval";
-- reverse: modify "applications" table
ALTER TABLE "applications" DROP COLUMN "require_certificate";
