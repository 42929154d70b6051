-- +goose Up
ALTER TABLE groups ALTER COLUMN description TYPE varchar;
