package view

import (
	"context"
	"fmt"

	"github.com/google/uuid"

	"github.com/coreroller/coreroller/auth"
	"github.com/coreroller/coreroller/ent/db"
	"github.com/coreroller/coreroller/ent/db/group"
	"github.com/coreroller/coreroller/ent/db/groupcount"
	"github.com/coreroller/coreroller/ent/db/ledger"
	"github.com/coreroller/coreroller/fleet/fault"
	"github.com/coreroller/coreroller/fleet/pace"
	"github.com/coreroller/coreroller/rollout"
)

// GroupNumbers counts the machines of a group. It sums counters: the cost does not
// depend on the number of machines.
type GroupNumbers struct {
	Numbers
	Cap           int             // maximum of InFlight
	SpentInPeriod int             // grants within the last period
	PeriodCap     int             // maximum of SpentInPeriod
	Grants        []rollout.Spend // of the last period, oldest first
	ByState       []StateCount
	HeldBecause   []HeldCount     // largest first
	RolloutID     uuid.UUID       // of the current rollout, zero for none
	Funnel        rollout.Counts  // attempts of the current rollout, over all its waves
	Failures      []*FailureCount // of the current rollout, largest first
}

// GroupNumbers reads the numbers of one group.
func (s *Service) GroupNumbers(ctx context.Context, id uuid.UUID) (*GroupNumbers, error) {
	if _, err := fault.Require(ctx, auth.Read); err != nil {
		return nil, err
	}
	all, err := s.ManyGroupNumbers(ctx, []uuid.UUID{id})
	if err != nil {
		return nil, err
	}
	n := all[id]
	switch {
	case n == nil:
		return nil, fault.Errorf(fault.NotFound, "groupId", "there is no such group")
	case n.RolloutID != uuid.Nil:
		err = s.readProgress(ctx, n)
	}
	return n, err
}

// ManyGroupNumbers reads the numbers of groups with two statements for any number
// of groups. Funnel and Failures stay empty. Missing groups are left out.
func (s *Service) ManyGroupNumbers(ctx context.Context, ids []uuid.UUID) (map[uuid.UUID]*GroupNumbers, error) {
	if _, err := fault.Require(ctx, auth.Read); err != nil {
		return nil, err
	}
	r := s.db()
	ledgers, err := r.Ledger.Query().Where(ledger.GroupIDIn(ids...)).All(ctx)
	if err != nil {
		return nil, fmt.Errorf("read ledgers: %w", err)
	}
	counts, err := r.GroupCount.Query().Where(groupcount.GroupIDIn(ids...), groupcount.MachinesNEQ(0)).All(ctx)
	if err != nil {
		return nil, fmt.Errorf("read counters: %w", err)
	}
	policies, err := s.policies(ctx, ledgers)
	if err != nil {
		return nil, err
	}
	now, groups := s.now(), s.catalog.Catalog()
	tallies := make(map[uuid.UUID]*tally, len(ledgers))
	for _, l := range ledgers {
		tallies[l.GroupID] = newTally(now)
	}
	for _, row := range counts {
		if t := tallies[row.GroupID]; t != nil {
			t.add(row, targetOf(groups, row.GroupID))
		}
	}
	out := make(map[uuid.UUID]*GroupNumbers, len(ledgers))
	for _, l := range ledgers {
		t, p := tallies[l.GroupID], policies[l.GroupID]
		if p == nil {
			continue // deleted meanwhile
		}
		n := &GroupNumbers{
			Numbers: t.numbers(), Cap: p.MaxConcurrentUpdates, PeriodCap: p.MaxUpdatesPerPeriod,
			ByState: t.byState(), HeldBecause: t.heldBecause(),
		}
		n.Grants = pace.SpendsSince(l.Spends, now.Add(-p.PeriodInterval))
		for _, spend := range n.Grants {
			n.SpentInPeriod += spend.Count
		}
		if l.RolloutID != nil {
			n.RolloutID = *l.RolloutID
		}
		out[l.GroupID] = n
	}
	return out, nil
}

// policies returns the policies of the ledgers' groups, from the catalog unless the
// ledger has a newer revision.
func (s *Service) policies(ctx context.Context, ledgers []*db.Ledger) (map[uuid.UUID]*rollout.Policy, error) {
	catalog, out := s.catalog.Catalog(), make(map[uuid.UUID]*rollout.Policy, len(ledgers))
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
	rows, err := s.db().Group.Query().Where(group.IDIn(newer...)).All(ctx)
	if err != nil {
		return nil, fmt.Errorf("read policies: %w", err)
	}
	for _, row := range rows {
		out[row.ID] = &row.Policy
	}
	return out, nil
}

// readProgress reads Funnel and Failures.
func (s *Service) readProgress(ctx context.Context, n *GroupNumbers) error {
	waves, err := s.Waves(ctx, []uuid.UUID{n.RolloutID})
	if err != nil {
		return err
	}
	failures, err := s.Failures(ctx, []uuid.UUID{n.RolloutID})
	n.Funnel, n.Failures = SumWaves(waves[n.RolloutID]), FailureCounts(failures[n.RolloutID])
	return err
}

// ApplicationNumbers counts the machines in the groups of applications, by
// application.
func (s *Service) ApplicationNumbers(ctx context.Context, ids []uuid.UUID) (map[uuid.UUID]Numbers, error) {
	if _, err := fault.Require(ctx, auth.Read); err != nil {
		return nil, err
	}
	rows, err := s.db().GroupCount.Query().
		Where(groupcount.HasGroupWith(group.ApplicationIDIn(ids...)), groupcount.MachinesNEQ(0)).All(ctx)
	if err != nil {
		return nil, fmt.Errorf("read counters: %w", err)
	}
	now, catalog := s.now(), s.catalog.Catalog()
	tallies := make(map[uuid.UUID]*tally, len(ids))
	for _, id := range ids {
		tallies[id] = newTally(now)
	}
	for _, row := range rows {
		if g := catalog.Group(row.GroupID); g != nil && tallies[g.App.ID] != nil {
			tallies[g.App.ID].add(row, g.Target)
		}
	}
	out := make(map[uuid.UUID]Numbers, len(ids))
	for id, t := range tallies {
		out[id] = t.numbers()
	}
	return out, nil
}

// FleetNumbers counts the machines of all groups.
func (s *Service) FleetNumbers(ctx context.Context) (Numbers, error) {
	if _, err := fault.Require(ctx, auth.Read); err != nil {
		return Numbers{}, err
	}
	rows, err := s.db().GroupCount.Query().Where(groupcount.MachinesNEQ(0)).All(ctx)
	if err != nil {
		return Numbers{}, fmt.Errorf("read counters: %w", err)
	}
	t, groups := newTally(s.now()), s.catalog.Catalog()
	for _, row := range rows {
		t.add(row, targetOf(groups, row.GroupID))
	}
	return t.numbers(), nil
}
