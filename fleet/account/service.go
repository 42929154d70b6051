// Package account manages users and their passwords, browser sessions and API
// tokens. It stores only hashes of passwords and tokens.
package account

import (
	"cmp"
	"time"

	"github.com/coreroller/coreroller/fleet/change"
	"github.com/coreroller/coreroller/store"
)

// Service has the verbs for users, sessions and tokens. It is safe for concurrent
// use.
type Service struct {
	store   *store.Store
	changes *change.Writer
	now     func() time.Time
	idle    time.Duration // an unused session ends after it
	hashing chan struct{} // one slot per password hash being computed
	uses    *uses
}

// New makes a Service. now must return UTC microseconds. An unused session ends after
// idle, by default after DefaultSessionIdle.
func New(s *store.Store, changes *change.Writer, now func() time.Time, idle time.Duration) *Service {
	return &Service{
		store: s, changes: changes, now: now, idle: cmp.Or(idle, DefaultSessionIdle),
		hashing: make(chan struct{}, maxHashing), uses: newUses(),
	}
}
