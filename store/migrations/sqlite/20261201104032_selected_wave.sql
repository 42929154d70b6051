-- +goose Up
-- written by hand: Atlas would copy the table
ALTER TABLE `instances` ADD COLUMN `selected_wave` integer NOT NULL DEFAULT 0;

-- +goose Down
ALTER TABLE `instances` DROP COLUMN `selected_wave`;
