package store

import (
	"crypto/rand"
	"encoding/binary"
	"sync/atomic"
	"time"

	"github.com/google/uuid"
)

// sequence numbers the ids of this process and orders those of one millisecond,
// also when callers use different clocks, as parallel tests do. It starts at random,
// so that ids of two processes differ in more than their last 32 bits.
var sequence = func() *atomic.Uint64 {
	var start [8]byte
	_, _ = rand.Read(start[:5]) // cannot fail (crypto/rand); 40 bits leave room to count
	n := new(atomic.Uint64)
	n.Store(binary.LittleEndian.Uint64(start[:]))
	return n
}()

// NewID returns a UUID of version 7 (RFC 9562) for a row created at now. Later ids
// of this process sort after it unless the clock goes back.
func NewID(now time.Time) uuid.UUID {
	n := sequence.Add(1) // 42 bits are used: 12 after the version, 30 after the variant
	var id uuid.UUID
	_, _ = rand.Read(id[12:]) // cannot fail (crypto/rand)
	binary.BigEndian.PutUint64(id[:8], uint64(now.UnixMilli())<<16|7<<12|n>>30&0xfff)
	binary.BigEndian.PutUint32(id[8:12], 1<<31|uint32(n&(1<<30-1)))
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
