// Package importing takes over the applications and machines of another server: from a
// database of Nebraska or of CoreRoller 1.0, which package store/foreign reads.
//
// It maps the rows there to objects here, plans what would change, and writes that: the
// configuration of each application in one transaction, machines, history and activity
// in batches. All ids are kept or derived, so that a second run changes only what changed
// there. What people changed here since the last import is not overwritten.
package importing

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/google/uuid"
)

// The kinds of what is imported, in the order of reports.
const (
	KindTeams        = "teams"
	KindUsers        = "users"
	KindApplications = "applications"
	KindPackages     = "packages"
	KindChannels     = "channels"
	KindGroups       = "groups"
	KindMachines     = "machines"
	KindHistory      = "history entries"
	KindAttempts     = "attempts"
	KindActivity     = "activity"
)

var kinds = []string{KindTeams, KindUsers, KindApplications, KindPackages, KindChannels, KindGroups, KindMachines, KindHistory, KindAttempts, KindActivity}

// Count counts the things of a kind by what the import does with them.
type Count struct {
	Kind     string `json:"kind"`
	New      int    `json:"new"`
	Changed  int    `json:"changed"`
	Same     int    `json:"same"`
	Conflict int    `json:"conflict"` // changed on both sides, and kept as they are here
	Dropped  int    `json:"dropped"`  // cannot be taken
}

// Note says what was not taken as it is there, and why.
type Note struct {
	Kind   string `json:"kind"`
	ID     string `json:"id"` // there; "" if it concerns all
	Name   string `json:"name"`
	Reason string `json:"reason"`
}

// maxNotes limits the notes that are stored and printed.
const maxNotes = 5000

// Report is the plan or the result of an import.
type Report struct {
	ID        uuid.UUID
	Source    string // nebraska or coreroller
	Place     string // host and database
	Schema    string // last migration there
	StartedAt time.Time
	EndedAt   time.Time
	Counts    []Count
	Notes     []Note

	unnamed int // notes beyond maxNotes
	counts  map[string]*Count
}

func (r *Report) count(kind string) *Count {
	if r.counts == nil {
		r.counts = map[string]*Count{}
	}
	if r.counts[kind] == nil {
		r.counts[kind] = &Count{Kind: kind}
	}
	return r.counts[kind]
}

func (r *Report) note(kind, id, name, format string, args ...any) {
	if len(r.Notes) >= maxNotes {
		r.unnamed++
		return
	}
	r.Notes = append(r.Notes, Note{kind, id, name, fmt.Sprintf(format, args...)})
}

// drop notes something that is not taken.
func (r *Report) drop(kind, id, name, format string, args ...any) {
	r.count(kind).Dropped++
	r.note(kind, id, name, "not taken: "+format, args...)
}

// finish sorts the counts.
func (r *Report) finish() {
	r.Counts = nil
	for _, kind := range slices.SortedFunc(maps.Keys(r.counts), func(a, b string) int {
		return cmp.Compare(slices.Index(kinds, a), slices.Index(kinds, b))
	}) {
		r.Counts = append(r.Counts, *r.counts[kind])
	}
	if r.unnamed > 0 {
		r.Notes = append(r.Notes, Note{Reason: fmt.Sprintf("%d further notes are left out", r.unnamed)})
		r.unnamed = 0
	}
}
