package fleet

import (
	"maps"
	"slices"

	"github.com/google/uuid"

	"github.com/coreroller/coreroller/ent/db"
	"github.com/coreroller/coreroller/fleet/catalog"
	"github.com/coreroller/coreroller/fleet/change"
	"github.com/coreroller/coreroller/fleet/job"
	"github.com/coreroller/coreroller/rollout"
	"github.com/coreroller/coreroller/store"
)

// applyAlone applies an order to one machine, with an activity for each group that it
// concerns. A nil group is none.
func applyAlone(c *change.Change, o *job.Order, m *store.Machine, g *catalog.Group) error {
	groups := concerned(o, m.GroupID)
	if o.Action == job.Label {
		if err := labelAlone(c, m, o.Labels); err != nil {
			return err
		}
	} else if err := apply(c, o, m, g); err != nil {
		return err
	}
	for _, id := range groups {
		if at := c.Config.Group(id); at != nil {
			noteOrder(c, o, at, m.ID, 1, c.By.Name, c.Reason)
		}
	}
	return nil
}

// concerned returns the groups of which a machine is changed: its own, and that to which
// it moves.
func concerned(o *job.Order, own uuid.UUID) []uuid.UUID {
	groups := make([]uuid.UUID, 0, 2)
	if own != uuid.Nil {
		groups = append(groups, own)
	}
	if o.GroupID != nil && *o.GroupID != own {
		groups = append(groups, *o.GroupID)
	}
	return groups
}

// noteOrder adds the activity of an order in a group: on one machine, or with an empty
// name on a number of them.
func noteOrder(c *change.Change, o *job.Order, g *catalog.Group, machine string, machines int, by, reason string) {
	if a, ok := o.Activity(g.App, machine, machines, by, reason); ok {
		g.Journal(&c.Batch, &rollout.Effects{Activities: []rollout.Activity{a}}, by)
	}
}

// noteJob adds one activity for each group of which a job has changed machines since its
// last ones. A job of many batches has them when it ends, because an entry does not change.
func (s *Service) noteJob(c *change.Change, row *db.MachineJob, changed map[uuid.UUID]int) {
	order := job.OrderOf(row)
	known := s.Catalog()
	for _, id := range slices.SortedFunc(maps.Keys(changed), func(a, b uuid.UUID) int { return slices.Compare(a[:], b[:]) }) {
		if g := known.Group(id); g != nil { // not deleted meanwhile
			noteOrder(c, &order, g, "", changed[id], row.CreatedBy, row.Reason)
		}
	}
}
