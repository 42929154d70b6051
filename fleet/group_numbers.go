package fleet

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"

	"coreroller/auth"
	"coreroller/ent/db"
	"coreroller/ent/db/failure"
	"coreroller/ent/db/group"
	"coreroller/ent/db/groupcount"
	"coreroller/ent/db/ledger"
	"coreroller/ent/db/wave"
	"coreroller/rollout"
)

// GroupNumbers is a group in numbers, all of them sums over a few counters:
// its cost does not depend on the number of machines.
type GroupNumbers struct {
	Numbers
	Cap           int             // what InFlight may reach
	SpentInPeriod int             // grants within the last period
	PeriodCap     int             // what SpentInPeriod may reach
	Grants        []rollout.Spend // of the last period, oldest first
	ByState       []StateCount
	HeldBecause   []HeldCount    // most first
	Funnel        rollout.Counts // attempts of the current rollout, over all its waves
	Failures      []FailureCount // of the current rollout, most first
}

// GroupNumbers reads the numbers of one group.
func (s *Service) GroupNumbers(ctx context.Context, id uuid.UUID) (*GroupNumbers, error) {
	if _, err := require(ctx, auth.Read); err != nil {
		return nil, err
	}
	all, err := s.ManyGroupNumbers(ctx, []uuid.UUID{id})
	if err != nil {
		return nil, err
	}
	if all[id] == nil {
		return nil, Errorf(NotFound, "groupId", "there is no such group")
	}
	return all[id], nil
}

// ManyGroupNumbers reads the numbers of several groups with as many statements
// as for one. Groups that do not exist are absent.
func (s *Service) ManyGroupNumbers(ctx context.Context, ids []uuid.UUID) (map[uuid.UUID]*GroupNumbers, error) {
	if _, err := require(ctx, auth.Read); err != nil {
		return nil, err
	}
	r := s.store.Reader()
	ledgers, err := r.Ledger.Query().Where(ledger.GroupIDIn(ids...)).WithGroup().All(ctx)
	if err != nil {
		return nil, fmt.Errorf("read ledgers: %w", err)
	}
	counts, err := r.GroupCount.Query().Where(groupcount.GroupIDIn(ids...), groupcount.MachinesNEQ(0)).All(ctx)
	if err != nil {
		return nil, fmt.Errorf("read counters: %w", err)
	}
	var current []uuid.UUID
	for _, l := range ledgers {
		if l.RolloutID != nil {
			current = append(current, *l.RolloutID)
		}
	}
	progress, err := s.readProgress(ctx, r, current)
	if err != nil {
		return nil, err
	}
	now, targets := s.now(), s.Catalog().targets()
	tallies := make(map[uuid.UUID]*tally, len(ledgers))
	for _, l := range ledgers {
		tallies[l.GroupID] = newTally(now)
	}
	for _, row := range counts {
		if t := tallies[row.GroupID]; t != nil {
			t.add(row, targets[row.GroupID])
		}
	}
	out := make(map[uuid.UUID]*GroupNumbers, len(ledgers))
	for _, l := range ledgers {
		t, p := tallies[l.GroupID], l.Edges.Group.Policy
		n := &GroupNumbers{
			Numbers: t.numbers(), Cap: p.MaxConcurrentUpdates, PeriodCap: p.MaxUpdatesPerPeriod,
			ByState: t.byState(), HeldBecause: t.heldBecause(),
		}
		n.Grants = spendsSince(l.Spends, now.Add(-p.PeriodInterval))
		for _, spend := range n.Grants {
			n.SpentInPeriod += spend.Count
		}
		if l.RolloutID != nil {
			n.Funnel, n.Failures = progress[*l.RolloutID].funnel, progress[*l.RolloutID].failures
		}
		out[l.GroupID] = n
	}
	return out, nil
}

// spendsSince are the grants of a ledger row after a moment. A row keeps each
// as first and last in microseconds since 1970, and count.
func spendsSince(rows [][3]int64, since time.Time) []rollout.Spend {
	var all []rollout.Spend
	for _, r := range rows {
		if last := time.UnixMicro(r[1]).UTC(); last.After(since) {
			all = append(all, rollout.Spend{First: time.UnixMicro(r[0]).UTC(), Last: last, Count: int(r[2])})
		}
	}
	return all
}

// progress is how far the attempts of a rollout came.
type progress struct {
	funnel   rollout.Counts
	failures []FailureCount
}

func (s *Service) readProgress(ctx context.Context, r *db.Client, rollouts []uuid.UUID) (map[uuid.UUID]progress, error) {
	out := make(map[uuid.UUID]progress, len(rollouts))
	if len(rollouts) == 0 {
		return out, nil
	}
	waves, err := r.Wave.Query().Where(wave.RolloutIDIn(rollouts...)).All(ctx)
	if err != nil {
		return nil, fmt.Errorf("read waves: %w", err)
	}
	for _, w := range waves {
		p := out[w.RolloutID]
		p.funnel = p.funnel.Plus(WaveCounts(w))
		out[w.RolloutID] = p
	}
	failures, err := r.Failure.Query().Where(failure.RolloutIDIn(rollouts...)).All(ctx)
	if err != nil {
		return nil, fmt.Errorf("read failures: %w", err)
	}
	slices.SortFunc(failures, func(a, b *db.Failure) int {
		return cmp.Or(cmp.Compare(b.Attempts, a.Attempts), cmp.Compare(a.Outcome, b.Outcome), cmp.Compare(a.Code, b.Code))
	})
	for _, f := range failures {
		p := out[f.RolloutID]
		if len(p.failures) < MaxKinds {
			p.failures = append(p.failures, FailureCount{Outcome: f.Outcome, Code: f.Code, Attempts: f.Attempts})
		}
		out[f.RolloutID] = p
	}
	return out, nil
}

// WaveCounts are the counters of one wave as the engine names them.
func WaveCounts(w *db.Wave) rollout.Counts {
	return rollout.Counts{
		Granted: w.Granted, Downloading: w.Downloading, Downloaded: w.Downloaded, Installed: w.Installed,
		Succeeded: w.Succeeded, Failed: w.Failed, TimedOut: w.TimedOut, RolledBack: w.RolledBack, Released: w.Released,
	}
}

// ApplicationNumbers sums the machines of all groups of applications, by
// application.
func (s *Service) ApplicationNumbers(ctx context.Context, ids []uuid.UUID) (map[uuid.UUID]Numbers, error) {
	if _, err := require(ctx, auth.Read); err != nil {
		return nil, err
	}
	rows, err := s.store.Reader().GroupCount.Query().
		Where(groupcount.HasGroupWith(group.ApplicationIDIn(ids...)), groupcount.MachinesNEQ(0)).All(ctx)
	if err != nil {
		return nil, fmt.Errorf("read counters: %w", err)
	}
	now, catalog := s.now(), s.Catalog()
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

// FleetNumbers sums the machines of all groups.
func (s *Service) FleetNumbers(ctx context.Context) (Numbers, error) {
	if _, err := require(ctx, auth.Read); err != nil {
		return Numbers{}, err
	}
	rows, err := s.store.Reader().GroupCount.Query().Where(groupcount.MachinesNEQ(0)).All(ctx)
	if err != nil {
		return Numbers{}, fmt.Errorf("read counters: %w", err)
	}
	t, targets := newTally(s.now()), s.Catalog().targets()
	for _, row := range rows {
		t.add(row, targets[row.GroupID])
	}
	return t.numbers(), nil
}
