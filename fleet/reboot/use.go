package reboot

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/coreroller/coreroller/ent/db"
	"github.com/coreroller/coreroller/ent/db/predicate"
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
	held, err := s.countSlots(ctx)
	if err != nil {
		return nil, err
	}
	overdue, err := s.countSlots(ctx, rebootslot.OverdueAtNotNil())
	if err != nil {
		return nil, err
	}
	all := []Use{}
	for _, g := range s.catalog.Catalog().Groups(func(*catalog.Group) bool { return true }) {
		if g.Policy.RebootSlots > 0 || held[g.ID] > 0 {
			all = append(all, Use{g.App.ID.String(), g.ID.String(), g.Policy.RebootSlots, held[g.ID], overdue[g.ID]})
		}
	}
	slices.SortFunc(all, func(a, b Use) int { return cmp.Compare(a.Group, b.Group) })
	s.uses, s.usedAt = all, now
	return all, nil
}

// countSlots counts the held slots that meet conditions, by group.
func (s *Service) countSlots(ctx context.Context, where ...predicate.RebootSlot) (map[uuid.UUID]int, error) {
	var rows []struct {
		GroupID uuid.UUID `json:"group_id"`
		Count   int
	}
	err := s.store.Reader().RebootSlot.Query().Where(rebootslot.TakenAtNotNil()).Where(where...).
		GroupBy(rebootslot.FieldGroupID).Aggregate(db.Count()).Scan(ctx, &rows)
	all := make(map[uuid.UUID]int, len(rows))
	for _, row := range rows {
		all[row.GroupID] = row.Count
	}
	return all, err
}
