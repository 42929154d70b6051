-- +goose Up
-- modify "ledgers" table
ALTER TABLE "ledgers" ADD COLUMN "writes" bigint NOT NULL DEFAULT 0;

-- +goose Down
-- reverse: modify "ledgers" table
ALTER TABLE "ledgers" DROP COLUMN "writes";
