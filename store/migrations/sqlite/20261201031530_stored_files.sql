-- +goose Up
-- disable the enforcement of foreign-keys constraints
PRAGMA foreign_keys = off;
-- create "new_packages" table
CREATE TABLE `new_packages` (`id` uuid NOT NULL, `type` integer NOT NULL, `arch` text NOT NULL DEFAULT ('amd64'), `version` text NOT NULL, `url` text NOT NULL, `filename` text NOT NULL DEFAULT (''), `size` integer NOT NULL DEFAULT (0), `sha1` text NOT NULL DEFAULT (''), `sha256` text NOT NULL DEFAULT (''), `description` text NOT NULL DEFAULT (''), `hosted` bool NOT NULL DEFAULT (false), `source_url` text NOT NULL DEFAULT (''), `created_at` datetime NOT NULL, `application_id` uuid NOT NULL, PRIMARY KEY (`id`), CONSTRAINT `packages_applications_packages` FOREIGN KEY (`application_id`) REFERENCES `applications` (`id`) ON DELETE CASCADE);
-- copy rows from old table "packages" to new temporary table "new_packages"
INSERT INTO `new_packages` (`id`, `type`, `arch`, `version`, `url`, `filename`, `size`, `sha1`, `sha256`, `description`, `created_at`, `application_id`) SELECT `id`, `type`, `arch`, `version`, `url`, `filename`, `size`, `sha1`, `sha256`, `description`, `created_at`, `application_id` FROM `packages`;
-- drop "packages" table after copying rows
DROP TABLE `packages`;
-- rename temporary table "new_packages" to "packages"
ALTER TABLE `new_packages` RENAME TO `packages`;
-- create index "release_application_id_arch_version" to table: "packages"
CREATE UNIQUE INDEX `release_application_id_arch_version` ON `packages` (`application_id`, `arch`, `version`);
-- create "stored_files" table
CREATE TABLE `stored_files` (`id` uuid NOT NULL, `name` text NOT NULL, `payload` bool NOT NULL, `size` integer NOT NULL, `sha1` text NOT NULL, `sha256` text NOT NULL, `stored_at` datetime NOT NULL, `stored_by` text NOT NULL DEFAULT (''), `downloads` integer NOT NULL DEFAULT (0), `package_id` uuid NOT NULL, PRIMARY KEY (`id`), CONSTRAINT `stored_files_packages_stored` FOREIGN KEY (`package_id`) REFERENCES `packages` (`id`) ON DELETE CASCADE);
-- create index "storedfile_package_id_name" to table: "stored_files"
CREATE UNIQUE INDEX `storedfile_package_id_name` ON `stored_files` (`package_id`, `name`);
-- create index "storedfile_sha256" to table: "stored_files"
CREATE INDEX `storedfile_sha256` ON `stored_files` (`sha256`);
-- enable back the enforcement of foreign-keys constraints
PRAGMA foreign_keys = on;

-- +goose Down
-- reverse: create index "storedfile_sha256" to table: "stored_files"
DROP INDEX `storedfile_sha256`;
-- reverse: create index "storedfile_package_id_name" to table: "stored_files"
DROP INDEX `storedfile_package_id_name`;
-- reverse: create "stored_files" table
DROP TABLE `stored_files`;
-- reverse: create index "release_application_id_arch_version" to table: "packages"
DROP INDEX `release_application_id_arch_version`;
-- reverse: create "new_packages" table
DROP TABLE `new_packages`;
