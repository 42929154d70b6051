-- +goose Up
-- The id of a machine is made from application and machine id: it is unique because the primary key is.
DROP INDEX `instance_application_id_machine_id`;
CREATE INDEX `instance_application_id_machine_id` ON `instances` (`application_id`, `machine_id`);

-- +goose Down
DROP INDEX `instance_application_id_machine_id`;
CREATE UNIQUE INDEX `instance_application_id_machine_id` ON `instances` (`application_id`, `machine_id`);
