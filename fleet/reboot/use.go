package reboot

import (
	"cmp"
	"context"
	"slices"
	"time"

	"entgo.io/ent/dialect/sql"
	"github.com/google/uuid"

	"github.com/coreroller/coreroller/ent/db"
	"github.com/coreroller/coreroller/ent/db/rebootslot"
	"github.com/coreroller/coreroller/fleet/catalog"
)

// Use is how many reboot slots of a group are held.
type Use struct {
	Application, Group   string // ids
	Limit, Held, Overdue int    // the overdue ones are held, too
}

// useEvery is the least time between two reads, so that a client that reads the metrics
// often costs no statements.
const useEvery = 5 * time.Second

// Uses returns the groups that coordinate reboots, or have a slot that is held, ordered by
// their ids. It reads the few rows of the index of held slots, at most every 5 seconds.
func (s *Service) Uses(ctx context.Context) ([]Use, error) {
	s.using.Lock()
	defer s.using.Unlock()
	now := s.now()
	if s.uses != nil && now.Sub(s.usedAt).Abs() < useEvery {
		return s.uses, nil
	}
	var rows []struct {
		GroupID       uuid.UUID `json:"group_id"`
		Held, Overdue int
	}
	count := func(field, name string) db.AggregateFunc {
		return func(q *sql.Selector) string { return sql.As(sql.Count(q.C(field)), name) }
	}
	if err := s.store.Reader().RebootSlot.Query().Where(rebootslot.TakenAtNotNil()).GroupBy(rebootslot.FieldGroupID).
		Aggregate(count(rebootslot.FieldTakenAt, "held"), count(rebootslot.FieldOverdueAt, "overdue")).Scan(ctx, &rows); err != nil {
		return nil, err
	}
	held := map[uuid.UUID]Use{}
	for _, row := range rows {
		held[row.GroupID] = Use{Held: row.Held, Overdue: row.Overdue}
	}
	all := []Use{}
	for _, g := range s.catalog.Catalog().Groups(func(*catalog.Group) bool { return true }) {
		use := held[g.ID]
		if use.Limit = g.Policy.RebootSlots; use.Limit == 0 && use.Held == 0 {
			continue
		}
		use.Application, use.Group = g.App.ID.String(), g.ID.String()
		all = append(all, use)
	}
	slices.SortFunc(all, func(a, b Use) int { return cmp.Compare(a.Group, b.Group) })
	s.uses, s.usedAt = all, now
	return all, nil
}
