package store

import (
	"crypto/rand"
	"sync"
	"time"

	"github.com/google/uuid"
)

// lastID keeps the ids of one process in the order of their creation, also within
// one millisecond: the low 12 bits of tick are a counter.
var lastID struct {
	sync.Mutex
	tick uint64 // milliseconds << 12 | counter
}

// NewID returns a UUID of version 7 (RFC 9562) for a row created at now. Later ids
// of this process sort after it unless the clock goes back.
func NewID(now time.Time) uuid.UUID {
	tick := uint64(now.UnixMilli()) << 12
	lastID.Lock()
	if lastID.tick >= tick && lastID.tick-tick < 1<<12 {
		tick = lastID.tick + 1
	}
	lastID.tick = tick
	lastID.Unlock()

	var id uuid.UUID
	_, _ = rand.Read(id[8:]) // cannot fail (crypto/rand)
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

// firstID is the lower bound of the ids that NewID returns at or after t.
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
