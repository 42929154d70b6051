package view

import (
	"context"

	"github.com/google/uuid"

	"github.com/coreroller/coreroller/ent/db"
	"github.com/coreroller/coreroller/ent/db/blacklisting"
	"github.com/coreroller/coreroller/ent/db/channel"
	"github.com/coreroller/coreroller/ent/db/floor"
	"github.com/coreroller/coreroller/ent/db/group"
)

// Channel reads one channel.
func (s *Service) Channel(ctx context.Context, id uuid.UUID, with With) (*db.Channel, error) {
	return one(ctx, "channel", with.channels(s.db().Channel.Query().Where(channel.ID(id))).Only)
}

// ChannelIDs reads the ids of the channels of an application, by name.
func (s *Service) ChannelIDs(ctx context.Context, app uuid.UUID) ([]uuid.UUID, error) {
	q := s.db().Channel.Query().Where(channel.ApplicationID(app)).Select(channel.FieldID, channel.FieldName, channel.FieldArch)
	rows, err := read(ctx, "channels", q.All)
	return sortedIDs(rows, err, channelKey, byName)
}

// ChannelsByID reads channels in the order of their ids. Missing ones are left out.
func (s *Service) ChannelsByID(ctx context.Context, ids []uuid.UUID, with With) ([]*db.Channel, error) {
	rows, err := read(ctx, "channels", with.channels(s.db().Channel.Query().Where(channel.IDIn(ids...))).All)
	return inOrderOf(ids, rows, func(c *db.Channel) uuid.UUID { return c.ID }), err
}

// ChannelFloors returns the floors of a channel, lowest version first. It reads
// them unless they were loaded with the channel.
func (s *Service) ChannelFloors(ctx context.Context, c *db.Channel, with With) ([]*db.Floor, error) {
	rows, err := c.Edges.FloorsOrErr()
	if db.IsNotLoaded(err) {
		rows, err = read(ctx, "floors", with.floors(s.db().Floor.Query().Where(floor.ChannelID(c.ID))).All)
	}
	return sorted(rows, floorKey, lowestVersion), err
}

// ChannelBlacklistings returns the blacklistings of a channel. It reads them
// unless they were loaded with the channel.
func (s *Service) ChannelBlacklistings(ctx context.Context, c *db.Channel, with With) ([]*db.Blacklisting, error) {
	rows, err := c.Edges.BlacklistingsOrErr()
	if db.IsNotLoaded(err) {
		rows, err = read(ctx, "blacklistings", with.blacklistings(s.db().Blacklisting.Query().Where(blacklisting.ChannelID(c.ID))).All)
	}
	return rows, err
}

// ChannelGroups returns the groups of a channel by name. It reads them unless
// they were loaded with the channel.
func (s *Service) ChannelGroups(ctx context.Context, c *db.Channel, with With) ([]*db.Group, error) {
	rows, err := c.Edges.GroupsOrErr()
	if db.IsNotLoaded(err) {
		rows, err = read(ctx, "groups", with.groups(s.db().Group.Query().Where(group.ChannelID(c.ID))).All)
	}
	return sorted(rows, groupKey, byName), err
}
