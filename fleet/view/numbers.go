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

// Below counts the active machines that run neither the target nor a higher version
// that is not recalled.
func (n *Numbers) Below() (below int) {
	for _, v := range n.ByVersion {
		if v.place != version.OnTarget && v.place != version.Above {
			below += v.Active
		}
	}
	return below
}

// Numbers counts machines. Each is in exactly one of OnTarget, OtherBuild, AboveTarget,
// BadVersion, InFlight, Failed, Quarantined, Overridden, Silent and Waiting.
type Numbers struct {
	AsOf        time.Time
	Total       int
	Active      int // seen within 24 hours
	OnTarget    int
	OtherBuild  int // run the target but for its build metadata
	AboveTarget int // run a higher version
	BadVersion  int // run a blacklisted version, or the target of a halted rollout
	Recalled    int // of BadVersion, those that are downgraded to the target
	InFlight    int // the same as the ledger's
	Waiting     int // below the target without an update in flight; all when there is no target
	Failed      int // the last attempt failed, and no decision followed
	Quarantined int
	Silent      int
	Overridden  int // pinned or held by a person
	ByVersion   []VersionCount
}

// VersionCount counts the machines that run one version. In numbers of several groups
// a version has an entry for each of its standings.
type VersionCount struct {
	Version  string
	Machines int
	Active   int // seen within 24 hours
	Standing VersionStanding
	place    version.Place

	notEnrolled int // of Active, held for this reason
}

// OnTarget reports whether the version is the target of its groups or a higher one.
func (v *VersionCount) OnTarget() bool {
	return v.place == version.OnTarget || v.place == version.Above
}

// VersionStanding says how a version relates to the target of its group.
type VersionStanding string

// The standings of versions.
const (
	VersionOnTarget   VersionStanding = "ON_TARGET"
	VersionAbove      VersionStanding = "ABOVE_TARGET"
	VersionBelow      VersionStanding = "BELOW_TARGET"
	VersionOtherBuild VersionStanding = "OTHER_BUILD"
	VersionBad        VersionStanding = "BAD"       // blacklisted, or the target of a halted rollout
	VersionNoTarget   VersionStanding = "NO_TARGET" // the group has none
)

var standings = map[version.Place]VersionStanding{
	version.None: VersionNoTarget, version.Behind: VersionBelow, version.OnTarget: VersionOnTarget,
	version.OtherBuild: VersionOtherBuild, version.Above: VersionAbove,
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
	versions map[versionKey]*VersionCount
	states   map[rollout.State]*StateCount
	held     map[rollout.Reason]*HeldCount
}

type versionKey struct {
	version  string
	standing VersionStanding
	place    version.Place
}

func newTally(now time.Time) *tally {
	return &tally{
		Numbers:  Numbers{AsOf: now},
		versions: map[versionKey]*VersionCount{}, states: map[rollout.State]*StateCount{}, held: map[rollout.Reason]*HeldCount{},
	}
}

// add adds one row of a group, whose rollout is in state s.
func (t *tally) add(row *db.GroupCount, g *catalog.Group, s rollout.RolloutState) {
	n, place := row.Machines, g.Place(row.Version)
	active := 0
	if row.Standing != rollout.StandingSilent {
		active = n
	}
	t.Total += n
	t.Active += active
	key := versionKey{row.Version, standings[place], place}
	if g.Bad(row.Version, s == rollout.RolloutHalted) {
		key.standing = VersionBad
	}
	v := entry(t.versions, key, func() *VersionCount { return &VersionCount{Version: row.Version, Standing: key.standing, place: place} })
	v.Machines, v.Active = v.Machines+n, v.Active+active
	if row.Reason == rollout.ReasonNotEnrolled.String() {
		v.notEnrolled += active
	}
	c := entry(t.states, row.State, func() *StateCount { return &StateCount{State: row.State} })
	c.Machines, c.Active = c.Machines+n, c.Active+active

	switch g.CountedPart(row, s) {
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
	case catalog.PartAboveTarget:
		t.AboveTarget += n
	case catalog.PartBadVersion:
		t.BadVersion += n
		if place == version.Behind {
			t.Recalled += n
			t.hold(row.Reason, n)
		}
	case catalog.PartFailed:
		t.Failed += n
		t.hold(row.Reason, n)
	case catalog.PartWaiting:
		t.Waiting += n
		t.hold(row.Reason, n)
	}
}

func (t *tally) hold(reason string, n int) {
	if r := rollout.ParseReason(reason); r.Waits() {
		entry(t.held, r, func() *HeldCount { return &HeldCount{Reason: r} }).Machines += n
	}
}

// numbers returns the sum, with the highest version first.
func (t *tally) numbers() Numbers {
	out := t.Numbers
	out.ByVersion = inOrder(t.versions, func(a, b VersionCount) int {
		return cmp.Or(newestFirst(a.Version, b.Version), cmp.Compare(a.Standing, b.Standing), cmp.Compare(a.place, b.place))
	})
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
