-- +goose Up
-- create "reboot_slots" table
CREATE TABLE "reboot_slots" ("id" uuid NOT NULL, "application_id" uuid NOT NULL, "lock_id" character varying NOT NULL, "instance_id" uuid NULL, "version" character varying NOT NULL DEFAULT '', "address" character varying NOT NULL DEFAULT '', "reason" character varying NOT NULL DEFAULT '', "asked_at" timestamptz NOT NULL, "renewed_at" timestamptz NOT NULL, "taken_at" timestamptz NULL, "overdue_at" timestamptz NULL, "lost_at" timestamptz NULL, "group_id" uuid NOT NULL, PRIMARY KEY ("id"), CONSTRAINT "reboot_slots_groups_reboot_slots" FOREIGN KEY ("group_id") REFERENCES "groups" ("id") ON UPDATE NO ACTION ON DELETE CASCADE);
-- create index "rebootslot_group_id_lock_id" to table: "reboot_slots"
CREATE UNIQUE INDEX "rebootslot_group_id_lock_id" ON "reboot_slots" ("group_id", "lock_id");
-- create index "rebootslot_group_id_lost_at" to table: "reboot_slots"
CREATE INDEX "rebootslot_group_id_lost_at" ON "reboot_slots" ("group_id", "lost_at") WHERE (lost_at IS NOT NULL);
-- create index "rebootslot_group_id_taken_at" to table: "reboot_slots"
CREATE INDEX "rebootslot_group_id_taken_at" ON "reboot_slots" ("group_id", "taken_at") WHERE (taken_at IS NOT NULL);
-- create index "rebootslot_instance_id" to table: "reboot_slots"
CREATE INDEX "rebootslot_instance_id" ON "reboot_slots" ("instance_id") WHERE (instance_id IS NOT NULL);
-- create index "rebootslot_lock_id" to table: "reboot_slots"
CREATE INDEX "rebootslot_lock_id" ON "reboot_slots" ("lock_id");
-- create index "rebootslot_renewed_at" to table: "reboot_slots"
CREATE INDEX "rebootslot_renewed_at" ON "reboot_slots" ("renewed_at");

-- +goose Down
-- reverse: create index "rebootslot_renewed_at" to table: "reboot_slots"
DROP INDEX "rebootslot_renewed_at";
-- reverse: create index "rebootslot_lock_id" to table: "reboot_slots"
DROP INDEX "rebootslot_lock_id";
-- reverse: create index "rebootslot_instance_id" to table: "reboot_slots"
DROP INDEX "rebootslot_instance_id";
-- reverse: create index "rebootslot_group_id_taken_at" to table: "reboot_slots"
DROP INDEX "rebootslot_group_id_taken_at";
-- reverse: create index "rebootslot_group_id_lost_at" to table: "reboot_slots"
DROP INDEX "rebootslot_group_id_lost_at";
-- reverse: create index "rebootslot_group_id_lock_id" to table: "reboot_slots"
DROP INDEX "rebootslot_group_id_lock_id";
-- reverse: create "reboot_slots" table
DROP TABLE "reboot_slots";
