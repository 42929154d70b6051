package acceptance

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/coreroller/coreroller/rollout"
	"github.com/coreroller/coreroller/store/storetest"
)

// checkAll sends the checks of machines over 200 connections and returns the
// machines that were offered an update.
func (s *site) checkAll(machines []int, version string) map[int]bool {
	s.t.Helper()
	const connections = 200
	offered := make([]bool, len(machines))
	atOnce(connections, func(i int) {
		for k := i; k < len(machines); k += connections {
			a := s.check(fmt.Sprint("m", machines[k]), version)
			offered[k] = a.offered() != ""
		}
	})
	chosen := map[int]bool{}
	for k, yes := range offered {
		if yes {
			chosen[machines[k]] = true
		}
	}
	return chosen
}

// fleetSize is the number of machines in case 25. `make test-go` runs the full size
// without the race detector, which makes SQLite ten times slower.
var fleetSize = storetest.Size(1_000, 10_000)

func TestCase25_WavesGrowByBucket(t *testing.T) {
	shares := []float64{0.01, 0.5, 1}
	waves := withPolicy(func(p *rollout.Policy) {
		for _, share := range shares {
			p.Waves = append(p.Waves, rollout.Wave{Share: share, Soak: time.Hour, MinFinished: 2, MinSuccessShare: 0.9})
		}
	})
	each(t, func(t *testing.T, s *site) {
		salt := s.rolloutOf(s.group).Salt
		waiting := make([]int, fleetSize)
		for k := range waiting {
			waiting[k] = k
		}
		for wave, share := range shares {
			offered := s.checkAll(waiting, "1.0.0")
			for _, k := range waiting {
				if bucket := rollout.Bucket(salt, fmt.Sprint("m", k)); offered[k] != (bucket < share) {
					t.Fatalf("wave %d: m%d in bucket %v was offered an update: %t", wave+1, k, bucket, offered[k])
				}
			}
			waiting = slices.DeleteFunc(waiting, func(k int) bool { return offered[k] })
			s.advance(time.Hour)
			s.work()
			if r := s.rolloutOf(s.group); r.Wave != wave || r.GateAt != nil {
				t.Fatalf("wave %d, gate met at %v before any machine finished, want wave %d", r.Wave, r.GateAt, wave)
			}
			s.checkAll(slices.Collect(maps.Keys(offered)), "2.0.0")
			if wave == len(shares)-1 {
				break
			}
			s.advance(time.Hour - time.Second)
			s.work()
			if r := s.rolloutOf(s.group); r.Wave != wave || r.GateAt == nil {
				t.Fatalf("wave %d, gate met at %v during the soak, want wave %d", r.Wave, r.GateAt, wave)
			}
			s.advance(time.Second)
			s.work()
			if r := s.rolloutOf(s.group); r.Wave != wave+1 {
				t.Fatalf("wave %d after the soak, want %d", r.Wave, wave+1)
			}
		}
		s.rolloutIs(rollout.RolloutCompleted)
		s.activityCount(rollout.ActivityWaveAdvanced, 2)
	}, limit(fleetSize, 15*time.Minute), lease(24*time.Hour), waves)
}

// Shares of a small group can contain no machine. Every wave has a machine, and its gate
// asks for no more than it has.
func TestCase60_WavesOfASmallGroupHaveMachines(t *testing.T) {
	shares := []float64{0.05, 0.25, 1}
	waves := withPolicy(func(p *rollout.Policy) {
		for _, share := range shares {
			p.Waves = append(p.Waves, rollout.Wave{Share: share, Soak: time.Minute, MinFinished: 5, MinSuccessShare: 0.9})
		}
	})
	each(t, func(t *testing.T, s *site) {
		for round := range 8 { // each with another salt
			from, to := fmt.Sprintf("%d.0.0", round+1), fmt.Sprintf("%d.0.0", round+2)
			if round > 0 {
				s.promote(to)
			}
			waiting := map[string]bool{}
			for i := range 10 {
				waiting[fmt.Sprint("m", i)] = true
				s.check(fmt.Sprint("m", i), from) // it is known
			}
			for wave := range shares {
				if r := s.rolloutOf(s.group); r.Wave != wave {
					t.Fatalf("round %d: wave %d, want %d: %+v", round, r.Wave, wave, r)
				}
				updated := 0
				for _, m := range slices.Sorted(maps.Keys(waiting)) {
					if s.check(m, from).offered() == "" {
						continue
					}
					s.updates(m, from, to)
					delete(waiting, m)
					updated++
				}
				if updated == 0 {
					t.Fatalf("round %d: no machine is in wave %d", round, wave+1)
				}
				s.advance(time.Minute)
				s.work()
			}
			if len(waiting) > 0 || s.stateOf() != rollout.RolloutCompleted {
				t.Fatalf("round %d: %d machines wait: %+v", round, len(waiting), s.rolloutOf(s.group))
			}
		}
	}, limit(100, time.Minute), lease(24*time.Hour), waves)
}

func TestWaveOfMachinesThatCannotUpdateIsPassedAndSaysSo(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		s.holds("m", "1.0.0", "wave_not_reached")
		s.check("ahead", "2.0.0")
		s.advance(time.Minute)
		s.work()
		s.advance(time.Minute)
		s.work()
		s.grants("m", "1.0.0", "2.0.0")
		a := s.activities(rollout.ActivityWaveAdvanced)
		if len(a) != 1 || !strings.Contains(a[0].Detail, "wave 1 had no machine that could update") {
			t.Errorf("activities %v", a)
		}
	}, withPolicy(func(p *rollout.Policy) {
		p.Waves = []rollout.Wave{{Canaries: []string{"ahead"}, Soak: time.Minute}, {Share: 1}}
	}))
}

func TestCanaryThatFailsForGoodHalts(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		s.grants("canary", "1.0.0", "2.0.0")
		s.grants("m", "1.0.0", "2.0.0")
		s.reports("m", "1.0.0", "3/0 10")
		s.reports("canary", "1.0.0", "3/0 10")
		if s.stateOf() != rollout.RolloutActive {
			t.Error("halted after the first of two attempts")
		}
		s.grants("canary", "1.0.0", "2.0.0")
		s.reports("canary", "1.0.0", "3/0 10")
		s.holds("n", "1.0.0", "halted")
		if r := s.rolloutOf(s.group); r.Halt.Rule != rollout.HaltCanary || r.Halt.Machines[len(r.Halt.Machines)-1] != "canary" {
			t.Errorf("halt %+v", r.Halt)
		}
	}, limit(9, time.Minute), withPolicy(func(p *rollout.Policy) {
		p.MaxAttempts = 2
		p.Waves = []rollout.Wave{{Canaries: []string{"canary"}, Share: 1}}
	}))
}
