package fleet_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/coreroller/coreroller/fleet"
	"github.com/coreroller/coreroller/fleet/catalog"
	"github.com/coreroller/coreroller/fleet/checkin"
	"github.com/coreroller/coreroller/fleet/view"
	"github.com/coreroller/coreroller/rollout"
	"github.com/coreroller/coreroller/store/storetest"
)

// point advances the clock to the next half minute and records the chart point.
// Later actions belong to the next point.
func (d *harness) point() {
	d.t.Helper()
	now := d.clock()
	d.wait(now.Truncate(30 * time.Second).Add(30 * time.Second).Sub(now))
	d.must(d.Upkeep.Work(d.t.Context()))
	d.wait(time.Second)
}

// chart returns the last hour of a group. It checks that the bands of each point
// add up to the active machines.
func (d *harness) chart(s *setup) *view.Timeline {
	d.t.Helper()
	line := must(d.View.Timeline(d.ctx, s.group.ID, d.clock().Add(-time.Hour), d.clock()))(d.t)
	for i, at := range line.Times {
		active := 0
		for _, state := range line.States {
			active += state.Machines[i]
		}
		if sum := line.OnTarget[i] + line.AboveTarget[i] + line.BadVersion[i] + line.InFlight[i] + line.Failed[i] + line.Waiting[i]; sum != active {
			d.t.Errorf("at %v the bands add up to %d of %d active machines", at, sum, active)
		}
	}
	return line
}

// Each point uses the target of its time. Silent machines are in no band.
func TestTimelineBandsAddUp(t *testing.T) {
	eachDatabase(t, func(t *testing.T, d *harness) {
		s := d.setup()
		d.addPackage(s, "3.0.0")
		for _, m := range []string{"a", "b", "c", "d"} {
			d.check(s, m, "1.0.0")
		}
		d.check(s, "e", "2.0.0")
		d.point() // a and b are in flight, c and d wait, e is on target
		d.report(s, "a", "1.0.0", rollout.Event{Type: 3, Result: 0, Code: 9})
		d.check(s, "b", "2.0.0")
		d.point() // a failed, b is on target
		d.promote(s, "3.0.0")
		d.point() // no machine runs 3.0.0
		must(d.PromotePackage(d.ctx, fleet.PromotePackage{ChannelID: s.channel.ID}))(t)
		d.point() // no target
		d.promote(s, "2.0.0")
		d.point() // b and e are on target again
		line := d.chart(s)
		type bands struct{ onTarget, inFlight, failed, waiting int }
		want := []bands{{1, 2, 0, 2}, {2, 0, 1, 2}, {0, 0, 1, 4}, {0, 0, 1, 4}, {2, 0, 1, 2}}
		var got []bands
		for i := range line.Times {
			got = append(got, bands{line.OnTarget[i], line.InFlight[i], line.Failed[i], line.Waiting[i]})
		}
		if !slices.Equal(got, want) {
			t.Errorf("bands %v, want %v", got, want)
		}
		d.wait(25 * time.Hour)
		d.must(d.Upkeep.Work(t.Context()))
		d.point()
		line = d.chart(s)
		if n := len(line.Times); n > 0 && line.Waiting[n-1]+line.OnTarget[n-1]+line.Failed[n-1]+line.InFlight[n-1] != 0 {
			t.Errorf("silent machines are in a band: %+v", line)
		}
	})
}

// After the channel is emptied, its completed rollout is no longer the target.
func TestEmptiedChannelHasNoTarget(t *testing.T) {
	eachDatabase(t, func(t *testing.T, d *harness) {
		s := d.setup()
		d.check(s, "a", "2.0.0")
		if r := d.rollout(s.group.ID); r.State != rollout.RolloutCompleted {
			t.Fatalf("the rollout is in state %d", r.State)
		}
		d.point()
		must(d.PromotePackage(d.ctx, fleet.PromotePackage{ChannelID: s.channel.ID}))(t)
		d.point()
		if line := d.chart(s); !slices.Equal(line.OnTarget, []int{1, 0}) || !slices.Equal(line.Waiting, []int{0, 1}) {
			t.Errorf("on target %v, waiting %v", line.OnTarget, line.Waiting)
		}
	})
}

