// Package account holds the people who sign in: users and passwords, sessions
// of browsers, tokens of scripts. It keeps only hashes of passwords and tokens.
package account

import (
	"time"

	"github.com/coreroller/coreroller/fleet/change"
	"github.com/coreroller/coreroller/store"
)

// Service carries the verbs. It is safe for concurrent use.
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
