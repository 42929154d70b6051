// Package account manages users and their passwords, browser sessions and API
// tokens. It stores only hashes of passwords and tokens.
package account

import (
	"cmp"
	"log/slog"
	"time"

	"github.com/coreroller/coreroller/fleet/change"
	"github.com/coreroller/coreroller/store"
)

// Service has the verbs for users, sessions and tokens. It is safe for concurrent
// use.
type Service struct {
	store               *store.Store
	changes             *change.Writer
	now                 func() time.Time
	log                 *slog.Logger
	idle                time.Duration // an unused session ends after it
	openLane, knownLane *lane         // of password hashes
	failed              failedSignIns
	uses                *uses
}

// Options are what a Service needs.
type Options struct {
	Store   *store.Store
	Changes *change.Writer
	Now     func() time.Time // UTC microseconds
	Log     *slog.Logger
	Idle    time.Duration // an unused session ends after it; zero: DefaultSessionIdle
}

// New makes a Service.
func New(o Options) *Service {
	return &Service{
		store: o.Store, changes: o.Changes, now: o.Now, log: o.Log, idle: cmp.Or(o.Idle, DefaultSessionIdle),
		openLane: newLane(maxHashing), knownLane: newLane(maxHashingKnown), uses: newUses(),
	}
}
