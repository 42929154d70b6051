-- +goose Up
-- modify "deliveries" table
ALTER TABLE "deliveries" ADD COLUMN "failed_at" timestamptz NULL;
-- create index "delivery_failed_at_notifier_id" to table: "deliveries"
CREATE INDEX "delivery_failed_at_notifier_id" ON "deliveries" ("failed_at", "notifier_id") WHERE (failed_at IS NOT NULL);

-- +goose Down
-- reverse: create index "delivery_failed_at_notifier_id" to table: "deliveries"
DROP INDEX "delivery_failed_at_notifier_id";
-- reverse: modify "deliveries" table
ALTER TABLE "deliveries" DROP COLUMN "failed_at";
