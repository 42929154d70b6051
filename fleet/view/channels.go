package view

import (
	"context"

	"github.com/google/uuid"

	"github.com/coreroller/coreroller/ent/db"
	"github.com/coreroller/coreroller/ent/db/application"
	"github.com/coreroller/coreroller/ent/db/blacklisting"
	"github.com/coreroller/coreroller/ent/db/channel"
	"github.com/coreroller/coreroller/ent/db/floor"
	"github.com/coreroller/coreroller/ent/db/group"
	"github.com/coreroller/coreroller/ent/db/promotion"
)

// Channel reads one channel.
func (s *Service) Channel(ctx context.Context, id uuid.UUID, with With) (*db.Channel, error) {
	return one(ctx, "channel", loading(s.db().Channel.Query().Where(channel.ID(id), channel.HasApplicationWith(application.DeletedAtIsNil())), with.channels).Only)
}

// ChannelIDs reads the ids of the channels of an application, by name.
func (s *Service) ChannelIDs(ctx context.Context, app uuid.UUID) ([]uuid.UUID, error) {
	q := s.db().Channel.Query().Where(channel.ApplicationID(app)).Select(channel.FieldID, channel.FieldName, channel.FieldArch)
	rows, err := read(ctx, "channels", q.All)
	return sortedIDs(rows, err, channelKey, byName)
}

// ChannelsByID reads channels in the order of their ids. Missing ones are left out.
func (s *Service) ChannelsByID(ctx context.Context, ids []uuid.UUID, with With) ([]*db.Channel, error) {
	rows, err := read(ctx, "channels", loading(s.db().Channel.Query().Where(channel.IDIn(ids...)), with.channels).All)
	return inOrderOf(ids, rows, func(c *db.Channel) uuid.UUID { return c.ID }), err
}

// ChannelFloors returns the floors of a channel, lowest version first. It reads
// them unless they were loaded with the channel.
func (s *Service) ChannelFloors(ctx context.Context, c *db.Channel, with With) ([]*db.Floor, error) {
	rows, err := edge(ctx, c.Edges.FloorsOrErr, s.db().Floor.Query, floor.ChannelID(c.ID), with.floors)
	return sorted(rows, floorKey, lowestVersion), err
}

// ChannelBlacklistings returns the blacklistings of a channel. It reads them
// unless they were loaded with the channel.
func (s *Service) ChannelBlacklistings(ctx context.Context, c *db.Channel, with With) ([]*db.Blacklisting, error) {
	return edge(ctx, c.Edges.BlacklistingsOrErr, s.db().Blacklisting.Query, blacklisting.ChannelID(c.ID), with.blacklistings)
}

// Promotions returns what a channel was pointed to, the latest first.
func (s *Service) Promotions(channel uuid.UUID) *List[*db.Promotion] {
	return listOf(s.db().Promotion.Query().Where(promotion.ChannelID(channel)), byID(func(p *db.Promotion) uuid.UUID { return p.ID }))
}

// ChannelGroups returns the groups of a channel by name. It reads them unless
// they were loaded with the channel.
func (s *Service) ChannelGroups(ctx context.Context, c *db.Channel, with With) ([]*db.Group, error) {
	rows, err := edge(ctx, c.Edges.GroupsOrErr, s.db().Group.Query, group.ChannelID(c.ID), with.groups)
	return sorted(rows, groupKey, byName), err
}
