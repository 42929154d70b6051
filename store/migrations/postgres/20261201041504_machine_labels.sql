-- +goose Up
-- modify "machine_jobs" table
ALTER TABLE "machine_jobs" ADD COLUMN "labels" character varying NOT NULL DEFAULT '';
-- create "machine_labels" table
CREATE TABLE "machine_labels" ("id" uuid NOT NULL, "application_id" uuid NOT NULL, "machine_id" character varying NOT NULL, "tag" boolean NOT NULL, "name" character varying NOT NULL, "value" character varying NOT NULL DEFAULT '', "set_by" character varying NOT NULL, "set_at" timestamptz NOT NULL, "instance_id" uuid NOT NULL, PRIMARY KEY ("id"), CONSTRAINT "machine_labels_instances_labels" FOREIGN KEY ("instance_id") REFERENCES "instances" ("id") ON UPDATE NO ACTION ON DELETE CASCADE);
-- create index "machinelabel_instance_id_tag_name" to table: "machine_labels"
CREATE UNIQUE INDEX "machinelabel_instance_id_tag_name" ON "machine_labels" ("instance_id", "tag", "name");
-- create index "machinelabel_tag_name_value_application_id_machine_id" to table: "machine_labels"
CREATE INDEX "machinelabel_tag_name_value_application_id_machine_id" ON "machine_labels" ("tag", "name", "value", "application_id", "machine_id");

-- +goose Down
-- reverse: create index "machinelabel_tag_name_value_application_id_machine_id" to table: "machine_labels"
DROP INDEX "machinelabel_tag_name_value_application_id_machine_id";
-- reverse: create index "machinelabel_instance_id_tag_name" to table: "machine_labels"
DROP INDEX "machinelabel_instance_id_tag_name";
-- reverse: create "machine_labels" table
DROP TABLE "machine_labels";
-- reverse: modify "machine_jobs" table
ALTER TABLE "machine_jobs" DROP COLUMN "labels";
