-- +goose Up
-- modify "applications" table
ALTER TABLE "applications" ADD COLUMN "request_attributes" jsonb NULL, ADD COLUMN "request_attributes_revision" bigint NOT NULL DEFAULT 0, ADD COLUMN "removed_request_attributes" character varying NOT NULL DEFAULT '';
-- modify "instances" table
ALTER TABLE "instances" ADD COLUMN "request_attributes" character varying NOT NULL DEFAULT '';
-- modify "machine_labels" table
ALTER TABLE "machine_labels" ADD COLUMN "sent" boolean NOT NULL DEFAULT false;
-- create index "machinelabel_application_id_name" to table: "machine_labels"
CREATE INDEX "machinelabel_application_id_name" ON "machine_labels" ("application_id", "name") WHERE sent;

-- +goose Down
-- reverse: create index "machinelabel_application_id_name" to table: "machine_labels"
DROP INDEX "machinelabel_application_id_name";
-- reverse: modify "machine_labels" table
ALTER TABLE "machine_labels" DROP COLUMN "sent";
-- reverse: modify "instances" table
ALTER TABLE "instances" DROP COLUMN "request_attributes";
-- reverse: modify "applications" table
ALTER TABLE "applications" DROP COLUMN "removed_request_attributes", DROP COLUMN "request_attributes_revision", DROP COLUMN "request_attributes";
