package clock_test

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/coreroller/coreroller/fleet/clock"
)

var start = time.Date(2026, time.March, 2, 10, 0, 0, 0, time.UTC)

// rig is a host and, if shared, a database, whose clocks the test sets.
type rig struct {
	*clock.Clock
	t       *testing.T
	reading clock.Reading
	base    time.Time     // of the database, at steps 0
	trip    time.Duration // of a query
	err     error
	log     strings.Builder
	newest  time.Time
}

func newRig(t *testing.T, shared bool, wall time.Time) *rig {
	t.Helper()
	g := &rig{t: t, reading: clock.Reading{Wall: wall}, base: start}
	o := clock.Options{Host: func() clock.Reading { return g.reading }, Log: slog.New(slog.NewTextHandler(&g.log, nil))}
	if shared {
		o.Database = func(context.Context) (time.Time, error) {
			g.pass(g.trip / 2)
			at := g.database()
			g.pass(g.trip / 2)
			return at, g.err
		}
	}
	var err error
	if g.Clock, err = clock.New(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	return g
}

func (g *rig) database() time.Time { return g.base.Add(g.reading.Steps) }

func (g *rig) pass(d time.Duration) {
	g.reading.Wall, g.reading.Steps = g.reading.Wall.Add(d), g.reading.Steps+d
}

// runs lets time pass, with a check every three seconds.
func (g *rig) runs(d time.Duration) {
	g.t.Helper()
	for end := g.reading.Steps + d; g.reading.Steps < end; {
		g.pass(min(3*time.Second, end-g.reading.Steps))
		if err := g.Check(g.t.Context()); err != nil {
			g.t.Fatal(err)
		}
		if now := g.Now(); now.Before(g.newest) {
			g.t.Fatalf("the time ran backwards from %s to %s", g.newest, now)
		}
		g.newest = g.Now()
	}
}

// is checks the time within the tolerance, and the state.
func (g *rig) is(want time.Time, steady bool, text string) {
	g.t.Helper()
	if diff := g.Now().Sub(want); diff.Abs() > 50*time.Millisecond {
		g.t.Errorf("the time is %s, want %s", g.Now(), want)
	}
	s := g.State()
	if s.Steady != steady || (text == "") != (s.Text == "") || !strings.Contains(s.Text, text) {
		g.t.Errorf("state %+v, want steady %t and %q", s, steady, text)
	}
}

func (g *rig) logged(text string, times int) {
	g.t.Helper()
	if n := strings.Count(g.log.String(), text); n != times {
		g.t.Errorf("%q was logged %d times, want %d:\n%s", text, n, times, g.log.String())
	}
}

func TestProcessUsesTheDatabasesTime(t *testing.T) {
	g := newRig(t, true, start.Add(24*time.Hour))
	g.is(start, false, "the clock of this host is 24h0m0s ahead of the database's")
	g.runs(time.Minute)
	g.is(start.Add(time.Minute), false, "24h0m0s ahead")
	g.logged("the clock of this host disagrees", 1)
	g.reading.Wall = g.database().Add(time.Second)
	g.runs(time.Minute)
	g.is(g.database(), true, "")
	g.logged("the clock of this host agrees again", 1)
	if o := g.State().Offset; o != time.Second {
		t.Errorf("offset %s, want 1s", o)
	}
}

func TestSlowQueryDoesNotChangeTheTime(t *testing.T) {
	g := newRig(t, true, start)
	g.runs(time.Minute)
	g.trip = 4 * time.Second
	g.base = g.base.Add(time.Second) // within half of the round trip
	g.runs(time.Minute)
	g.is(g.base.Add(g.reading.Steps-time.Second), true, "")
	g.trip = 20 * time.Millisecond
	g.runs(3 * time.Second)
	g.is(g.database(), true, "")
}

func TestSmallCorrectionsNeverRunBackwards(t *testing.T) {
	for _, shared := range []bool{true, false} {
		g := newRig(t, shared, start)
		g.runs(time.Minute)
		g.base, g.reading.Wall = g.base.Add(-4*time.Second), g.reading.Wall.Add(-4*time.Second)
		g.runs(6 * time.Second)
		g.is(g.database().Add(2500*time.Millisecond), true, "") // noticed after 3 s; 3 s at half speed
		g.runs(6 * time.Second)
		g.is(g.database(), true, "")
	}
}

func TestJumpOfTheDatabasesClockIsFollowedAtOnce(t *testing.T) {
	g := newRig(t, true, start)
	g.runs(time.Minute)
	g.base = g.base.Add(time.Hour)
	g.runs(3 * time.Second)
	g.is(g.database(), false, "1h0m0s behind the database's")
	g.base, g.newest = g.base.Add(-time.Hour), time.Time{}
	g.runs(3 * time.Second)
	g.is(g.database(), true, "")
}

func TestFailedQueryKeepsTheTime(t *testing.T) {
	g := newRig(t, true, start.Add(-time.Hour))
	g.err = errors.New("gone")
	g.pass(time.Minute)
	if err := g.Check(t.Context()); !errors.Is(err, g.err) {
		t.Fatal(err)
	}
	g.is(start.Add(time.Minute), false, "1h0m0s behind")
}

func TestJumpThatIsSetBackIsNotFollowed(t *testing.T) {
	g := newRig(t, false, start)
	g.runs(time.Minute)
	g.reading.Wall = g.reading.Wall.Add(24 * time.Hour)
	g.runs(clock.Settle)
	g.is(start.Add(time.Minute+clock.Settle), false, "jumped and is 24h0m0s ahead of the server's time")
	g.logged("the clock of this host disagrees", 1)
	g.reading.Wall = g.reading.Wall.Add(-24 * time.Hour)
	g.runs(3 * time.Second)
	g.is(g.reading.Wall, true, "")
}

func TestSteadyJumpAheadIsFollowed(t *testing.T) {
	g := newRig(t, false, start)
	g.reading.Wall = g.reading.Wall.Add(time.Hour) // as after a suspension of the host
	g.runs(clock.Settle + 3*time.Second)
	g.is(g.reading.Wall, true, "")
	g.logged("the time of this process was corrected", 1)
}

func TestSteadyJumpBackIsFollowedAtHalfSpeed(t *testing.T) {
	g := newRig(t, false, start)
	g.reading.Wall = g.reading.Wall.Add(-time.Hour)
	g.runs(clock.Settle + 3*time.Second)
	g.is(g.reading.Wall.Add(time.Hour), true, "set back and is 1h0m0s behind the server's time")
	g.runs(time.Hour)
	g.is(g.reading.Wall.Add(30*time.Minute), true, "30m0s behind")
	g.runs(time.Hour)
	g.is(g.reading.Wall, true, "")
	g.logged("the clock of this host disagrees", 2) // jumped, then ahead
	g.logged("the time of this process was corrected", 1)
}

func TestClockWithoutMonotonicReadingIsUsedAsItIs(t *testing.T) {
	now := start
	c, err := clock.New(t.Context(), clock.Options{Host: clock.Host(func() time.Time { return now }), Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	now = now.Add(48 * time.Hour)
	if err := c.Check(t.Context()); err != nil || !c.Now().Equal(now) || !c.State().Steady {
		t.Errorf("%v: %s, %+v", err, c.Now(), c.State())
	}
}
