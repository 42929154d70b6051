-- +goose Up
-- create "refused_requests" table
CREATE TABLE `refused_requests` (`id` uuid NOT NULL, `reason` text NOT NULL, `app` text NOT NULL, `track` text NOT NULL, `version` text NOT NULL, `board` text NOT NULL, `requests` integer NOT NULL, `first_seen_at` datetime NOT NULL, `last_seen_at` datetime NOT NULL, `address` text NOT NULL DEFAULT (''), PRIMARY KEY (`id`));
-- create index "refusedrequest_last_seen_at_id" to table: "refused_requests"
CREATE INDEX `refusedrequest_last_seen_at_id` ON `refused_requests` (`last_seen_at`, `id`);

-- +goose Down
-- reverse: create index "refusedrequest_last_seen_at_id" to table: "refused_requests"
DROP INDEX `refusedrequest_last_seen_at_id`;
-- reverse: create "refused_requests" table
DROP TABLE `refused_requests`;
