-- +goose Up
-- create "imports" table
CREATE TABLE `imports` (`id` uuid NOT NULL, `source` text NOT NULL, `place` text NOT NULL, `by` text NOT NULL, `started_at` datetime NOT NULL, `ended_at` datetime NULL, `counts` text NOT NULL DEFAULT ('[]'), `notes` text NOT NULL DEFAULT ('[]'), `prints` text NOT NULL DEFAULT ('{}'), PRIMARY KEY (`id`));

-- +goose Down
-- reverse: create "imports" table
DROP TABLE `imports`;
