package year

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"time"

	"github.com/coreroller/coreroller/simulate"
)

// Result is what a year brought.
type Result struct {
	Problems  []string       // broken caps, wrong counters, lost machines: none in a right server
	Forgotten int            // problems beyond those that are listed
	Stuck     int            // machines that do not run the newest release at the end, without a reason
	Behind    map[string]int // machines not on the newest release, by why

	Traffic                                                                              Traffic
	Halts, FalseHalts, RollBacks, Pauses, PolicyChanges, Restarts, Replaced, Held, Moved int

	Months    []Sizes
	Forecasts []Forecast
	Unjudged  int // forecasts of rollouts that were replaced before most machines had updated
}

// Traffic counts what machines did.
type Traffic struct {
	Requests, Checks, Offers, Updated, Failed, RolledBack, Unanswered, Refused, Downgrades int
}

func (t *Traffic) add(x *simulate.Exchange) {
	r := &x.Result
	for _, c := range []struct {
		n  *int
		is bool
	}{
		{&t.Checks, r.Checked}, {&t.Offers, r.Offered}, {&t.Updated, r.Updated}, {&t.Failed, r.Failed}, {&t.RolledBack, r.RolledBack},
		{&t.Unanswered, r.Unanswered}, {&t.Refused, r.Refused}, {&t.Downgrades, r.Downgrade},
	} {
		if c.is {
			*c.n++
		}
	}
}

// Sizes are rows and memory at one time.
type Sizes struct {
	Day, Machines                                                                   int
	Instances, History, Attempts, Activities, Audits, Points, Pace, Counts, Uptimes int
	File                                                                            int64 // bytes of the SQLite file; 0 on PostgreSQL
	Heap, Goroutines                                                                int   // bytes after a collection; of this process, with the simulated machines
}

func (s Sizes) String() string {
	return fmt.Sprintf("%d machines (%d rows), %d history, %d attempts, %d activities, %d audits, %d points, %d pace, %d counts, %d uptimes, file %d MiB, %d goroutines",
		s.Machines, s.Instances, s.History, s.Attempts, s.Activities, s.Audits, s.Points, s.Pace, s.Counts, s.Uptimes, s.File>>20, s.Goroutines)
}

// Forecast compares the predicted length of a rollout with the real one.
type Forecast struct {
	Group           string
	Release         int
	Predicted, Took time.Duration
	Touched         bool // a person paused it, changed its policy or approved a wave
}

const maxProblems = 50

func (r *Result) fail(format string, args ...any) {
	if len(r.Problems) == maxProblems {
		r.Forgotten++
		return
	}
	r.Problems = append(r.Problems, fmt.Sprintf(format, args...))
}

// Print writes the result for people.
func (r *Result) Print(out io.Writer) {
	line := func(format string, args ...any) { _, _ = fmt.Fprintf(out, format+"\n", args...) }
	t := &r.Traffic
	line("%d requests, %d checks, %d offers, %d updated, %d failed, %d rolled back, %d unanswered, %d refused, %d downgrades",
		t.Requests, t.Checks, t.Offers, t.Updated, t.Failed, t.RolledBack, t.Unanswered, t.Refused, t.Downgrades)
	line("%d halts (%d of them of good releases), %d roll-backs, %d pauses, %d policy changes, %d restarts, %d machines replaced, %d held, %d moved",
		r.Halts, r.FalseHalts, r.RollBacks, r.Pauses, r.PolicyChanges, r.Restarts, r.Replaced, r.Held, r.Moved)
	for _, s := range r.Months {
		line("day %d: %s, heap %d MiB", s.Day, s, s.Heap>>20)
	}
	r.printForecasts(line)
	for _, why := range slices.Sorted(maps.Keys(r.Behind)) {
		line("behind: %d machines, %s", r.Behind[why], why)
	}
	line("%d machines are stuck, %d problems", r.Stuck, len(r.Problems)+r.Forgotten)
	for _, p := range r.Problems {
		line("  %s", p)
	}
}

// printForecasts prints how the real length compares with the predicted one.
func (r *Result) printForecasts(line func(string, ...any)) {
	var ratios []float64
	for _, f := range r.Forecasts {
		if !f.Touched {
			ratios = append(ratios, f.Took.Hours()/f.Predicted.Hours())
		}
	}
	slices.Sort(ratios)
	if len(ratios) == 0 {
		line("no forecast could be judged, %d rollouts were replaced before", r.Unjudged)
		return
	}
	at := func(share float64) float64 { return ratios[min(len(ratios)-1, int(share*float64(len(ratios))))] }
	line("%d forecasts of rollouts without an interference: took %.2f (10 %%), %.2f (median), %.2f (90 %%) of what was predicted; %d rollouts were replaced before",
		len(ratios), at(.1), at(.5), at(.9), r.Unjudged)
}
