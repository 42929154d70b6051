-- +goose Up
-- modify "applications" table
ALTER TABLE "applications" ADD COLUMN "deleted_at" timestamptz NULL;

-- +goose Down
-- reverse: modify "applications" table
ALTER TABLE "applications" DROP COLUMN "deleted_at";
