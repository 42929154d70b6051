package machines

import (
	"context"
	"fmt"
	"math"

	"github.com/coreroller/coreroller/auth"
	"github.com/coreroller/coreroller/fleet/fault"
	"github.com/coreroller/coreroller/rollout"
)

// skipStep is the maximum number of machines that one statement leaves out. The
// database sorts as many index entries of 100 bytes, on disk when they exceed its
// memory; smaller steps would read more of each bucket than they leave out.
const skipStep = 100_000

// Seen returns the standings of machines that were seen within the last 24 hours.
func Seen() []rollout.Standing {
	return []rollout.Standing{rollout.StandingActive, rollout.StandingOverridden, rollout.StandingQuarantined}
}

// Skip leaves out n machines of a list of one group by machine id, and reports
// whether any are left. It reads at most n index entries of each count bucket, and
// none when the counters show that the list is shorter.
func (r *Reader) Skip(ctx context.Context, l *List, n int) (more bool, err error) {
	if _, err := fault.Require(ctx, auth.Viewer); err != nil {
		return false, err
	}
	if l.Group == nil || l.By != ByMachineID {
		return false, fmt.Errorf("skip machines of a list that is not of one group by machine id")
	}
	if n == 0 {
		return true, nil
	}
	if l.after == nil {
		all, exact, err := r.CountMachines(ctx, l.Filter, math.MaxInt-1)
		if err != nil || exact && all <= n {
			return false, err
		}
	}
	for n > 0 {
		step := *l
		step.Limit, step.skip = 1, min(n, skipStep)-1
		ids, err := r.pageIDs(ctx, &step)
		if err != nil || len(ids) == 0 {
			return false, err
		}
		last, err := r.store.Reader().Instance.Get(ctx, ids[0])
		if err != nil {
			return false, fmt.Errorf("skip machines: %w", err)
		}
		l.after = placeOf(last)
		n -= step.skip + 1
	}
	return true, nil
}
