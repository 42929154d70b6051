-- +goose Up
-- modify "instances" table
ALTER TABLE "instances" ADD COLUMN "selected_wave" bigint NOT NULL DEFAULT 0;

-- +goose Down
-- reverse: modify "instances" table
ALTER TABLE "instances" DROP COLUMN "selected_wave";
