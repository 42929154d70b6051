-- +goose Up
-- modify "blacklistings" table
ALTER TABLE "blacklistings" ADD COLUMN "recalled" boolean NOT NULL DEFAULT false;
-- modify "channels" table
ALTER TABLE "channels" ADD COLUMN "revision" bigint NOT NULL DEFAULT 0;
-- modify "instances" table
ALTER TABLE "instances" ADD COLUMN "offer_leaves" character varying NOT NULL DEFAULT '';
-- modify "rollouts" table
ALTER TABLE "rollouts" ADD COLUMN "recalled" jsonb NULL;
-- create "promotions" table
CREATE TABLE "promotions" ("id" uuid NOT NULL, "package_id" uuid NULL, "version" character varying NOT NULL DEFAULT '', "rolled_back" boolean NOT NULL DEFAULT false, "reason" character varying NOT NULL DEFAULT '', "created_by" character varying NOT NULL DEFAULT '', "created_at" timestamptz NOT NULL, "ended_at" timestamptz NULL, "channel_id" uuid NOT NULL, PRIMARY KEY ("id"), CONSTRAINT "promotions_channels_promotions" FOREIGN KEY ("channel_id") REFERENCES "channels" ("id") ON UPDATE NO ACTION ON DELETE CASCADE);
-- create index "promotion_channel_id_id" to table: "promotions"
CREATE INDEX "promotion_channel_id_id" ON "promotions" ("channel_id", "id");

-- +goose Down
-- reverse: create index "promotion_channel_id_id" to table: "promotions"
DROP INDEX "promotion_channel_id_id";
-- reverse: create "promotions" table
DROP TABLE "promotions";
-- reverse: modify "rollouts" table
ALTER TABLE "rollouts" DROP COLUMN "recalled";
-- reverse: modify "instances" table
ALTER TABLE "instances" DROP COLUMN "offer_leaves";
-- reverse: modify "channels" table
ALTER TABLE "channels" DROP COLUMN "revision";
-- reverse: modify "blacklistings" table
ALTER TABLE "blacklistings" DROP COLUMN "recalled";
