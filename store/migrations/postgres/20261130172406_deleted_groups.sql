-- +goose Up
-- modify "groups" table
ALTER TABLE "groups" ADD COLUMN "deleted_at" timestamptz NULL;

-- +goose Down
-- reverse: modify "groups" table
ALTER TABLE "groups" DROP COLUMN "deleted_at";
