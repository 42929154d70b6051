-- +goose Up
-- The id of a machine is made from application and machine id: it is unique because the primary key is.
DROP INDEX "instance_application_id_machine_id";
CREATE INDEX "instance_application_id_machine_id" ON "instances" ("application_id", "machine_id");
-- Room on the page of each row for its next version: then an update that changes no indexed column leaves the
-- indexes alone, and any other one writes one page instead of two. The rows of the other tables are few and are
-- written with every batch.
ALTER TABLE "instances" SET (fillfactor = 75);
ALTER TABLE "ledgers" SET (fillfactor = 25);
ALTER TABLE "rollouts" SET (fillfactor = 50);
ALTER TABLE "group_counts" SET (fillfactor = 50);
ALTER TABLE "waves" SET (fillfactor = 50);

-- +goose Down
ALTER TABLE "instances" RESET (fillfactor);
ALTER TABLE "ledgers" RESET (fillfactor);
ALTER TABLE "rollouts" RESET (fillfactor);
ALTER TABLE "group_counts" RESET (fillfactor);
ALTER TABLE "waves" RESET (fillfactor);
DROP INDEX "instance_application_id_machine_id";
CREATE UNIQUE INDEX "instance_application_id_machine_id" ON "instances" ("application_id", "machine_id");
