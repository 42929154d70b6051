package rollout

import (
	"fmt"
	"slices"
)

// FailureKind counts machines that failed in the same way.
type FailureKind struct {
	Outcome  Outcome
	Code     int
	Machines int
}

// maxFailureKinds limits the kinds of failure that a rollout stores, because machines
// can send any code. The most common kind is among the first.
const maxFailureKinds = 50

// noteKind adds n to the kind of a result, under the conditions of the evidence.
func (w *World) noteKind(res *Result, n int) {
	r := &w.Rollout
	if !res.Outcome.Failure() || res.Rollout != r.ID || res.Epoch != r.Epoch || res.Wave == NewcomerWave {
		return
	}
	kinds := slices.Clone(r.FailureKinds) // never changed in place: see World
	at := slices.IndexFunc(kinds, func(k FailureKind) bool { return k.Outcome == res.Outcome && k.Code == res.Code })
	switch {
	case at >= 0:
		kinds[at].Machines += n
	case n > 0 && len(kinds) < maxFailureKinds:
		kinds = append(kinds, FailureKind{Outcome: res.Outcome, Code: res.Code, Machines: n})
	}
	r.FailureKinds = slices.DeleteFunc(kinds, func(k FailureKind) bool { return k.Machines <= 0 })
}

// mostCommon returns the kind with the most machines, of equal ones the first that
// occurred, and the zero kind if there is none.
func mostCommon(kinds []FailureKind) (most FailureKind) {
	for _, k := range kinds {
		if k.Machines > most.Machines {
			most = k
		}
	}
	return most
}

// alike says what happened to the machines of a kind, which are some or all of the failed ones,
// after a number of failures; "" for the zero kind.
func (k FailureKind) alike(failed int) string {
	who, one := fmt.Sprintf("%d of them", k.Machines), k.Machines == 1
	switch {
	case k.Machines == 0:
		return ""
	case k.Machines == failed && one:
		who = "it"
	case k.Machines == failed:
		who = "all of them"
	}
	switch {
	case k.Outcome != OutcomeFailed:
		return "; " + who + " " + k.happened()
	case one:
		who += " failed"
	}
	return "; " + who + " with " + nameCode(k.Code)
}

// happened says what machines did whose failure halts, after their name or number.
func (k FailureKind) happened() string {
	choose := func(single, several string) string {
		if k.Machines == 1 {
			return single
		}
		return several
	}
	switch k.Outcome {
	case OutcomeFailed:
		return "failed: " + DescribeCode(k.Code)
	case OutcomeRolledBack:
		return "rolled back to the previous version"
	case OutcomeTimeout:
		return "did not report before " + choose("its lease", "their leases") + " expired"
	case OutcomeNotRunning:
		return "reported success, but still " + choose("runs", "run") + " the old version"
	case OutcomeLost:
		return choose("has", "have") + " been silent since the installation"
	case OutcomeLooping:
		return "began the update again and again"
	default: // halted before the outcome was stored
		return "failed"
	}
}
