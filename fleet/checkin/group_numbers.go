package checkin

import (
	"slices"
	"sync"
	"sync/atomic"

	"github.com/google/uuid"
)

// groupNumbers gives groups small numbers from 1, which the idle cache keeps instead of
// ids. They are never reused; a deleted group costs 16 bytes.
type groupNumbers struct {
	mu  sync.Mutex
	ids atomic.Pointer[[]uuid.UUID] // by number - 1; replaced, never changed
}

// of returns the group with a number.
func (n *groupNumbers) of(number uint32) uuid.UUID { return (*n.ids.Load())[number-1] }

// number returns the number of a group.
func (n *groupNumbers) number(id uuid.UUID) uint32 {
	if at := n.find(id); at > 0 {
		return at
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if at := n.find(id); at > 0 {
		return at
	}
	var next []uuid.UUID
	if all := n.ids.Load(); all != nil {
		next = slices.Clone(*all)
	}
	next = append(next, id)
	n.ids.Store(&next)
	return uint32(len(next)) //nolint:gosec // G115: far fewer groups
}

func (n *groupNumbers) find(id uuid.UUID) uint32 {
	if all := n.ids.Load(); all != nil {
		return uint32(slices.Index(*all, id) + 1) //nolint:gosec // G115: far fewer groups
	}
	return 0
}
