-- +goose Up
-- add column "identity" to table: "users"
ALTER TABLE `users` ADD COLUMN `identity` text NULL;
-- create index "users_identity_key" to table: "users"
CREATE UNIQUE INDEX `users_identity_key` ON `users` (`identity`);

-- +goose Down
-- reverse: create index "users_identity_key" to table: "users"
DROP INDEX `users_identity_key`;
-- reverse: add column "identity" to table: "users"
ALTER TABLE `users` DROP COLUMN `identity`;
