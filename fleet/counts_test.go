package fleet_test

import (
	"testing"

	"github.com/coreroller/coreroller/fleet/checkin"
	"github.com/coreroller/coreroller/rollout"
)

// The numbers of the metrics are what machines asked, reported and were answered.
func TestCountsAreWhatMachinesWereAnswered(t *testing.T) {
	eachDatabase(t, func(t *testing.T, d *harness) {
		s := d.setup()           // caps: 2 per 15 minutes, 2 in flight
		d.check(s, "a", "1.0.0") // granted
		d.check(s, "b", "1.0.0") // granted
		d.check(s, "c", "1.0.0") // held
		d.check(s, "c", "1.0.0") // held, from the cache
		d.report(s, "b", "1.0.0", rollout.Event{Type: 13, Result: 1})
		d.report(s, "b", "1.0.0", rollout.Event{Type: 3, Result: 0, Code: 9}) // failed
		d.report(s, "a", "1.0.0", rollout.Event{Type: 7_000_000, Result: 1})
		must(d.Machines.CheckIn(d.ctx, checkin.CheckIn{AppID: "unknown", Machine: "x", Version: "1.0.0", UpdateCheck: true}))(t)

		c := d.Machines.Counts()
		for name, got := range map[string][2]uint64{
			"granted": {c.Reasons["granted"], 2}, "held": {c.Reasons["period_limit"] + c.Reasons["concurrency_limit"], 2},
			"cached": {c.Results["cached"], 1}, "committed": {c.Results["committed"], 6}, "refused": {c.Results["refused"], 1}, "failed check-ins": {c.Results["failed"], 0},
			"started": {c.Events["download_started"], 1}, "failed": {c.Events["failed"], 1}, "other": {c.Events["other"], 1}, "installed": {c.Events["installed"], 0},
			"waits": {c.Wait.Count, 6}, "batches": {c.Batch.Count, 6}, "in batches": {uint64(c.Batch.Sum), 6}, "batches of one": {c.Batch.Buckets[1], 6},
		} {
			if got[0] != got[1] {
				t.Errorf("%s: %d, want %d", name, got[0], got[1])
			}
		}
		if len(c.Reasons) != int(rollout.MaxReason) || c.Wait.Buckets[10] != c.Wait.Count {
			t.Errorf("%d reasons, %v", len(c.Reasons), c.Wait)
		}

		states, progress, err := d.RolloutStates(t.Context())
		d.must(err)
		if len(states) != 4 || states["active"] != 1 || states["halted"]+states["completed"] != 0 {
			t.Errorf("states %v", states)
		}
		if len(progress) != 1 {
			t.Fatalf("progress %+v", progress)
		}
		p := progress[0]
		if p.Application != s.app.ID.String() || p.Group != s.group.ID.String() || p.Counts.Granted != 2 || p.Counts.Failed != 1 || p.Counts.Succeeded != 0 ||
			p.InFlight != 1 || p.Limit != 2 || p.Behind != 3 || p.OnTarget != 0 {
			t.Errorf("progress %+v", p)
		}
	})
}
