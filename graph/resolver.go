package graph

import (
	"context"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/coreroller/coreroller/event"
	"github.com/coreroller/coreroller/fleet"
)

// Resolver resolves fields. Reads are calls of the view, mutations of the fleet.
type Resolver struct {
	Options
	fleet *fleet.Service // Options.Fleet, hidden by the resolver of the field "fleet"
	// subscriptions counts the open ones.
	subscriptions atomic.Int64
	executions    *executions
}

// Options configures the API. All fields are required.
type Options struct {
	Fleet *fleet.Service
	// Store publishes events.
	Store Store
	// Guard limits sign-ins and checks sessions.
	Guard Guard
	// Now is the clock.
	Now func() time.Time
	// RequestID returns the request id of a context, for errors.
	RequestID func(context.Context) string
	// Log receives internal errors.
	Log *slog.Logger
	// Server is the content of serverInfo.
	Server Server
}

// Store is the part of the store that the API uses.
type Store interface {
	Bus() event.Bus
	// Ping reports whether the database answers.
	Ping(ctx context.Context) error
}

// Guard is the part of auth.Guard that the API uses.
type Guard interface {
	// Try runs a sign-in; soon after failures it returns auth.TooManyTries instead.
	Try(ctx context.Context, username string, f func() error) error
	// Forget clears the cache of verified passwords.
	Forget()
	// Recheck returns auth.ErrUnauthenticated when the session of a connection has
	// ended.
	Recheck(ctx context.Context) error
}

// Server describes the server process.
type Server struct {
	Version   string
	StartedAt time.Time
	Postgres  bool
	// UpdateURL returns the URL for machines, with the address by which the caller
	// of the context reaches this server.
	UpdateURL func(context.Context) string
}
