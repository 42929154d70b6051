-- +goose Up
-- drop index "instance_group_id_machine_id" from table: "instances"
DROP INDEX `instance_group_id_machine_id`;
-- drop index "instance_group_id_state_machine_id" from table: "instances"
DROP INDEX `instance_group_id_state_machine_id`;
-- drop index "instance_group_id_version_machine_id" from table: "instances"
DROP INDEX `instance_group_id_version_machine_id`;
-- create index "instance_stretch" to table: "instances"
CREATE INDEX `instance_stretch` ON `instances` (`group_id`, `version`, `state`, `reason`, `standing`, `machine_id`, `oem`);
-- create index "instance_group_id_oem_machine_id" to table: "instances"
CREATE INDEX `instance_group_id_oem_machine_id` ON `instances` (`group_id`, `oem`, `machine_id`);

-- +goose Down
-- reverse: create index "instance_group_id_oem_machine_id" to table: "instances"
DROP INDEX `instance_group_id_oem_machine_id`;
-- reverse: create index "instance_stretch" to table: "instances"
DROP INDEX `instance_stretch`;
-- reverse: drop index "instance_group_id_version_machine_id" from table: "instances"
CREATE INDEX `instance_group_id_version_machine_id` ON `instances` (`group_id`, `version`, `machine_id`);
-- reverse: drop index "instance_group_id_state_machine_id" from table: "instances"
CREATE INDEX `instance_group_id_state_machine_id` ON `instances` (`group_id`, `state`, `machine_id`);
-- reverse: drop index "instance_group_id_machine_id" from table: "instances"
CREATE INDEX `instance_group_id_machine_id` ON `instances` (`group_id`, `machine_id`);
