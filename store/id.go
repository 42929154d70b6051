package store

import (
	"crypto/rand"
	"sync"
	"time"

	"github.com/google/uuid"
)

// lastID keeps ids of one process in the order they were made, also within
// one millisecond: the low 12 bits count up.
var lastID struct {
	sync.Mutex
	tick uint64 // milliseconds << 12 | counter
}

// NewID makes a UUID of version 7 (RFC 9562) for a row made at now. Ids made
// later in this process sort after it as long as now does not go back.
func NewID(now time.Time) uuid.UUID {
	tick := uint64(now.UnixMilli()) << 12
	lastID.Lock()
	if lastID.tick >= tick && lastID.tick-tick < 1<<12 {
		tick = lastID.tick + 1
	}
	lastID.tick = tick
	lastID.Unlock()

	var id uuid.UUID
	_, _ = rand.Read(id[8:]) // never fails (crypto/rand)
	// 48 bits of milliseconds, version, 12 bits of counter.
	id[7] = byte(tick)
	id[6] = 0x70 | byte(tick>>8)&0x0f
	ms := tick >> 12
	for i := 5; i >= 0; i-- {
		id[i] = byte(ms)
		ms >>= 8
	}
	id[8] = id[8]&0x3f | 0x80
	return id
}

// firstID is lower than every id made by NewID at or after t; retention
// deletes by it.
func firstID(t time.Time) uuid.UUID {
	var id uuid.UUID
	ms := uint64(t.UnixMilli())
	for i := 5; i >= 0; i-- {
		id[i] = byte(ms)
		ms >>= 8
	}
	id[6] = 0x70
	return id
}
