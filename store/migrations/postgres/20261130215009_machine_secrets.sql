-- +goose Up
-- modify "applications" table
ALTER TABLE "applications" ADD COLUMN "require_secret" boolean NOT NULL DEFAULT false;
-- modify "groups" table
ALTER TABLE "groups" ADD COLUMN "require_secret" boolean NOT NULL DEFAULT false;
-- create "machine_secrets" table
CREATE TABLE "machine_secrets" ("id" uuid NOT NULL, "name" character varying NOT NULL, "purpose" character varying NOT NULL, "hash" bytea NOT NULL, "last_four" character varying NOT NULL, "created_by" character varying NOT NULL, "created_at" timestamptz NOT NULL, "expires_at" timestamptz NULL, "revoked_at" timestamptz NULL, "last_used_at" timestamptz NULL, "application_id" uuid NOT NULL, "group_id" uuid NULL, PRIMARY KEY ("id"), CONSTRAINT "machine_secrets_applications_secrets" FOREIGN KEY ("application_id") REFERENCES "applications" ("id") ON UPDATE NO ACTION ON DELETE CASCADE, CONSTRAINT "machine_secrets_groups_secrets" FOREIGN KEY ("group_id") REFERENCES "groups" ("id") ON UPDATE NO ACTION ON DELETE CASCADE);
-- create index "machine_secrets_hash_key" to table: "machine_secrets"
CREATE UNIQUE INDEX "machine_secrets_hash_key" ON "machine_secrets" ("hash");
-- create index "machinesecret_application_id" to table: "machine_secrets"
CREATE INDEX "machinesecret_application_id" ON "machine_secrets" ("application_id");
-- create index "machinesecret_group_id" to table: "machine_secrets"
CREATE INDEX "machinesecret_group_id" ON "machine_secrets" ("group_id");

-- +goose Down
-- reverse: create index "machinesecret_group_id" to table: "machine_secrets"
DROP INDEX "machinesecret_group_id";
-- reverse: create index "machinesecret_application_id" to table: "machine_secrets"
DROP INDEX "machinesecret_application_id";
-- reverse: create index "machine_secrets_hash_key" to table: "machine_secrets"
DROP INDEX "machine_secrets_hash_key";
-- reverse: create "machine_secrets" table
DROP TABLE "machine_secrets";
-- reverse: modify "groups" table
ALTER TABLE "groups" DROP COLUMN "require_secret";
-- reverse: modify "applications" table
ALTER TABLE "applications" DROP COLUMN "require_secret";
