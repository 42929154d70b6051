-- +goose Up
-- modify "applications" table
ALTER TABLE "applications" ADD COLUMN "versioning" character varying NOT NULL DEFAULT 'semver';

-- +goose Down
-- reverse: modify "applications" table
ALTER TABLE "applications" DROP COLUMN "versioning";
