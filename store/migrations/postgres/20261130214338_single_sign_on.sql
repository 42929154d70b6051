-- +goose Up
-- modify "users" table
ALTER TABLE "users" ADD COLUMN "identity" character varying NULL;
-- create index "users_identity_key" to table: "users"
CREATE UNIQUE INDEX "users_identity_key" ON "users" ("identity");

-- +goose Down
-- reverse: create index "users_identity_key" to table: "users"
DROP INDEX "users_identity_key";
-- reverse: modify "users" table
ALTER TABLE "users" DROP COLUMN "identity";
