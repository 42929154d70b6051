-- +goose Up
-- create "refused_requests" table
CREATE TABLE "refused_requests" ("id" uuid NOT NULL, "reason" character varying NOT NULL, "app" character varying NOT NULL, "track" character varying NOT NULL, "version" character varying NOT NULL, "board" character varying NOT NULL, "requests" bigint NOT NULL, "first_seen_at" timestamptz NOT NULL, "last_seen_at" timestamptz NOT NULL, "address" character varying NOT NULL DEFAULT '', PRIMARY KEY ("id"));
-- create index "refusedrequest_last_seen_at_id" to table: "refused_requests"
CREATE INDEX "refusedrequest_last_seen_at_id" ON "refused_requests" ("last_seen_at", "id");

-- +goose Down
-- reverse: create index "refusedrequest_last_seen_at_id" to table: "refused_requests"
DROP INDEX "refusedrequest_last_seen_at_id";
-- reverse: create "refused_requests" table
DROP TABLE "refused_requests";
