package rollout

import (
	"testing"
	"time"

	"github.com/coreroller/coreroller/rollout/calendar"
	"github.com/coreroller/coreroller/rollout/policy"
)

// hotCase is a frequent check.
type hotCase struct {
	name   string
	world  *World
	m      *Machine
	reason Reason
}

// hotCases are the most frequent answers, under a policy that uses every rule.
func hotCases(t testing.TB) []hotCase {
	base := func(change func(p *Policy)) *rig {
		p := policy.Default()
		p.SafeMode = false
		p.MaxUpdatesPerPeriod, p.MaxConcurrentUpdates = 200, 200
		p.OfficeHours, p.Timezone = true, "Europe/Berlin"
		p.Freezes = []calendar.Freeze{{From: start.AddDate(0, 1, 0), Until: start.AddDate(0, 2, 0), Reason: "quarter end"}}
		p.Waves = []Wave{{Share: 0.5, MinFinished: 1000}, {Share: 1}}
		change(&p)
		g := newRig(t, p)
		g.target("2.4.0", "2.1.0", "2.2.0")
		for i := range 120 { // a full ledger
			g.w.Ledger.spend(start.Add(time.Duration(i-120)*30*time.Second), p.PeriodInterval)
		}
		return g
	}
	at := func(g *rig, id, version string) *Machine { return g.machine(id, mustVersion(t, version)) }
	normal := base(func(*Policy) {})
	limited := base(func(p *Policy) { p.MaxUpdatesPerPeriod = 10 })
	closed := base(func(p *Policy) {
		p.Windows = []calendar.Window{{Days: []time.Weekday{time.Tuesday}, Start: 0, End: 1440}}
	})
	downloading := base(func(*Policy) {})
	busy := at(downloading, "m3", "2.0.0")
	downloading.check("m3", "2.0.0")
	downloading.event("m3", "2.0.0", 13, 1, 0)
	return []hotCase{
		{"up_to_date", &normal.w, at(normal, "done", "2.4.0"), ReasonUpToDate},
		{"granted", &normal.w, at(normal, inWave(&normal.w, 0, 0.5), "2.0.0"), ReasonGranted},
		{"wave_not_reached", &normal.w, at(normal, inWave(&normal.w, 0.5, 1), "2.0.0"), ReasonWaveNotReached},
		{"period_limit", &limited.w, at(limited, inWave(&limited.w, 0, 0.5), "2.0.0"), ReasonPeriodLimit},
		{"outside_window", &closed.w, at(closed, "m1", "2.0.0"), ReasonOutsideWindow},
		{"update_in_progress", &downloading.w, busy, ReasonUpdateInProgress},
	}
}

// inWave finds a machine id with a bucket in [from, until).
func inWave(w *World, from, until float64) string {
	for i := 0; ; i++ {
		id := "0123456789abcdef0123456789ab" + itoa(1000+i)
		if b := Bucket(w.Rollout.Salt, id); b >= from && b < until {
			return id
		}
	}
}

func BenchmarkDecide(b *testing.B) {
	for _, c := range hotCases(b) {
		b.Run(c.name, func(b *testing.B) {
			if d := Decide(c.world, c.m, Check{}, start); d.Reason != c.reason {
				b.Fatalf("answers %s", d.Reason)
			}
			b.ReportAllocs()
			for b.Loop() {
				Decide(c.world, c.m, Check{}, start)
			}
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "checks/s")
		})
	}
}

// BenchmarkCheck measures a check that changes nothing, including its effects.
func BenchmarkCheck(b *testing.B) {
	for _, c := range hotCases(b) {
		if c.reason == ReasonGranted {
			continue // only the first one would be granted
		}
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			var fx Effects
			for b.Loop() {
				c.world.Observe(c.m, c.m.Version, true, start, &fx)
				c.world.Check(c.m, Check{}, start, &fx)
			}
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "checks/s")
		})
	}
}

func TestDecideAllocatesNothing(t *testing.T) {
	for _, c := range hotCases(t) {
		if d := Decide(c.world, c.m, Check{}, start); d.Reason != c.reason {
			t.Fatalf("%s: answers %s", c.name, d.Reason)
		}
		if n := testing.AllocsPerRun(100, func() { Decide(c.world, c.m, Check{}, start) }); n != 0 {
			t.Errorf("%s: Decide allocates %v times", c.name, n)
		}
		if c.reason == ReasonGranted {
			continue
		}
		var fx Effects
		c.world.Check(c.m, Check{}, start, &fx) // the first check writes a history entry
		if n := testing.AllocsPerRun(100, func() {
			c.world.Observe(c.m, c.m.Version, true, start, &fx)
			c.world.Check(c.m, Check{}, start, &fx)
		}); n != 0 {
			t.Errorf("%s: Check allocates %v times", c.name, n)
		}
	}
}
