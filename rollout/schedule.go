package rollout

import "time"

// Schedule is a compiled policy: its zone loaded, its windows merged, its
// canaries indexed. It never changes and may be shared. See Compile.
type Schedule struct {
	policy   Policy
	zone     *time.Location
	weekly   []span         // open seconds of the local week, merged and sorted; nil: all of it
	freezes  []Freeze       // by beginning
	canaries map[string]int // machine id to the first wave that names it
}

// Policy is what the schedule was compiled from. It must not be changed.
func (s *Schedule) Policy() *Policy { return &s.policy }

// lastWave is the index of the last wave, -1 when there are none.
func (s *Schedule) lastWave() int { return len(s.policy.Waves) - 1 }

// always reports whether no window and no freeze ever closes.
func (s *Schedule) always() bool { return s.weekly == nil && len(s.freezes) == 0 }
