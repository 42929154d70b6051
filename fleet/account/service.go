// Package account manages users and their passwords, browser sessions and API
// tokens. It stores only hashes of passwords and tokens.
package account

import (
	"log/slog"
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
	log     *slog.Logger
	hashing chan struct{} // one slot per password hash being computed
	failed  failedSignIns
}

// New makes a Service. now must return UTC microseconds.
func New(s *store.Store, changes *change.Writer, now func() time.Time, log *slog.Logger) *Service {
	return &Service{store: s, changes: changes, now: now, log: log, hashing: make(chan struct{}, maxHashing)}
}
