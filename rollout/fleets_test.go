package rollout

import (
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/coreroller/coreroller/rollout/policy"
)

// behavior is how a machine of a random fleet deals with an offer.
type behavior int

const (
	updates behavior = iota
	fails
	loops     // the daemon restarts in every download
	lies      // reports success and stays
	goesDark  // installs and is never seen again
	leaves    // is never seen again after the offer
	flaps     // runs the new version once, then the old one
	defers    // backs off forever
	waits     // installs and polls, but never reboots
	unwilling // checks and never begins
	behaviors
)

// fleet is a random group of few machines under a random policy.
type randomFleet struct {
	*rig
	random   *rand.Rand
	machines []randomMachine
}

type randomMachine struct {
	id, version string
	behavior    behavior
	dark        bool
	step        int
}

func newRandomFleet(t *testing.T, r *rand.Rand) *randomFleet {
	p := policy.Default()
	p.SafeMode = r.IntN(2) == 0
	p.MaxUpdatesPerPeriod, p.MaxConcurrentUpdates = 1+r.IntN(4), 1+r.IntN(4)
	p.PeriodInterval = time.Duration(1+r.IntN(180)) * time.Minute
	p.HaltFailureShare = []float64{0, 0.2, 0.5}[r.IntN(3)]
	p.EvidenceAge = time.Hour
	p.HaltMinAttempts, p.MaxAttempts = r.IntN(6), 1+r.IntN(3)
	p.Waves = [][]Wave{
		nil,
		{{Share: 0.05, MinFinished: 3, MinSuccessShare: 0.5}, {Share: 0.25, MinFinished: 9, Soak: time.Hour}, {Share: 1}},
		{{Canaries: []string{"m0", "elsewhere"}}, {Share: 1}},
		{{Canaries: []string{"m1"}, MinSuccessShare: 1}, {Share: 0.3, MinFinished: 2, Approval: r.IntN(2) == 0}, {Share: 1}},
		{{Expression: "machine in ['m1', 'm3']", MinFinished: 1}, {Share: 0.3, Expression: "machine in ['m2']"}, {Share: 1}},
	}[r.IntN(5)]
	f := &randomFleet{rig: newRig(t, p), random: r}
	f.w.Reboots = r.IntN(2) == 0
	for i := range 1 + r.IntN(8) {
		m := randomMachine{id: fmt.Sprint("m", i), version: "1.0.0"}
		if r.IntN(2) == 0 {
			m.behavior = behavior(r.IntN(int(behaviors)))
		}
		f.machines = append(f.machines, m)
		f.check(m.id, m.version)
		if r.IntN(4) == 0 { // the others are newcomers
			f.rig.now = f.rig.now.Add(p.EvidenceAge)
		}
	}
	f.target("2.0.0")
	return f
}

// poll lets a machine check once, and react to an offer until its next poll.
func (f *randomFleet) poll(m *randomMachine) {
	if m.dark {
		return
	}
	idle := Event{Type: 3, Result: 2, HasPrevious: true}
	r := request{version: m.version, ping: true, check: true}
	installed := f.rig.machines[m.id].State == StateInstalled
	if f.w.Reboots && !installed {
		r.events = []Event{idle}
	}
	if installed && f.w.Reboots { // it only pings
		f.request(m.id, request{version: m.version, ping: true})
		if m.behavior != waits {
			m.version = "2.0.0"
		}
		return
	}
	if m.behavior == flaps && m.version == "2.0.0" {
		m.step++
		if m.step%2 == 0 {
			r.version = "1.0.0"
		}
	}
	if d := f.request(m.id, r); d.Reason != ReasonGranted {
		return
	}
	report := func(events ...Event) { f.request(m.id, request{version: m.version, events: events}) }
	started := []Event{{Type: 13, Result: 1}, {Type: 14, Result: 1}}
	switch m.behavior {
	case fails:
		report(started[0], Event{Type: 3, Code: 10})
	case loops:
		report(started[0])
	case lies:
		report(started[0], started[1], Event{Type: 3, Result: 1})
		if f.w.Reboots { // it boots the old version
			f.event(m.id, m.version, 3, 0, 44)
		}
	case goesDark:
		report(started[0], started[1], Event{Type: 3, Result: 1})
		m.dark = true
	case leaves:
		m.dark = true
	case defers:
		report(Event{Type: 3, Result: 9, Code: 40})
	case unwilling:
	default:
		report(started[0], started[1], Event{Type: 3, Result: 1})
		if !f.w.Reboots && m.behavior != waits {
			m.version = "2.0.0"
		}
	}
}

// run lets the fleet poll for some days, with the background work in between, until
// its rollout has ended or is stalled.
func (f *randomFleet) run(days int) {
	for range days * 24 * 60 / 45 {
		if r := &f.w.Rollout; r.State != RolloutActive || !r.Stall.Since.IsZero() {
			return
		}
		f.rig.now = f.rig.now.Add(45 * time.Minute)
		f.tick()
		var fx Effects
		if f.w.RosterDue(f.rig.now) {
			var all []Member
			for _, m := range f.rig.machines {
				all = append(all, Member{m.ID, m.Version, m.Standing == StandingActive, m.FirstSeenAt, m.SelectedWave})
			}
			f.w.CountWave(all, f.rig.now, &fx)
		}
		f.w.NoteStall(f.rig.now, &fx)
		for i := range f.machines {
			f.poll(&f.machines[i])
		}
	}
}

// No rollout waits in silence: after some days it completed, halted, waits for an
// approval, or is stalled and says so. The exception has a clock of its own: it made
// progress within the longest wait that a rule explains.
func TestNoRandomFleetWaitsInSilence(t *testing.T) {
	fleets := 10_000
	if n, err := strconv.Atoi(os.Getenv("COREROLLER_TEST_FLEETS")); err == nil {
		fleets = n
	}
	ends := map[string]int{}
	for seed := range uint64(fleets) {
		f := newRandomFleet(t, rand.New(rand.NewPCG(seed, 0)))
		f.run(10)
		r := &f.w.Rollout
		d := DecideNext(f.w.Settled(f.rig.now), Version{}, false, f.rig.now)
		switch {
		case r.State == RolloutCompleted:
			ends["completed"]++
		case r.State == RolloutHalted:
			ends["halted"]++
		case d.Reason == ReasonWaitingForApproval:
			ends["waits for an approval"]++
		case !r.Stall.Since.IsZero():
			ends["stalled: "+r.Stall.Cause[:min(len(r.Stall.Cause), 20)]]++
		case f.w.Census.Behind+f.w.Census.OnTarget == 0:
			ends["no active machine"]++
		case f.rig.now.Sub(r.ProgressAt) < 4*time.Hour:
			ends["in progress"]++
		default:
			t.Fatalf("seed %d waits in silence: %+v, in flight %d, census %+v, next %s, machines %+v", seed, *r, f.w.Ledger.InFlight, f.w.Census, d.Detail(), f.machines)
		}
	}
	t.Log(ends)
}
