-- +goose Up
-- modify "applications" table
ALTER TABLE "applications" ADD COLUMN "require_certificate" boolean NOT NULL DEFAULT false;
-- modify "groups" table
ALTER TABLE "groups" ADD COLUMN "require_certificate" boolean NOT NULL DEFAULT false;

-- +goose Down
-- reverse: modify "groups" table
ALTER TABLE "groups" DROP COLUMN "require_certificate";
-- reverse: modify "applications" table
ALTER TABLE "applications" DROP COLUMN "require_certificate";
