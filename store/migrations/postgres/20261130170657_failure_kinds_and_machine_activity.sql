-- +goose Up
-- create index "activity_instance_id_id" to table: "activities"
CREATE INDEX "activity_instance_id_id" ON "activities" ("instance_id", "id");
-- modify "rollouts" table
ALTER TABLE "rollouts" ADD COLUMN "failure_kinds" jsonb NULL;

-- +goose Down
-- reverse: modify "rollouts" table
ALTER TABLE "rollouts" DROP COLUMN "failure_kinds";
-- reverse: create index "activity_instance_id_id" to table: "activities"
DROP INDEX "activity_instance_id_id";
