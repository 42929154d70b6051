-- +goose Up
-- drop index "attempt_rollout_id_code_id" from table: "attempts"
DROP INDEX "attempt_rollout_id_code_id";
-- drop index "attempt_rollout_id_from_version_id" from table: "attempts"
DROP INDEX "attempt_rollout_id_from_version_id";
-- drop index "attempt_rollout_id_id" from table: "attempts"
DROP INDEX "attempt_rollout_id_id";
-- drop index "attempt_rollout_id_oem_id" from table: "attempts"
DROP INDEX "attempt_rollout_id_oem_id";
-- drop index "attempt_rollout_id_outcome_id" from table: "attempts"
DROP INDEX "attempt_rollout_id_outcome_id";
-- modify "attempts" table
ALTER TABLE "attempts" ADD COLUMN "failed" boolean NOT NULL DEFAULT false, ADD COLUMN "replaced" boolean NOT NULL DEFAULT false;
UPDATE "attempts" SET "failed" = true WHERE "outcome" > 1 AND "outcome" < 5;
-- create index "attempt_rollout_id_code_id" to table: "attempts"
CREATE INDEX "attempt_rollout_id_code_id" ON "attempts" ("rollout_id", "code", "id") WHERE failed;
-- create index "attempt_rollout_id_from_version_id" to table: "attempts"
CREATE INDEX "attempt_rollout_id_from_version_id" ON "attempts" ("rollout_id", "from_version", "id") WHERE failed;
-- create index "attempt_rollout_id_id" to table: "attempts"
CREATE INDEX "attempt_rollout_id_id" ON "attempts" ("rollout_id", "id") WHERE failed;
-- create index "attempt_rollout_id_oem_id" to table: "attempts"
CREATE INDEX "attempt_rollout_id_oem_id" ON "attempts" ("rollout_id", "oem", "id") WHERE failed;
-- create index "attempt_rollout_id_outcome_id" to table: "attempts"
CREATE INDEX "attempt_rollout_id_outcome_id" ON "attempts" ("rollout_id", "outcome", "id") WHERE failed;
-- modify "instances" table
ALTER TABLE "instances" ADD COLUMN "last_attempt_id" uuid NULL, ADD COLUMN "last_rollout_id" uuid NULL, ADD COLUMN "last_version" character varying NOT NULL DEFAULT '', ADD COLUMN "last_from" character varying NOT NULL DEFAULT '', ADD COLUMN "last_wave" bigint NOT NULL DEFAULT 0, ADD COLUMN "last_epoch" bigint NOT NULL DEFAULT 0, ADD COLUMN "last_stage" smallint NOT NULL DEFAULT 0, ADD COLUMN "last_outcome" smallint NOT NULL DEFAULT 0, ADD COLUMN "last_code" bigint NOT NULL DEFAULT 0, ADD COLUMN "last_proof" boolean NOT NULL DEFAULT false, ADD COLUMN "last_oem" character varying NOT NULL DEFAULT '', ADD COLUMN "move_to" uuid NULL;
UPDATE "instances" SET "last_version" = "last_offer_version", "last_outcome" = 1 WHERE "state" = 4;
UPDATE "instances" SET "last_version" = "failed_version", "last_outcome" = 2 WHERE "failed_version" <> '';
-- modify "rollouts" table
ALTER TABLE "rollouts" DROP COLUMN "proven", ADD COLUMN "proofs" bigint NOT NULL DEFAULT 0;
UPDATE "rollouts" SET "proofs" = (SELECT COALESCE(SUM("succeeded"), 0) FROM "waves" WHERE "rollout_id" = "rollouts"."id");
-- modify "waves" table
ALTER TABLE "waves" ADD COLUMN "not_running" bigint NOT NULL DEFAULT 0, ADD COLUMN "lost" bigint NOT NULL DEFAULT 0;

-- +goose Down
-- reverse: modify "waves" table
ALTER TABLE "waves" DROP COLUMN "lost", DROP COLUMN "not_running";
-- reverse: modify "rollouts" table
ALTER TABLE "rollouts" DROP COLUMN "proofs", ADD COLUMN "proven" boolean NOT NULL DEFAULT false;
-- reverse: modify "instances" table
ALTER TABLE "instances" DROP COLUMN "move_to", DROP COLUMN "last_oem", DROP COLUMN "last_proof", DROP COLUMN "last_code", DROP COLUMN "last_outcome", DROP COLUMN "last_stage", DROP COLUMN "last_epoch", DROP COLUMN "last_wave", DROP COLUMN "last_from", DROP COLUMN "last_version", DROP COLUMN "last_rollout_id", DROP COLUMN "last_attempt_id";
-- reverse: create index "attempt_rollout_id_outcome_id" to table: "attempts"
DROP INDEX "attempt_rollout_id_outcome_id";
-- reverse: create index "attempt_rollout_id_oem_id" to table: "attempts"
DROP INDEX "attempt_rollout_id_oem_id";
-- reverse: create index "attempt_rollout_id_id" to table: "attempts"
DROP INDEX "attempt_rollout_id_id";
-- reverse: create index "attempt_rollout_id_from_version_id" to table: "attempts"
DROP INDEX "attempt_rollout_id_from_version_id";
-- reverse: create index "attempt_rollout_id_code_id" to table: "attempts"
DROP INDEX "attempt_rollout_id_code_id";
-- reverse: modify "attempts" table
ALTER TABLE "attempts" DROP COLUMN "replaced", DROP COLUMN "failed";
-- reverse: drop index "attempt_rollout_id_outcome_id" from table: "attempts"
CREATE INDEX "attempt_rollout_id_outcome_id" ON "attempts" ("rollout_id", "outcome", "id") WHERE ((outcome > 1) AND (outcome < 5));
-- reverse: drop index "attempt_rollout_id_oem_id" from table: "attempts"
CREATE INDEX "attempt_rollout_id_oem_id" ON "attempts" ("rollout_id", "oem", "id") WHERE ((outcome > 1) AND (outcome < 5));
-- reverse: drop index "attempt_rollout_id_id" from table: "attempts"
CREATE INDEX "attempt_rollout_id_id" ON "attempts" ("rollout_id", "id") WHERE ((outcome > 1) AND (outcome < 5));
-- reverse: drop index "attempt_rollout_id_from_version_id" from table: "attempts"
CREATE INDEX "attempt_rollout_id_from_version_id" ON "attempts" ("rollout_id", "from_version", "id") WHERE ((outcome > 1) AND (outcome < 5));
-- reverse: drop index "attempt_rollout_id_code_id" from table: "attempts"
CREATE INDEX "attempt_rollout_id_code_id" ON "attempts" ("rollout_id", "code", "id") WHERE ((outcome > 1) AND (outcome < 5));
