package fleet

import (
	"context"
	"fmt"

	"github.com/google/uuid"

	"github.com/coreroller/coreroller/ent/db"
	"github.com/coreroller/coreroller/ent/db/grouprollout"
	"github.com/coreroller/coreroller/ent/db/ledger"
	"github.com/coreroller/coreroller/ent/db/wave"
	"github.com/coreroller/coreroller/rollout"
)

// maxProgress limits the rollouts whose progress is measured, so that the number of
// series is bounded.
const maxProgress = 100

// RolloutProgress is the progress of a rollout that is not complete.
type RolloutProgress struct {
	Application, Group string // ids
	Counts             rollout.Counts
	InFlight           int // updates that hold a place under the limit
	Limit              int // of the policy: updates at a time
	Behind, OnTarget   int // active machines below the target, and at it or above
}

// RolloutStates returns how many groups have a rollout in each state, and the progress of
// the newest ones that are not complete, for the metrics. It reads rows of rollouts, waves
// and ledgers, none of machines.
func (s *Service) RolloutStates(ctx context.Context) (states map[string]int, progress []RolloutProgress, err error) {
	ctx = forMetrics(ctx)
	reader := s.store.Reader()
	var counted []struct {
		State rollout.RolloutState
		Count int
	}
	if err := reader.GroupRollout.Query().Where(grouprollout.ReplacedAtIsNil()).GroupBy(grouprollout.FieldState).Aggregate(db.Count()).Scan(ctx, &counted); err != nil {
		return nil, nil, fmt.Errorf("count rollouts: %w", err)
	}
	states = map[string]int{"active": 0, "paused": 0, "halted": 0, "completed": 0}
	for _, c := range counted {
		if name, ok := stateNames[c.State]; ok {
			states[name] = c.Count
		}
	}
	rows, err := reader.GroupRollout.Query().
		Where(grouprollout.ReplacedAtIsNil(), grouprollout.StateIn(rollout.RolloutActive, rollout.RolloutPaused, rollout.RolloutHalted)).
		Select(grouprollout.FieldID, grouprollout.FieldGroupID).
		Order(db.Desc(grouprollout.FieldCreatedAt, grouprollout.FieldID)).Limit(maxProgress).All(ctx)
	if err != nil {
		return nil, nil, fmt.Errorf("read rollouts: %w", err)
	}
	ids, groups := make([]uuid.UUID, len(rows)), make([]uuid.UUID, len(rows))
	for i, row := range rows {
		ids[i], groups[i] = row.ID, row.GroupID
	}
	waves, err := reader.Wave.Query().Where(wave.RolloutIDIn(ids...)).All(ctx)
	if err != nil {
		return nil, nil, fmt.Errorf("read waves: %w", err)
	}
	ledgers, err := reader.Ledger.Query().Where(ledger.GroupIDIn(groups...)).All(ctx)
	if err != nil {
		return nil, nil, fmt.Errorf("read ledgers: %w", err)
	}
	counts, state := map[uuid.UUID]rollout.Counts{}, map[uuid.UUID]*db.Ledger{}
	for _, w := range waves {
		counts[w.RolloutID] = counts[w.RolloutID].Plus(rollout.Counts{Granted: w.Granted, Succeeded: w.Succeeded, Failed: w.Failed, Lost: w.Lost, Released: w.Released})
	}
	for _, l := range ledgers {
		state[l.GroupID] = l
	}
	for _, row := range rows {
		g, l := s.Catalog().Group(row.GroupID), state[row.GroupID]
		if g == nil || l == nil {
			continue // deleted, or not known to this process yet
		}
		progress = append(progress, RolloutProgress{
			Application: g.App.ID.String(), Group: row.GroupID.String(), Counts: counts[row.ID],
			InFlight: l.InFlight, Limit: g.Schedule.Policy().MaxConcurrentUpdates, Behind: l.Behind, OnTarget: l.OnTarget,
		})
	}
	return states, progress, nil
}

var stateNames = map[rollout.RolloutState]string{
	rollout.RolloutActive: "active", rollout.RolloutPaused: "paused", rollout.RolloutHalted: "halted", rollout.RolloutCompleted: "completed",
}
