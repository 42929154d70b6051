package store

import (
	"sync"

	"github.com/google/uuid"
)

// maxRecentRows bounds recentRows, some 1 kB a row. Most fleets have fewer open
// attempts at a time. Above it the rows of whole groups are dropped.
const maxRecentRows = 8192

// recentRows caches the rows of machines with an open attempt as this process
// wrote them last, because their next report comes soon. Every process that
// changes such a row holds the lock of its group and increments the ledger's
// writes. So while writes, read under the lock, equals the cached number, the
// cached rows equal the database rows, except possibly last_seen_at.
type recentRows struct {
	mu     sync.Mutex
	groups map[uuid.UUID]*recentGroup
	size   int // rows of all groups
}

type recentGroup struct {
	writes int64
	rows   map[uuid.UUID]*Machine // never changed
}

// find adds the cached machines of locked groups to found and returns the ids of
// the others.
func (r *recentRows) find(locked []*GroupState, ids []uuid.UUID, found map[uuid.UUID]*Machine) (missing []uuid.UUID) {
	r.mu.Lock()
	defer r.mu.Unlock()
	var groups []*recentGroup
	for _, g := range locked {
		switch cached := r.groups[g.GroupID]; {
		case cached == nil:
		case cached.writes == g.was.writes:
			groups = append(groups, cached)
		case cached.writes > g.was.writes:
			r.drop(g.GroupID) // the database was restored from a backup or failed over
		}
	}
	if len(groups) == 0 {
		return ids
	}
next:
	for _, id := range ids {
		for _, g := range groups {
			if row := g.rows[id]; row != nil {
				m := *row
				m.was = row
				found[id] = &m
				continue next
			}
		}
		missing = append(missing, id)
	}
	return missing
}

// keep caches what a committed batch wrote.
func (r *recentRows) keep(b *Batch) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, g := range b.Groups {
		if g.writes == g.was.writes {
			continue
		}
		cached := r.groups[g.GroupID]
		if cached != nil && cached.writes >= g.writes {
			continue // a later transaction of this process called keep first
		}
		if cached == nil || cached.writes != g.was.writes { // another process wrote in between
			cached = r.replace(g.GroupID)
		}
		cached.writes = g.writes
		for _, m := range b.Machines {
			r.put(cached, g.GroupID, m)
		}
	}
	for id := range r.groups { // in random order
		if r.size <= maxRecentRows {
			break
		}
		r.drop(id)
	}
}

// put caches a machine of a group, or drops it if it left the group or has no
// open attempt.
func (r *recentRows) put(g *recentGroup, id uuid.UUID, m *Machine) {
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

// replace drops a group and returns an empty one.
func (r *recentRows) replace(group uuid.UUID) *recentGroup {
	r.drop(group)
	if r.groups == nil {
		r.groups = map[uuid.UUID]*recentGroup{}
	}
	empty := &recentGroup{rows: map[uuid.UUID]*Machine{}}
	r.groups[group] = empty
	return empty
}

// forget drops groups whose cached rows differ from the database.
func (r *recentRows) forget(groups []*GroupState) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, g := range groups {
		r.drop(g.GroupID)
	}
}

// drop removes a group. The caller holds mu.
func (r *recentRows) drop(group uuid.UUID) {
	if g := r.groups[group]; g != nil {
		r.size -= len(g.rows)
		delete(r.groups, group)
	}
}
