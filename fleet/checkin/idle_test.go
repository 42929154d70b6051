package checkin

import (
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/coreroller/coreroller/fleet/catalog"
	"github.com/coreroller/coreroller/fleet/pace"
	"github.com/coreroller/coreroller/rollout"
	"github.com/coreroller/coreroller/rollout/policy"
	"github.com/coreroller/coreroller/store"
)

// Made-up machines that wait must not cost a transaction for each check.
func TestWaitingNewcomersAreAnsweredFromTheCache(t *testing.T) {
	now := time.Date(2026, time.March, 2, 10, 0, 0, 0, time.UTC)
	schedule, _ := policy.Compile(policy.Default())
	one, _ := rollout.ParseVersion("1.0.0")
	two, _ := rollout.ParseVersion("2.0.0")
	group := &catalog.Group{ID: uuid.New(), App: &catalog.App{ID: uuid.New()}, Schedule: schedule}
	meters := pace.NewMeters(now)
	v := &view{group: group, at: now, meter: meters.Of(group.ID), world: rollout.World{
		Policy: schedule, Aim: rollout.Aim{Target: &rollout.Package{Version: two}}, Census: rollout.Census{Behind: 2},
		Rollout: rollout.Rollout{ID: rollout.ID{1}, Newcomers: rollout.Newcomers{Since: now.Add(-24 * time.Hour), Wait: true}},
	}}
	m := &store.Machine{InstanceID: uuid.New(), GroupID: group.ID}
	m.ID, m.Version, m.Reason, m.State = "made-up", one, rollout.ReasonNewcomerWaits, rollout.StateOnHold
	m.FirstSeenAt, m.LastSeenAt = now, now
	c := &call{in: CheckIn{Machine: "made-up", UpdateCheck: true}, version: one, group: group, instance: m.InstanceID, view: v, after: m}

	i := newIdleCache()
	i.remember(c)
	answer, ok := i.answer(c, now)
	if !ok || answer.Decision.Reason != rollout.ReasonNewcomerWaits {
		t.Errorf("answered %v with %q, want newcomer_waits from the cache", ok, answer.Decision.Reason)
	}
}
