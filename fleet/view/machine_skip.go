package view

import (
	"context"
	"fmt"
	"math"

	"github.com/coreroller/coreroller/auth"
	"github.com/coreroller/coreroller/fleet/fault"
	"github.com/coreroller/coreroller/rollout"
)

// skipStep is how many machines one statement leaves out. The database sorts as
// many index entries, 100 bytes each, on its disk when they are too many for it;
// with smaller steps it would read more of each stretch than it leaves out.
const skipStep = 100_000

// Seen are the standings of machines that were seen within the last 24 hours.
func Seen() []rollout.Standing {
	return []rollout.Standing{rollout.StandingActive, rollout.StandingOverridden, rollout.StandingQuarantined}
}

// Skip lets a list of one group, in the order of machine ids, begin n machines
// further on, and reports whether there are any. It reads n entries of an index
// for each version, state, reason and standing in the list at most, and none
// when the counters say that the list is shorter.
func (s *Service) Skip(ctx context.Context, l *MachineList, n int) (more bool, err error) {
	if _, err := fault.Require(ctx, auth.Read); err != nil {
		return false, err
	}
	if l.Group == nil || l.By != ByMachineID {
		return false, fmt.Errorf("skip machines of a list that is not of one group by machine id")
	}
	if n == 0 {
		return true, nil
	}
	if l.after == nil {
		all, exact, err := s.CountMachines(ctx, l.MachineFilter, math.MaxInt-1)
		if err != nil || exact && all <= n {
			return false, err
		}
	}
	for n > 0 {
		step := *l
		step.Limit, step.skip = 1, min(n, skipStep)-1
		ids, err := s.machineIDs(ctx, &step)
		if err != nil || len(ids) == 0 {
			return false, err
		}
		last, err := s.db().Instance.Get(ctx, ids[0])
		if err != nil {
			return false, fmt.Errorf("skip machines: %w", err)
		}
		l.after = placeOf(last)
		n -= step.skip + 1
	}
	return true, nil
}
