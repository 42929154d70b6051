-- +goose Up
-- modify "ledgers" table
ALTER TABLE "ledgers" ADD COLUMN "other_build" bigint NOT NULL DEFAULT 0;
-- machines that run the target but for its build metadata were counted as on target
UPDATE "ledgers" SET "other_build" = COALESCE((SELECT SUM(c.machines) FROM group_counts c JOIN rollouts r ON r.id = "ledgers".rollout_id
	WHERE c.group_id = "ledgers".group_id AND c.standing = 0 AND c.version <> r.version AND split_part(c.version, '+', 1) = split_part(r.version, '+', 1)), 0);
UPDATE "ledgers" SET "on_target" = "on_target" - "other_build";

-- +goose Down
-- reverse: modify "ledgers" table
ALTER TABLE "ledgers" DROP COLUMN "other_build";
