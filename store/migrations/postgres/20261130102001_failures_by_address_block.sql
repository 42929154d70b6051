-- +goose Up
-- modify "attempts" table
ALTER TABLE "attempts" ADD COLUMN "address_block" character varying NOT NULL DEFAULT '';
-- create index "attempt_rollout_id_address_block_id" to table: "attempts"
CREATE INDEX "attempt_rollout_id_address_block_id" ON "attempts" ("rollout_id", "address_block", "id") WHERE failed;
-- modify "instances" table
ALTER TABLE "instances" ADD COLUMN "last_address_block" character varying NOT NULL DEFAULT '';
-- The addresses of earlier failed attempts were not kept: their block is unknown.
INSERT INTO failure_shares (trait, value, attempts, rollout_id) SELECT 'address_block', '', SUM(failed), rollout_id FROM waves GROUP BY rollout_id HAVING SUM(failed) > 0;

-- +goose Down
-- reverse: modify "instances" table
ALTER TABLE "instances" DROP COLUMN "last_address_block";
-- reverse: create index "attempt_rollout_id_address_block_id" to table: "attempts"
DROP INDEX "attempt_rollout_id_address_block_id";
-- reverse: modify "attempts" table
ALTER TABLE "attempts" DROP COLUMN "address_block";
