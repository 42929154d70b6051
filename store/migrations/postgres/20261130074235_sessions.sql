-- +goose Up
-- modify "instances" table
ALTER TABLE "instances" ADD COLUMN "session" character varying NOT NULL DEFAULT '';

-- +goose Down
-- reverse: modify "instances" table
ALTER TABLE "instances" DROP COLUMN "session";
