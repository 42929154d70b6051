package rollout

import (
	"testing"
	"time"
)

// leaseEnds fails unless the machine's lease ends at this time after start, and not before.
func (g *rig) leaseEnds(id string, after time.Duration) {
	g.t.Helper()
	m := g.machines[id]
	g.now = start.Add(after - time.Second)
	if g.w.Expire(m, g.now, &g.fx) || !m.Attempt.Open() {
		g.t.Fatalf("ended before %s", after)
	}
	if end := m.Attempt.LeaseUntil; !end.Equal(start.Add(after)) {
		g.t.Errorf("the lease ends after %s, want %s", end.Sub(start), after)
	}
}

// outage is a time after start in which no machine could report.
func outage(from, to time.Duration) Outage { return Outage{start.Add(from), start.Add(to)} }

// downloading is a machine in a group without reboots: the longest poll is 50 minutes, the lease an hour.
func downloading(t *testing.T) *rig {
	g := newRig(t, acceptancePolicy())
	g.w.Reboots = false
	g.target("2.0.0")
	g.want(g.check("m", "1.0.0"), ReasonGranted)
	g.event("m", "1.0.0", 13, 1, 0)
	return g
}

func TestOutagesExtendALeaseByTheirLengthAndOnePoll(t *testing.T) {
	g := downloading(t)
	m := g.machines["m"]
	g.w.Outages = []Outage{outage(10*time.Minute, 30*time.Minute), outage(40*time.Minute, 45*time.Minute)}
	g.now = start.Add(time.Hour)
	g.w.Expire(m, g.now, &g.fx)
	g.leaseEnds("m", (60+20+5+50)*time.Minute)
	// Another outage adds its length, not the poll again.
	g.w.Outages = append(g.w.Outages, outage(100*time.Minute, 110*time.Minute))
	g.now = start.Add(135 * time.Minute)
	g.w.Expire(m, g.now, &g.fx)
	g.leaseEnds("m", (135+10)*time.Minute)
	g.now = start.Add(145 * time.Minute)
	if !g.w.Expire(m, g.now, &g.fx) || m.Last.Outcome != OutcomeTimeout {
		t.Errorf("not ended: %+v", m)
	}
}

func TestOutageBeforeTheLastPollExtendsNothing(t *testing.T) {
	g := downloading(t)
	m := g.machines["m"]
	g.now = start.Add(35 * time.Minute)
	g.request("m", request{version: "1.0.0", ping: true})
	g.w.Outages = []Outage{outage(10*time.Minute, 30*time.Minute)}
	g.now = start.Add(time.Hour)
	other := *m
	if !g.w.Expire(&other, g.now, &g.fx) || other.Last.Outcome != OutcomeTimeout {
		t.Errorf("extended: %+v", other.Attempt)
	}
	// The next outage extends the lease, without the one before.
	g.w.Outages = append(g.w.Outages, outage(40*time.Minute, 45*time.Minute))
	g.w.Expire(m, g.now, &g.fx)
	g.leaseEnds("m", (60+5+50)*time.Minute)
}

// update_engine waits longer after each failed check: up to twice the time since the last one, at most 4 hours.
func TestOutageExtendsALeaseByTheBackoffOfUpdateEngine(t *testing.T) {
	for length, poll := range map[time.Duration]time.Duration{
		20 * time.Minute: 100 * time.Minute,
		90 * time.Minute: 3 * time.Hour,
		5 * time.Hour:    4 * time.Hour,
	} {
		g := downloading(t)
		g.w.Reboots = true
		g.w.Outages = []Outage{outage(10*time.Minute, 10*time.Minute+length)}
		g.now = start.Add(time.Hour)
		g.w.Expire(g.machines["m"], g.now, &g.fx)
		g.leaseEnds("m", time.Hour+length+poll)
	}
}

func TestNoLeaseExpiresWhileAnOutageIsNotRecorded(t *testing.T) {
	g := downloading(t)
	g.now = start.Add(2 * time.Hour)
	g.w.Unserved = true
	if g.w.Expire(g.machines["m"], g.now, &g.fx) {
		t.Error("expired")
	}
	g.w.Unserved = false
	if !g.w.Expire(g.machines["m"], g.now, &g.fx) {
		t.Error("not expired")
	}
}

// A report shows that the machine is well, so the next outage extends its lease as the first one did.
func TestReportEndsTheExtension(t *testing.T) {
	g := downloading(t)
	m := g.machines["m"]
	g.w.Outages = []Outage{outage(10*time.Minute, 30*time.Minute)}
	g.now = start.Add(time.Hour)
	g.w.Expire(m, g.now, &g.fx)
	if m.Attempt.Extended != 70*time.Minute {
		t.Errorf("extended by %s", m.Attempt.Extended)
	}
	g.event("m", "1.0.0", 14, 1, 0)
	if m.Attempt.Extended != 0 || !m.Attempt.LeaseUntil.Equal(start.Add(130*time.Minute)) {
		t.Errorf("attempt %+v", m.Attempt)
	}
}

// An outage makes no installed machine silent: it is lost by as much later, and gives its slot back before.
func TestOutageDelaysTheLossOfAnInstalledMachine(t *testing.T) {
	g := downloading(t)
	g.w.Reboots = true
	p := g.policy
	p.RebootTimeout = time.Hour
	g.setPolicy(p)
	g.event("m", "1.0.0", 3, 1, 0)
	m := g.machines["m"]
	g.w.Outages = []Outage{outage(10*time.Minute, 40*time.Minute)}
	extension := (30 + 100) * time.Minute
	g.now = start.Add(time.Hour)
	g.w.Expire(m, g.now, &g.fx)
	g.leaseEnds("m", time.Hour+extension)
	g.now = start.Add(time.Hour + extension)
	g.w.Expire(m, g.now, &g.fx)
	if !m.Attempt.RebootOverdue || g.w.Ledger.InFlight != 0 || g.w.Ledger.RebootOverdue != 1 {
		t.Fatalf("%+v, ledger %+v", m.Attempt, g.w.Ledger)
	}
	g.leaseEnds("m", 150*time.Minute+extension)
	g.now = start.Add(150*time.Minute + extension)
	if !g.w.Expire(m, g.now, &g.fx) || m.Last.Outcome != OutcomeLost || g.w.Ledger.RebootOverdue != 0 {
		t.Errorf("not lost: %+v", m)
	}
}
