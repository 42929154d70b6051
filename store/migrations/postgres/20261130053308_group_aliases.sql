-- +goose Up
-- modify "groups" table
ALTER TABLE "groups" ADD COLUMN "aliases" jsonb NULL;

-- +goose Down
-- reverse: modify "groups" table
ALTER TABLE "groups" DROP COLUMN "aliases";
