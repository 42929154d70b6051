package view

import (
	"context"
	"time"

	"github.com/google/uuid"

	"github.com/coreroller/coreroller/ent/db"
	"github.com/coreroller/coreroller/ent/db/group"
	"github.com/coreroller/coreroller/ent/db/groupcount"
	"github.com/coreroller/coreroller/ent/db/ledger"
	"github.com/coreroller/coreroller/ent/db/predicate"
	"github.com/coreroller/coreroller/fleet/fault"
	"github.com/coreroller/coreroller/fleet/pace"
	"github.com/coreroller/coreroller/rollout"
)

// GroupNumbers counts the machines of a group. It sums counters: the cost does not
// depend on the number of machines.
type GroupNumbers struct {
	Numbers
	RebootOverdue    int             // of InFlight, without a slot
	Outage           *rollout.Outage // that extended the leases of updates in flight; nil: none within a day
	ConcurrencyLimit int             // maximum of InFlight without RebootOverdue
	GrantedInPeriod  int             // grants within the last period
	PeriodLimit      int             // maximum of GrantedInPeriod
	Grants           []rollout.Spend // of the last period, oldest first
	ByState          []StateCount
	HeldByReason     []HeldCount // largest first
	RolloutID        uuid.UUID   // of the current rollout, zero for none
}

// GroupNumbers reads the numbers of one group.
func (s *Service) GroupNumbers(ctx context.Context, id uuid.UUID) (*GroupNumbers, error) {
	all, err := s.ManyGroupNumbers(ctx, []uuid.UUID{id})
	if err == nil && all[id] == nil {
		err = fault.Errorf(fault.NotFound, "groupId", "there is no such group")
	}
	return all[id], err
}

// ManyGroupNumbers reads the numbers of groups with two statements for any number
// of groups. Missing groups are left out.
func (s *Service) ManyGroupNumbers(ctx context.Context, ids []uuid.UUID) (map[uuid.UUID]*GroupNumbers, error) {
	ledgers, err := read(ctx, "ledgers", s.db().Ledger.Query().Where(ledger.GroupIDIn(ids...)).All)
	if err != nil {
		return nil, err
	}
	counts, err := s.counters(ctx, groupcount.GroupIDIn(ids...))
	if err != nil {
		return nil, err
	}
	policies, err := s.policies(ctx, ledgers)
	if err != nil {
		return nil, err
	}
	stopped, err := s.store.StoppedGroups(ctx, counts)
	if err != nil {
		return nil, err
	}
	now, groups := s.now(), s.seen(ctx)
	tallies := make(map[uuid.UUID]*tally, len(ledgers))
	for _, l := range ledgers {
		tallies[l.GroupID] = newTally(now)
	}
	for _, row := range counts {
		if t, g := tallies[row.GroupID], groups.Group(row.GroupID); t != nil && g != nil {
			t.add(row, g, stopped[g.ID])
		}
	}
	out := make(map[uuid.UUID]*GroupNumbers, len(ledgers))
	for _, l := range ledgers {
		t, p := tallies[l.GroupID], policies[l.GroupID]
		if p == nil {
			continue // deleted meanwhile
		}
		n := &GroupNumbers{
			Numbers: t.numbers(), ConcurrencyLimit: p.MaxConcurrentUpdates, PeriodLimit: p.MaxUpdatesPerPeriod,
			ByState: t.byState(), HeldByReason: t.heldBecause(), RebootOverdue: l.RebootOverdue,
		}
		n.Grants = pace.SpendsSince(l.Spends, now.Add(-p.PeriodInterval))
		for _, spend := range n.Grants {
			n.GrantedInPeriod += spend.Count
		}
		if n.InFlight > 0 {
			n.Outage = s.lastOutage(now)
		}
		if l.RolloutID != nil {
			n.RolloutID = *l.RolloutID
		}
		out[l.GroupID] = n
	}
	return out, nil
}

// lastOutage returns the last outage that ended within a day, nil for none.
func (s *Service) lastOutage(now time.Time) *rollout.Outage {
	all := s.store.Outages()
	if n := len(all); n > 0 && now.Sub(all[n-1].To) < 24*time.Hour {
		return &all[n-1]
	}
	return nil
}

// policies returns the policies of the ledgers' groups, from the catalog unless the
// ledger has a newer revision.
func (s *Service) policies(ctx context.Context, ledgers []*db.Ledger) (map[uuid.UUID]*rollout.Policy, error) {
	catalog, out := s.seen(ctx), make(map[uuid.UUID]*rollout.Policy, len(ledgers))
	var newer []uuid.UUID
	for _, l := range ledgers {
		if g := catalog.Group(l.GroupID); g != nil && g.App.Revision >= l.ConfigRevision {
			out[l.GroupID] = g.Schedule.Policy()
		} else {
			newer = append(newer, l.GroupID)
		}
	}
	if len(newer) == 0 {
		return out, nil
	}
	rows, err := read(ctx, "policies", s.db().Group.Query().Where(group.IDIn(newer...)).All)
	if err != nil {
		return nil, err
	}
	for _, row := range rows {
		out[row.ID] = &row.Policy
	}
	return out, nil
}

// counters reads the counters that match and are not 0.
func (s *Service) counters(ctx context.Context, where ...predicate.GroupCount) ([]*db.GroupCount, error) {
	return read(ctx, "counters", s.db().GroupCount.Query().Where(append(where, groupcount.MachinesNEQ(0))...).All)
}

// ApplicationNumbers counts the machines in the groups of applications, by
// application.
func (s *Service) ApplicationNumbers(ctx context.Context, ids []uuid.UUID) (map[uuid.UUID]*Numbers, error) {
	rows, err := s.counters(ctx, groupcount.HasGroupWith(group.ApplicationIDIn(ids...)))
	if err != nil {
		return nil, err
	}
	stopped, err := s.store.StoppedGroups(ctx, rows)
	if err != nil {
		return nil, err
	}
	now, catalog := s.now(), s.seen(ctx)
	tallies := make(map[uuid.UUID]*tally, len(ids))
	for _, id := range ids {
		tallies[id] = newTally(now)
	}
	for _, row := range rows {
		if g := catalog.Group(row.GroupID); g != nil && tallies[g.App.ID] != nil {
			tallies[g.App.ID].add(row, g, stopped[g.ID])
		}
	}
	out := make(map[uuid.UUID]*Numbers, len(ids))
	for id, t := range tallies {
		out[id] = new(t.numbers())
	}
	return out, nil
}

// FleetNumbers counts the machines of all groups.
func (s *Service) FleetNumbers(ctx context.Context) (*Numbers, error) {
	rows, err := s.counters(ctx)
	if err != nil {
		return nil, err
	}
	stopped, err := s.store.StoppedGroups(ctx, rows)
	if err != nil {
		return nil, err
	}
	t, groups := newTally(s.now()), s.seen(ctx)
	for _, row := range rows {
		if g := groups.Group(row.GroupID); g != nil {
			t.add(row, g, stopped[g.ID])
		}
	}
	return new(t.numbers()), nil
}
