-- +goose Up
-- disable the enforcement of foreign-keys constraints
PRAGMA foreign_keys = off;
-- create "new_audits" table
CREATE TABLE `new_audits` (`id` uuid NOT NULL, `at` datetime NOT NULL, `team_id` uuid NOT NULL, `actor` text NOT NULL, `credential` text NOT NULL, `verb` text NOT NULL, `object` text NOT NULL, `object_id` uuid NOT NULL, `application_id` uuid NULL, `before` text NOT NULL DEFAULT (''), `after` text NOT NULL DEFAULT (''), `reason` text NOT NULL DEFAULT (''), `address` text NOT NULL DEFAULT (''), `seq` integer NULL, `previous` text NOT NULL DEFAULT (''), `hash` text NOT NULL DEFAULT (''), PRIMARY KEY (`id`));
-- copy rows from old table "audits" to new temporary table "new_audits"
INSERT INTO `new_audits` (`id`, `at`, `team_id`, `actor`, `credential`, `verb`, `object`, `object_id`, `application_id`, `before`, `after`, `reason`) SELECT `id`, `at`, `team_id`, `actor`, `credential`, `verb`, `object`, `object_id`, `application_id`, `before`, `after`, `reason` FROM `audits`;
-- drop "audits" table after copying rows
DROP TABLE `audits`;
-- rename temporary table "new_audits" to "audits"
ALTER TABLE `new_audits` RENAME TO `audits`;
-- create index "audit_application_id_id" to table: "audits"
CREATE INDEX `audit_application_id_id` ON `audits` (`application_id`, `id`);
-- create index "audit_object_id_id" to table: "audits"
CREATE INDEX `audit_object_id_id` ON `audits` (`object_id`, `id`);
-- create index "audit_seq" to table: "audits"
CREATE UNIQUE INDEX `audit_seq` ON `audits` (`seq`);
-- create "audit_heads" table
CREATE TABLE `audit_heads` (`id` integer NOT NULL PRIMARY KEY AUTOINCREMENT, `seq` integer NOT NULL, `hash` text NOT NULL, `at` datetime NOT NULL);
-- enable back the enforcement of foreign-keys constraints
PRAGMA foreign_keys = on;
-- rows are only appended, each with its place in the chain
-- +goose StatementBegin
CREATE TRIGGER `audits_keep` BEFORE UPDATE ON `audits` BEGIN
  SELECT RAISE(ABORT, 'audits is append-only, and every new row is in the chain');
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER `audits_keep_rows` BEFORE DELETE ON `audits` BEGIN
  SELECT RAISE(ABORT, 'audits is append-only, and every new row is in the chain');
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER `audits_chained` BEFORE INSERT ON `audits` WHEN NEW.seq IS NULL BEGIN
  SELECT RAISE(ABORT, 'audits is append-only, and every new row is in the chain');
END;
-- +goose StatementEnd

-- +goose Down
DROP TRIGGER `audits_chained`;
DROP TRIGGER `audits_keep_rows`;
DROP TRIGGER `audits_keep`;
-- reverse: create "audit_heads" table
DROP TABLE `audit_heads`;
-- reverse: create index "audit_seq" to table: "audits"
DROP INDEX `audit_seq`;
-- reverse: create index "audit_object_id_id" to table: "audits"
DROP INDEX `audit_object_id_id`;
-- reverse: create index "audit_application_id_id" to table: "audits"
DROP INDEX `audit_application_id_id`;
-- reverse: create "new_audits" table
DROP TABLE `new_audits`;
