package view

import (
	"bytes"
	"cmp"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/coreroller/coreroller/ent/db"
	"github.com/coreroller/coreroller/fleet/catalog"
	"github.com/coreroller/coreroller/rollout"
	"github.com/coreroller/coreroller/rollout/version"
)

// Below counts the active machines that run neither the target nor a higher version.
func (n *Numbers) Below() (below int) {
	for i := range n.ByVersion {
		if !n.ByVersion[i].OnTarget {
			below += n.ByVersion[i].Active
		}
	}
	return below
}

// Numbers counts machines. Each is in exactly one of OnTarget, OtherBuild, InFlight,
// Failed, Quarantined, Overridden, Silent and Waiting.
type Numbers struct {
	AsOf        time.Time
	Total       int
	Active      int // seen within 24 hours
	OnTarget    int
	OtherBuild  int // run the target but for its build metadata
	InFlight    int // the same as the ledger's
	Waiting     int // below the target without an update in flight; all when there is no target
	Failed      int // the last attempt failed, and no decision followed
	Quarantined int
	Silent      int
	Overridden  int // pinned or held by a person
	ByVersion   []VersionCount
}

// VersionCount counts the machines that run one version.
type VersionCount struct {
	Version  string
	Machines int
	Active   int  // seen within 24 hours
	OnTarget bool // the version is the target or higher
}

// StateCount counts the machines in one state.
type StateCount struct {
	State    rollout.State
	Machines int
	Active   int // seen within 24 hours
}

// HeldCount counts the active machines that are held for one reason.
type HeldCount struct {
	Reason   rollout.Reason
	Machines int
}

// tally sums rows of group_counts of one or more groups.
type tally struct {
	Numbers
	versions map[string]*VersionCount
	states   map[rollout.State]*StateCount
	held     map[rollout.Reason]*HeldCount
}

func newTally(now time.Time) *tally {
	return &tally{
		Numbers:  Numbers{AsOf: now},
		versions: map[string]*VersionCount{}, states: map[rollout.State]*StateCount{}, held: map[rollout.Reason]*HeldCount{},
	}
}

// add adds one row of a group, which is nil if it was deleted meanwhile.
func (t *tally) add(row *db.GroupCount, g *catalog.Group) {
	n, place := row.Machines, version.None
	if g != nil {
		place = g.Place(row.Version)
	}
	active := 0
	if row.Standing != rollout.StandingSilent {
		active = n
	}
	t.Total += n
	t.Active += active
	v := entry(t.versions, row.Version, func() *VersionCount { return &VersionCount{Version: row.Version} })
	v.Machines, v.Active, v.OnTarget = v.Machines+n, v.Active+active, v.OnTarget || place == version.OnTarget || place == version.Above
	s := entry(t.states, row.State, func() *StateCount { return &StateCount{State: row.State} })
	s.Machines, s.Active = s.Machines+n, s.Active+active

	switch catalog.PartOf(row.State, row.Standing, place) {
	case catalog.PartInFlight:
		t.InFlight += n
	case catalog.PartQuarantined:
		t.Quarantined += n
	case catalog.PartOverridden:
		t.Overridden += n
	case catalog.PartSilent:
		t.Silent += n
	case catalog.PartOnTarget:
		t.OnTarget += n
	case catalog.PartOtherBuild:
		t.OtherBuild += n
	case catalog.PartFailed:
		t.Failed += n
		t.hold(row.Reason, n)
	case catalog.PartWaiting:
		t.Waiting += n
		t.hold(row.Reason, n)
	}
}

func (t *tally) hold(reason string, n int) {
	switch r := rollout.ParseReason(reason); {
	case r.Holds(), r == rollout.ReasonNoPackage, r == rollout.ReasonBlacklisted,
		r == rollout.ReasonOutsideClientPrefix, r == rollout.ReasonDisabledByClient:
		entry(t.held, r, func() *HeldCount { return &HeldCount{Reason: r} }).Machines += n
	}
}

// numbers returns the sum, with the highest version first.
func (t *tally) numbers() Numbers {
	out := t.Numbers
	out.ByVersion = inOrder(t.versions, func(a, b VersionCount) int { return newestFirst(a.Version, b.Version) })
	return out
}

func (t *tally) byState() []StateCount {
	return inOrder(t.states, func(a, b StateCount) int { return cmp.Compare(a.State, b.State) })
}

func (t *tally) heldBecause() []HeldCount {
	return inOrder(t.held, func(a, b HeldCount) int {
		return cmp.Or(cmp.Compare(b.Machines, a.Machines), cmp.Compare(a.Reason, b.Reason))
	})
}

// inOrder returns the values of a map in an order.
func inOrder[K comparable, V any](m map[K]*V, order func(a, b V) int) []V {
	var all []V
	for _, v := range m {
		all = append(all, *v)
	}
	slices.SortFunc(all, order)
	return all
}

func newestFirst(a, b string) int {
	v, _ := rollout.ParseVersion(a)
	w, _ := rollout.ParseVersion(b)
	return cmp.Or(w.Compare(v), cmp.Compare(b, a))
}

func entry[K comparable, V any](m map[K]*V, key K, fresh func() *V) *V {
	if m[key] == nil {
		m[key] = fresh()
	}
	return m[key]
}

func compareIDs(a, b uuid.UUID) int { return bytes.Compare(a[:], b[:]) }
