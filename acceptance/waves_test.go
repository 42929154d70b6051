package acceptance

import (
	"fmt"
	"maps"
	"slices"
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
	waves := policy(func(p *rollout.Policy) {
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
