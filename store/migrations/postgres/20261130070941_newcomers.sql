-- +goose Up
-- modify "rollouts" table
ALTER TABLE "rollouts" ADD COLUMN "newcomers" jsonb NULL;

-- +goose Down
-- reverse: modify "rollouts" table
ALTER TABLE "rollouts" DROP COLUMN "newcomers";
