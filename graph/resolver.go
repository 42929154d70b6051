package graph

import (
	"context"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/coreroller/coreroller/ent/db"
	"github.com/coreroller/coreroller/event"
	"github.com/coreroller/coreroller/fleet"
)

// Resolver answers fields. Reads go to the reader of the store, which refuses
// to write; writes are one call into the fleet.
type Resolver struct {
	Options
	fleet       *fleet.Service // Options.Fleet, which the query "fleet" hides
	reader      *db.Client
	projections *projections
	// subscriptions is how many are live.
	subscriptions atomic.Int64
	shares        *shares
}

// Options are what the API is made of.
type Options struct {
	Fleet *fleet.Service
	// Store reads rows and says what changed.
	Store Store
	// Guard signs in and tells who asks.
	Guard Guard
	// Now is the clock.
	Now func() time.Time
	// RequestID is the id of the request a context belongs to, for errors.
	RequestID func(context.Context) string
	// Log gets failures that are ours.
	Log *slog.Logger
	// Server is what serverInfo says.
	Server Server
}

// Store is what the API needs of the store.
type Store interface {
	// Reader is a client that refuses to write.
	Reader() *db.Client
	Bus() event.Bus
	// Ping reports whether the database answers.
	Ping(ctx context.Context) error
}

// Guard is what the API needs of auth.Guard.
type Guard interface {
	// Try runs a sign-in unless it comes too early after failures.
	Try(ctx context.Context, username string, f func() error) error
	// Forget drops what is remembered of passwords.
	Forget()
	// Recheck reports, with auth.ErrUnauthenticated, that the session which a
	// long connection began with is over.
	Recheck(ctx context.Context) error
}

// Server is what the API knows of the process it runs in.
type Server struct {
	Version   string
	StartedAt time.Time
	Postgres  bool
	// UpdateURL is where machines send their requests, as the caller of a
	// context reaches this server.
	UpdateURL func(context.Context) string
}
