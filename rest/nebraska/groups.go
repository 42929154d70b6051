package nebraska

import (
	"context"
	"strconv"
	"time"

	"github.com/google/uuid"

	"github.com/coreroller/coreroller/ent/db"
	"github.com/coreroller/coreroller/fleet"
	"github.com/coreroller/coreroller/fleet/view"
	"github.com/coreroller/coreroller/rest/endpoint"
	"github.com/coreroller/coreroller/rollout/policy"
)

// groupJSON is a group with its channel.
type groupJSON struct {
	ID                        uuid.UUID    `json:"id"`
	Name                      string       `json:"name"`
	Description               string       `json:"description"`
	CreatedTS                 time.Time    `json:"created_ts"`
	RolloutInProgress         bool         `json:"rollout_in_progress"` // an update was granted, and the rollout is not finished
	ApplicationID             uuid.UUID    `json:"application_id"`
	ChannelID                 *uuid.UUID   `json:"channel_id"`
	PolicyUpdatesEnabled      bool         `json:"policy_updates_enabled"` // neither paused nor halted
	PolicySafeMode            bool         `json:"policy_safe_mode"`
	PolicyOfficeHours         bool         `json:"policy_office_hours"`
	PolicyTimezone            *string      `json:"policy_timezone"`
	PolicyPeriodInterval      string       `json:"policy_period_interval"`
	PolicyMaxUpdatesPerPeriod int          `json:"policy_max_updates_per_period"`
	PolicyUpdateTimeout       string       `json:"policy_update_timeout"`
	Channel                   *channelJSON `json:"channel,omitempty"`
	Track                     string       `json:"track"`
}

// groupsJSON converts groups with loaded channels, with one statement.
func (h *Handler) groupsJSON(ctx context.Context, rows []*db.Group) ([]*groupJSON, error) {
	if len(rows) == 0 {
		return []*groupJSON{}, nil
	}
	current, err := h.Fleet.View.CurrentRollouts(ctx, endpoint.Each(rows, func(g *db.Group) uuid.UUID { return g.ID }))
	if err != nil {
		return nil, err
	}
	return endpoint.Each(rows, func(g *db.Group) *groupJSON { return groupOf(g, current[g.ID]) }), nil
}

func groupOf(row *db.Group, current *db.GroupRollout) *groupJSON {
	p := row.Policy
	halted, started := endpoint.Stage(current)
	return &groupJSON{
		ID: row.ID, Name: row.Name, Description: row.Description, CreatedTS: row.CreatedAt.UTC(), ApplicationID: row.ApplicationID,
		ChannelID: row.ChannelID, RolloutInProgress: started, PolicyUpdatesEnabled: p.UpdatesEnabled && !halted, PolicySafeMode: p.SafeMode,
		PolicyOfficeHours: p.OfficeHours, PolicyTimezone: endpoint.OrNull(p.Timezone), PolicyPeriodInterval: interval(p.PeriodInterval),
		PolicyMaxUpdatesPerPeriod: p.MaxUpdatesPerPeriod, PolicyUpdateTimeout: interval(p.UpdateTimeout),
		Channel: channelOf(row.Edges.Channel), Track: row.Track,
	}
}

// interval writes a duration in minutes if it is a number of them, in the plural, because
// tools compare the text with what they sent, and most send that.
func interval(d time.Duration) string {
	if d%time.Minute == 0 {
		return strconv.FormatInt(int64(d/time.Minute), 10) + " minutes"
	}
	return endpoint.FormatInterval(d)
}

func (h *Handler) groupRoutes() endpoint.Noun[*groupJSON] {
	return endpoint.Noun[*groupJSON]{
		PerPage: perPage, In: of("groups"), Name: "group", On: h.Server, IDs: h.Fleet.View.GroupIDs, Make: h.createGroup, Change: h.updateGroup,
		Rows: func(ctx context.Context, ids []uuid.UUID) ([]*groupJSON, error) {
			rows, err := h.Fleet.View.GroupsByID(ctx, ids, view.Edge("channel", wholeChannel()))
			if err != nil {
				return nil, err
			}
			return h.groupsJSON(ctx, rows)
		},
		Owner: endpoint.OwnerOf(h.Fleet.View.Group, func(row *db.Group) uuid.UUID { return row.ApplicationID }),
		Drop: func(ctx context.Context, id uuid.UUID, force bool) error {
			return h.Fleet.DeleteGroup(ctx, fleet.DeleteGroup{ID: id, Force: force})
		},
	}
}

// newGroup reads a group. Policy fields that Nebraska does not have keep their value.
func newGroup(b *endpoint.Body) (in fleet.ReplaceGroup, track string, err error) {
	b.Required("name")
	in.Name, in.Description, in.ChannelID, track = b.Text("name"), b.Text("description"), b.ID("channel_id"), b.Text("track")
	in.Policy = b.Policy()
	b.Only("id", "created_ts", "application_id", "rollout_in_progress", "channel", "version_breakdown", "instances_stats")
	return in, track, b.Err()
}

// createGroup creates a group. As in Nebraska its track is its id, unless it has one.
func (h *Handler) createGroup(ctx context.Context, app uuid.UUID, b *endpoint.Body) (uuid.UUID, error) {
	newID(b)
	in, track, err := newGroup(b)
	if err != nil {
		return uuid.Nil, err
	}
	p := in.Policy(policy.Default())
	row, err := h.Fleet.CreateGroup(ctx, fleet.CreateGroup{
		ApplicationID: app, Name: in.Name, Description: in.Description, ChannelID: in.ChannelID, Track: track, TrackIsID: track == "", Policy: &p,
	})
	if err != nil {
		return uuid.Nil, err
	}
	return row.ID, nil
}

func (h *Handler) updateGroup(ctx context.Context, id uuid.UUID, b *endpoint.Body) error {
	keepID(b, id)
	in, track, err := newGroup(b)
	if err != nil {
		return err
	}
	if track == "" {
		track = id.String()
	}
	in.ID, in.Track = id, &track
	_, err = h.Fleet.ReplaceGroup(ctx, in)
	return err
}
