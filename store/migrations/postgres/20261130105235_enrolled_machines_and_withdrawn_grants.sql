-- +goose Up
-- modify "instances" table
ALTER TABLE "instances" ADD COLUMN "withdrawn_at" timestamptz NULL, ADD COLUMN "enrolled" boolean NOT NULL DEFAULT false;

-- +goose Down
-- reverse: modify "instances" table
ALTER TABLE "instances" DROP COLUMN "enrolled", DROP COLUMN "withdrawn_at";
