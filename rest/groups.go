package rest

import (
	"context"
	"time"

	"github.com/google/uuid"

	"github.com/coreroller/coreroller/ent/db"
	"github.com/coreroller/coreroller/fleet"
	"github.com/coreroller/coreroller/fleet/view"
	"github.com/coreroller/coreroller/rest/endpoint"
	"github.com/coreroller/coreroller/rollout"
	"github.com/coreroller/coreroller/rollout/policy"
)

// groupJSON is a group with its channel and counts of its machines, all of them
// seen within 24 hours.
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
	VersionBreakdown          []shareJSON  `json:"version_breakdown"`
	Channel                   *channelJSON `json:"channel,omitempty"`
	InstancesStats            statsJSON    `json:"instances_stats"`
}

// shareJSON counts the machines that run one version.
type shareJSON struct {
	Version    string  `json:"version"`
	Instances  int     `json:"instances"`
	Percentage float64 `json:"percentage"` // of the total
}

// statsJSON counts machines by state.
type statsJSON struct {
	Total         int `json:"total"`
	Undefined     int `json:"undefined"`
	UpdateGranted int `json:"update_granted"`
	Error         int `json:"error"`
	Complete      int `json:"complete"`
	Installed     int `json:"installed"`
	Downloaded    int `json:"downloaded"`
	Downloading   int `json:"downloading"`
	OnHold        int `json:"onhold"`
}

// groupsJSON converts groups with loaded channels, in a fixed number of statements.
func (h *Handler) groupsJSON(ctx context.Context, rows []*db.Group) ([]*groupJSON, error) {
	if len(rows) == 0 {
		return []*groupJSON{}, nil
	}
	ids := endpoint.Each(rows, func(g *db.Group) uuid.UUID { return g.ID })
	numbers, err := h.Fleet.View.ManyGroupNumbers(ctx, ids)
	if err != nil {
		return nil, err
	}
	current, err := h.Fleet.View.CurrentRollouts(ctx, ids)
	if err != nil {
		return nil, err
	}
	return endpoint.Each(rows, func(g *db.Group) *groupJSON { return groupOf(g, numbers[g.ID], current[g.ID]) }), nil
}

func groupOf(row *db.Group, n *view.GroupNumbers, current *db.GroupRollout) *groupJSON {
	halted, started := endpoint.Stage(current)
	if n == nil { // deleted meanwhile
		n = &view.GroupNumbers{}
	}
	p := row.Policy
	return &groupJSON{
		ID: row.ID, Name: row.Name, Description: row.Description, CreatedTS: row.CreatedAt.UTC(), ApplicationID: row.ApplicationID,
		ChannelID: row.ChannelID, RolloutInProgress: started,
		PolicyUpdatesEnabled: p.UpdatesEnabled && !halted, PolicySafeMode: p.SafeMode,
		PolicyOfficeHours: p.OfficeHours, PolicyTimezone: endpoint.OrNull(p.Timezone), PolicyPeriodInterval: endpoint.FormatInterval(p.PeriodInterval),
		PolicyMaxUpdatesPerPeriod: p.MaxUpdatesPerPeriod, PolicyUpdateTimeout: endpoint.FormatInterval(p.UpdateTimeout),
		VersionBreakdown: sharesOf(n), Channel: channelOf(row.Edges.Channel), InstancesStats: statsOf(n),
	}
}

func sharesOf(n *view.GroupNumbers) []shareJSON {
	all := []shareJSON{}
	for _, v := range n.ByVersion {
		if v.Active > 0 {
			all = append(all, shareJSON{Version: v.Version, Instances: v.Active, Percentage: 100 * float64(v.Active) / float64(n.Active)})
		}
	}
	return all
}

func statsOf(n *view.GroupNumbers) (s statsJSON) {
	s.Total = n.Active
	for _, c := range n.ByState {
		//exhaustive:enforce
		switch c.State {
		case rollout.StateNone, rollout.StateUndefined:
			s.Undefined += c.Active
		case rollout.StateGranted:
			s.UpdateGranted += c.Active
		case rollout.StateError:
			s.Error += c.Active
		case rollout.StateComplete:
			s.Complete += c.Active
		case rollout.StateInstalled:
			s.Installed += c.Active
		case rollout.StateDownloaded:
			s.Downloaded += c.Active
		case rollout.StateDownloading:
			s.Downloading += c.Active
		case rollout.StateOnHold:
			s.OnHold += c.Active
		}
	}
	return s
}

// groupRows reads groups with their channels and counts.
func (h *Handler) groupRows(ctx context.Context, ids []uuid.UUID) ([]*groupJSON, error) {
	rows, err := h.Fleet.View.GroupsByID(ctx, ids, view.Edge("channel", endpoint.WholeChannel()))
	if err != nil {
		return nil, err
	}
	return h.groupsJSON(ctx, rows)
}

func (h *Handler) groupRoutes() endpoint.Noun[*groupJSON] {
	return endpoint.Noun[*groupJSON]{
		PerPage: perPage, Name: "group", On: h.Server, IDs: h.Fleet.View.GroupIDs, Rows: h.groupRows, Make: h.createGroup, Change: h.updateGroup,
		Owner: endpoint.OwnerOf(h.Fleet.View.Group, func(row *db.Group) uuid.UUID { return row.ApplicationID }),
		Drop: func(ctx context.Context, id uuid.UUID, force bool) error {
			return h.Fleet.DeleteGroup(ctx, fleet.DeleteGroup{ID: id, Force: force})
		},
	}
}

// newGroup reads a group. Policy fields that CoreRoller 1.0 does not have keep
// their value.
func newGroup(b *endpoint.Body) (in fleet.ReplaceGroup, err error) {
	b.Required("name")
	in.Name, in.Description, in.ChannelID = b.Text("name"), b.Text("description"), b.ID("channel_id")
	in.Policy = b.Policy()
	return in, b.Err()
}

func (h *Handler) createGroup(ctx context.Context, app uuid.UUID, b *endpoint.Body) (uuid.UUID, error) {
	in, err := newGroup(b)
	if err != nil {
		return uuid.Nil, err
	}
	policy := in.Policy(policy.Default())
	row, err := h.Fleet.CreateGroup(ctx, fleet.CreateGroup{
		ApplicationID: app, Name: in.Name, Description: in.Description, ChannelID: in.ChannelID, Policy: &policy,
	})
	if err != nil {
		return uuid.Nil, err
	}
	return row.ID, nil
}

func (h *Handler) updateGroup(ctx context.Context, id uuid.UUID, b *endpoint.Body) error {
	in, err := newGroup(b)
	if err != nil {
		return err
	}
	in.ID = id
	_, err = h.Fleet.ReplaceGroup(ctx, in)
	return err
}
