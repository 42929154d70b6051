-- +goose Up
-- modify "deliveries" table
ALTER TABLE "deliveries" ADD COLUMN "failed_at" timestamptz NULL;
-- create index "delivery_failed_at" to table: "deliveries"
CREATE INDEX "delivery_failed_at" ON "deliveries" ("failed_at") WHERE (failed_at IS NOT NULL);
-- create index "delivery_notifier_id_failed_at" to table: "deliveries"
CREATE INDEX "delivery_notifier_id_failed_at" ON "deliveries" ("notifier_id", "failed_at") WHERE (failed_at IS NOT NULL);

-- +goose Down
-- reverse: create index "delivery_notifier_id_failed_at" to table: "deliveries"
DROP INDEX "delivery_notifier_id_failed_at";
-- reverse: create index "delivery_failed_at" to table: "deliveries"
DROP INDEX "delivery_failed_at";
-- reverse: modify "deliveries" table
ALTER TABLE "deliveries" DROP COLUMN "failed_at";
