-- +goose Up
-- modify "upstream_channels" table
ALTER TABLE "upstream_channels" ADD COLUMN "extra_files" character varying NOT NULL DEFAULT '*';

-- +goose Down
-- reverse: modify "upstream_channels" table
ALTER TABLE "upstream_channels" DROP COLUMN "extra_files";
