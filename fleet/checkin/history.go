package checkin

import (
	"hash/maphash"
	"slices"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/coreroller/coreroller/fleet/quota"
	"github.com/coreroller/coreroller/rollout"
	"github.com/coreroller/coreroller/store"
)

// maxWriters bounds the machines whose history entries are counted, some 100 bytes
// each. Above it the count of some machine starts again.
const maxWriters = 200_000

// histories counts the history entries of each machine in the current hour.
type histories struct {
	seed maphash.Seed

	mu      sync.Mutex
	hour    int64
	writers map[uuid.UUID]writer
}

// writer is a machine that wrote history in this hour.
type writer struct {
	entries int
	last    uint64 // hash of the last entry
}

// historyPlan is what a batch writes about one group. It is noted after the commit.
type historyPlan struct {
	hour            int64
	most            int
	writers         map[uuid.UUID]writer
	refused, merged int64
}

// plan returns the entries to store: without those that repeat the machine's last one
// of the hour, and those beyond the quota. The last one stored says that further ones
// are not. An entry with which the machine changes repeats nothing, although this process
// stored the same last: another one has stored what came in between.
func (h *histories) plan(entries []store.HistoryEntry, changes func(store.HistoryEntry) bool, most int, now time.Time) ([]store.HistoryEntry, *historyPlan) {
	if most == 0 || len(entries) == 0 {
		return entries, nil
	}
	p := &historyPlan{hour: now.Unix() / 3600, most: most, writers: map[uuid.UUID]writer{}}
	h.mu.Lock()
	for i := range entries {
		if id := entries[i].InstanceID; p.hour == h.hour {
			p.writers[id] = h.writers[id]
		}
	}
	h.mu.Unlock()
	kept := entries[:0]
	for _, e := range entries {
		w := p.writers[e.InstanceID]
		hash := maphash.Comparable(h.seed, e.Entry)
		switch {
		case w.entries > most:
			p.refused++
			continue
		case w.entries > 0 && w.last == hash && !changes(e):
			p.merged++
			continue
		case w.entries == most:
			p.refused++
			e.Entry = rollout.Entry{Machine: e.Machine, State: e.State, Version: e.Version, Detail: "too many changes: further ones of this hour are not recorded"}
		}
		w.entries, w.last = w.entries+1, hash
		p.writers[e.InstanceID] = w
		kept = append(kept, e)
	}
	return kept, p
}

// activities returns the activities to store: without those of a machine whose history
// of the hour is full.
func (p *historyPlan) activities(all []store.Activity) []store.Activity {
	if p == nil {
		return all
	}
	return slices.DeleteFunc(all, func(a store.Activity) bool { return p.writers[a.InstanceID].entries > p.most })
}

// committed notes the plan of a batch that is on disk.
func (h *histories) committed(p *historyPlan, group uuid.UUID, r *quota.Refusals) {
	r.Add(quota.History, group, p.refused)
	r.Count(quota.Merged, p.merged)
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.hour != p.hour || h.writers == nil {
		h.hour, h.writers = p.hour, map[uuid.UUID]writer{}
	}
	for id, w := range p.writers {
		if _, known := h.writers[id]; !known && len(h.writers) >= maxWriters {
			for other := range h.writers { // drop a random one
				delete(h.writers, other)
				break
			}
		}
		h.writers[id] = w
	}
}
