-- +goose Up
-- modify "attempts" table
ALTER TABLE "attempts" DROP CONSTRAINT "attempts_instances_attempts";
-- modify "history_entries" table
ALTER TABLE "history_entries" DROP CONSTRAINT "history_entries_instances_history";

-- +goose Down
-- reverse: modify "history_entries" table
ALTER TABLE "history_entries" ADD CONSTRAINT "history_entries_instances_history" FOREIGN KEY ("instance_id") REFERENCES "instances" ("id") ON UPDATE NO ACTION ON DELETE CASCADE;
-- reverse: modify "attempts" table
ALTER TABLE "attempts" ADD CONSTRAINT "attempts_instances_attempts" FOREIGN KEY ("instance_id") REFERENCES "instances" ("id") ON UPDATE NO ACTION ON DELETE CASCADE;
