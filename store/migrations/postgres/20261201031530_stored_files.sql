-- +goose Up
-- modify "packages" table
ALTER TABLE "packages" ADD COLUMN "hosted" boolean NOT NULL DEFAULT false, ADD COLUMN "source_url" character varying NOT NULL DEFAULT '';
-- create "stored_files" table
CREATE TABLE "stored_files" ("id" uuid NOT NULL, "name" character varying NOT NULL, "payload" boolean NOT NULL, "size" bigint NOT NULL, "sha1" character varying NOT NULL, "sha256" character varying NOT NULL, "stored_at" timestamptz NOT NULL, "stored_by" character varying NOT NULL DEFAULT '', "downloads" bigint NOT NULL DEFAULT 0, "package_id" uuid NOT NULL, PRIMARY KEY ("id"), CONSTRAINT "stored_files_packages_stored" FOREIGN KEY ("package_id") REFERENCES "packages" ("id") ON UPDATE NO ACTION ON DELETE CASCADE);
-- create index "storedfile_package_id_name" to table: "stored_files"
CREATE UNIQUE INDEX "storedfile_package_id_name" ON "stored_files" ("package_id", "name");
-- create index "storedfile_sha256" to table: "stored_files"
CREATE INDEX "storedfile_sha256" ON "stored_files" ("sha256");

-- +goose Down
-- reverse: create index "storedfile_sha256" to table: "stored_files"
DROP INDEX "storedfile_sha256";
-- reverse: create index "storedfile_package_id_name" to table: "stored_files"
DROP INDEX "storedfile_package_id_name";
-- reverse: create "stored_files" table
DROP TABLE "stored_files";
-- reverse: modify "packages" table
ALTER TABLE "packages" DROP COLUMN "source_url", DROP COLUMN "hosted";
