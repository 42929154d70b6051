-- +goose Up
-- modify "sessions" table
ALTER TABLE "sessions" ADD COLUMN "last_seen_at" timestamptz NULL, ADD COLUMN "address" character varying NOT NULL DEFAULT '', ADD COLUMN "user_agent" character varying NOT NULL DEFAULT '';
-- create index "session_user_id" to table: "sessions"
CREATE INDEX "session_user_id" ON "sessions" ("user_id");
-- create "tokens" table
CREATE TABLE "tokens" ("id" uuid NOT NULL, "name" character varying NOT NULL, "link" boolean NOT NULL DEFAULT false, "hash" character varying NOT NULL, "ending" character varying NOT NULL, "grants" jsonb NOT NULL, "created_at" timestamptz NOT NULL, "created_by" character varying NOT NULL, "expires_at" timestamptz NOT NULL, "last_used_at" timestamptz NULL, "last_used_address" character varying NOT NULL DEFAULT '', "user_id" uuid NOT NULL, PRIMARY KEY ("id"), CONSTRAINT "tokens_users_tokens" FOREIGN KEY ("user_id") REFERENCES "users" ("id") ON UPDATE NO ACTION ON DELETE CASCADE);
-- create index "token_expires_at" to table: "tokens"
CREATE INDEX "token_expires_at" ON "tokens" ("expires_at");
-- create index "token_user_id_name" to table: "tokens"
CREATE UNIQUE INDEX "token_user_id_name" ON "tokens" ("user_id", "name");
-- create index "tokens_hash_key" to table: "tokens"
CREATE UNIQUE INDEX "tokens_hash_key" ON "tokens" ("hash");

-- +goose Down
-- reverse: create index "tokens_hash_key" to table: "tokens"
DROP INDEX "tokens_hash_key";
-- reverse: create index "token_user_id_name" to table: "tokens"
DROP INDEX "token_user_id_name";
-- reverse: create index "token_expires_at" to table: "tokens"
DROP INDEX "token_expires_at";
-- reverse: create "tokens" table
DROP TABLE "tokens";
-- reverse: create index "session_user_id" to table: "sessions"
DROP INDEX "session_user_id";
-- reverse: modify "sessions" table
ALTER TABLE "sessions" DROP COLUMN "user_agent", DROP COLUMN "address", DROP COLUMN "last_seen_at";
