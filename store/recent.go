package store

import (
	"sync"

	"github.com/google/uuid"
)

// recentRows is how many rows are kept, each of some 1 kB: more than are under
// way in most fleets at a time. Beyond it those of some group are read again.
const recentRows = 8192

// recent keeps the rows of machines with an update under way as this process
// wrote them last, so that the next step of the update does not read them: one
// that reports is heard of again soon. Whoever changes such a row holds the
// lock of its group and raises its ledger's count of writes; so as long as that
// count, read under the lock, is the one known here, the rows are those of the
// database but for a moment at which somebody else saw the machine.
type recent struct {
	mu     sync.Mutex
	groups map[uuid.UUID]*recentGroup
	size   int
}

type recentGroup struct {
	writes int64
	rows   map[uuid.UUID]*Machine // never changed
}

// find moves to found what is known of the machines of locked groups, and
// returns the ids of the others.
func (r *recent) find(locked []*GroupState, ids []uuid.UUID, found map[uuid.UUID]*Machine) (missing []uuid.UUID) {
	r.mu.Lock()
	defer r.mu.Unlock()
	var groups []*recentGroup
	for _, g := range locked {
		switch known := r.groups[g.GroupID]; {
		case known == nil:
		case known.writes == g.was.writes:
			groups = append(groups, known)
		case known.writes > g.was.writes:
			r.drop(g.GroupID) // the database is an older one, restored or failed over to
		}
	}
	if len(groups) == 0 {
		return ids
	}
next:
	for _, id := range ids {
		for _, g := range groups {
			if m := g.rows[id]; m != nil {
				is := *m
				is.was = m
				found[id] = &is
				continue next
			}
		}
		missing = append(missing, id)
	}
	return missing
}

// keep takes what a transaction left of some groups and machines.
func (r *recent) keep(b *Batch) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, g := range b.Groups {
		if g.writes == g.was.writes {
			continue
		}
		known := r.groups[g.GroupID]
		if known != nil && known.writes >= g.writes {
			continue // somebody wrote after it and was here first
		}
		if known == nil || known.writes != g.was.writes { // another process wrote meanwhile
			known = r.begin(g.GroupID)
		}
		known.writes = g.writes
		for _, m := range b.Machines {
			r.put(known, g.GroupID, m)
		}
	}
	for id := range r.groups { // in no order
		if r.size <= recentRows {
			break
		}
		r.drop(id)
	}
}

// put keeps a row of a group, or drops it when it is no longer one to be kept.
func (r *recent) put(g *recentGroup, id uuid.UUID, m *Machine) {
	before := len(g.rows)
	if m.GroupID == id && m.Attempt.Open() {
		row := *m
		row.was = nil
		g.rows[m.InstanceID] = &row
	} else {
		delete(g.rows, m.InstanceID)
	}
	r.size += len(g.rows) - before
}

// begin knows nothing of a group yet.
func (r *recent) begin(group uuid.UUID) *recentGroup {
	r.drop(group)
	if r.groups == nil {
		r.groups = map[uuid.UUID]*recentGroup{}
	}
	known := &recentGroup{rows: map[uuid.UUID]*Machine{}}
	r.groups[group] = known
	return known
}

// doubt forgets groups of which something was not as it is known here.
func (r *recent) doubt(groups []*GroupState) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, g := range groups {
		r.drop(g.GroupID)
	}
}

// drop forgets a group; it is called with the lock held.
func (r *recent) drop(group uuid.UUID) {
	if g := r.groups[group]; g != nil {
		r.size -= len(g.rows)
		delete(r.groups, group)
	}
}
