// Package account manages users and their passwords, browser sessions and API
// tokens. It stores only hashes of passwords and tokens.
package account

import (
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
	hashing chan struct{} // one slot per password hash being computed
}

// New makes a Service. now must return UTC microseconds.
func New(s *store.Store, changes *change.Writer, now func() time.Time) *Service {
	return &Service{store: s, changes: changes, now: now, hashing: make(chan struct{}, maxHashing)}
}