// The chart shows the maximum between two points, and counts checks that the idle
// cache answered.
func TestPaceRecordsMaximaAndChecks(t *testing.T) {
	eachDatabase(t, func(t *testing.T, d *harness) {
		s := d.setup() // caps: 2 in flight, 2 per 15 minutes
		for _, m := range []string{"a", "b"} {
			d.reason(s, m, "1.0.0", rollout.ReasonGranted)
		}
		for range 5 {
			d.reason(s, "c", "1.0.0", rollout.ReasonConcurrencyLimit)
		}
		d.check(s, "a", "2.0.0")
		d.check(s, "b", "2.0.0") // no update is in flight at the next point
		d.point()
		d.point() // no checks, but the grants are still in the period
		d.wait(15 * time.Minute)
		d.must(d.Upkeep.Work(t.Context())) // the grants have left the period
		d.point()
		line := d.chart(s)
		n := len(line.Times)
		if n != 4 {
			t.Fatalf("%d points, want 4", n)
		}
		for name, x := range map[string]struct{ got, want []int }{
			"in flight": {line.Pace.InFlight, []int{2, 0, 0, 0}},
			"granted":   {line.Pace.Granted, []int{2, 2, 0, 0}},
			"checks":    {line.Pace.Checks, []int{9, 0, 0, 0}},
		} {
			// No background work ran before the third point, so its values are unknown.
			if got := slices.Concat(x.got[:2], x.got[3:]); !slices.Equal(got, slices.Concat(x.want[:2], x.want[3:])) {
				t.Errorf("%s: %v, want %v", name, x.got, x.want)
			}
		}
		for _, i := range []int{0, 1, 3} {
			if line.Pace.ConcurrencyLimit[i] != 2 || line.Pace.PeriodLimit[i] != 2 {
				t.Errorf("caps at %v: %d and %d", line.Times[i], line.Pace.ConcurrencyLimit[i], line.Pace.PeriodLimit[i])
			}
		}
	})
}

func TestApplicationChecksAreSummedOverServers(t *testing.T) {
	eachDatabase(t, func(t *testing.T, d *harness) {
		s := d.setup()
		other := d.secondServer()
		other.awaitCatalog(func(c *catalog.Catalog) bool { return c.Group(s.group.ID) != nil && c.Group(s.group.ID).Target != nil })
		count := func() []int {
			t.Helper()
			d.must(d.Upkeep.Work(t.Context()))
			d.must(other.Upkeep.Work(t.Context()))
			return must(d.View.ApplicationChecks(d.ctx, []uuid.UUID{s.app.ID}))(t)[s.app.ID]
		}
		for i := range 4 {
			d.check(s, fmt.Sprint("m", i), "2.0.0")
			other.check(s, fmt.Sprint("n", i), "2.0.0")
		}
		if got := count(); len(got) != 12 || got[11] != 8 {
			t.Errorf("checks %v", got)
		}
		for _, x := range []*harness{d, other} {
			x.wait(5 * time.Minute)
		}
		d.check(s, "m0", "2.0.0")
		got := count()
		if got[10]+got[11] != 9 || got[10] < 8 {
			t.Errorf("checks five minutes later: %v", got)
		}
		for _, x := range []*harness{d, other} {
			x.wait(2 * time.Hour)
		}
		if got := count(); slices.Max(got) != 0 {
			t.Errorf("checks two hours later: %v", got)
		}
	})
}

// The values of a deleted group are dropped; they do not prevent the values of
// other groups from being written.
func TestPaceOfADeletedGroupIsDropped(t *testing.T) {
	eachDatabase(t, func(t *testing.T, d *harness) {
		s := d.setup()
		gone := must(d.CreateGroup(d.ctx, fleet.CreateGroup{ApplicationID: s.app.ID, Name: "gone", Track: "gone", ChannelID: &s.channel.ID}))(t)
		must(d.Machines.CheckIn(t.Context(), checkin.CheckIn{AppID: s.app.ID.String(), Track: "gone", Machine: "x", Version: "2.0.0", UpdateCheck: true}))(t)
		d.check(s, "a", "2.0.0")
		d.must(d.DeleteGroup(d.ctx, fleet.DeleteGroup{ID: gone.ID, Force: true}))
		d.point()
		if line := d.chart(s); !slices.Equal(line.Pace.Checks, []int{1}) {
			t.Errorf("checks %v", line.Pace.Checks)
		}
	})
}

// A range slightly longer than 30 days still has hourly points.
func TestMonthTimelineHasHourlyPoints(t *testing.T) {
	d := newHarness(t, storetest.SQLite(t))
	s := d.setup()
	from := d.clock().Add(-30 * 24 * time.Hour)
	d.wait(time.Second)
	if line := must(d.View.Timeline(d.ctx, s.group.ID, from, d.clock()))(t); line.Resolution != time.Hour {
		t.Errorf("points every %v", line.Resolution)
	}
}
