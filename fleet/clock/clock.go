// Package clock gives a process its time: monotonic steps from the database's clock
// on PostgreSQL, so that all processes agree, and from the host's clock on SQLite. It
// detects that the host's clock disagrees or jumps. It reads no clock itself.
package clock

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// Limit is the largest difference between two clocks that counts as agreement.
	// Hosts that synchronize their clocks differ by less than a second.
	Limit = 5 * time.Second
	// Settle is how long the host's clock must not jump again before a jump is
	// followed, because a wrong clock is often set right soon. It matters on SQLite only.
	Settle = time.Minute
	// tolerance is the difference that is not corrected.
	tolerance = 50 * time.Millisecond
)

// Reading is what the clocks of a host show at one moment.
type Reading struct {
	Wall  time.Time     // jumps when it is set
	Steps time.Duration // since any moment; never jumps
}

// Host reads a clock such as time.Now, whose times contain a monotonic reading. The
// steps of a clock without it, such as one of a test, are those of its wall time.
func Host(now func() time.Time) func() Reading {
	start := now()
	return func() Reading {
		t := now()
		return Reading{Wall: t.Round(0), Steps: t.Sub(start)}
	}
}

// Options are what a Clock needs.
type Options struct {
	Host func() Reading
	// Database reads the clock that all processes share; nil: the host's clock is
	// the reference.
	Database func(ctx context.Context) (time.Time, error)
	Log      *slog.Logger
}

// State is what the last Check found.
type State struct {
	// Offset is how far the host's clock is ahead of the time that the process uses.
	Offset time.Duration
	// Steady reports whether the process may do background work, which acts on the
	// passing of time for the whole fleet.
	Steady bool
	Text   string // what is wrong and what to do; "": nothing
}

// Clock is the time of one process. It is safe for concurrent use.
type Clock struct {
	options Options
	line    atomic.Pointer[line] // without a lock, because every request reads it

	mu     sync.Mutex
	last   Reading       // of the last Check
	jumped time.Duration // steps at the last jump of the host's clock
	verdict
	state State
}

// New makes a Clock and checks it once.
func New(ctx context.Context, o Options) (*Clock, error) {
	r := o.Host()
	c := &Clock{options: o, last: r, jumped: r.Steps - Settle}
	return c, c.Check(ctx)
}

// line converts steps to time. A clock that is ahead of its reference loses the
// surplus at half speed, so that its time never runs backwards.
type line struct {
	from    time.Duration
	time    time.Time
	surplus time.Duration
}

func (l *line) at(steps time.Duration) time.Time {
	passed := steps - l.from
	return l.time.Add(passed - max(0, min(passed/2, l.surplus)))
}

// goal returns what at returns once the surplus is lost.
func (l *line) goal(steps time.Duration) time.Time {
	return l.time.Add(steps - l.from - l.surplus)
}

// Now returns the time in UTC. It asks no database.
func (c *Clock) Now() time.Time {
	steps := c.options.Host().Steps
	return c.line.Load().at(steps).UTC()
}

// State returns what the last Check found.
func (c *Clock) State() State {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.state
}

// Check compares the clocks, corrects Now and logs what changed. Call it every few
// seconds. After an error Now continues by its steps.
func (c *Clock) Check(ctx context.Context) error {
	var reference Reading // the database's clock by the host's steps
	var slack time.Duration
	if c.options.Database != nil {
		before := c.options.Host()
		t, err := c.options.Database(ctx)
		if err != nil {
			return fmt.Errorf("read the database's clock: %w", err)
		}
		slack = (c.options.Host().Steps - before.Steps) / 2
		reference = Reading{Wall: t, Steps: before.Steps + slack}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	r := c.options.Host()
	if c.options.Database == nil {
		reference = r
	}
	jump := r.Wall.Sub(c.last.Wall) - (r.Steps - c.last.Steps)
	if c.last = r; jump.Abs() > Limit {
		c.jumped = r.Steps
	}
	c.follow(r, reference.Wall.Add(r.Steps-reference.Steps), slack)
	c.judge(r, jump)
	return nil
}

// follow corrects the line, given the right time and how exactly it is known.
func (c *Clock) follow(r Reading, right time.Time, slack time.Duration) {
	old := c.line.Load()
	if old == nil { // the first check
		c.line.Store(&line{from: r.Steps, time: right})
		return
	}
	is := old.at(r.Steps)
	behind := right.Sub(is)
	shared := c.options.Database != nil
	switch {
	case right.Sub(old.goal(r.Steps)).Abs() <= slack+tolerance:
		return
	case !shared && behind.Abs() > Limit && r.Steps-c.jumped < Settle:
		return
	case behind > 0, shared && behind < -Limit:
		// Agreement with the other processes is worth more than a time that never
		// runs backwards: their grants and leases would be in this one's past.
		c.line.Store(&line{from: r.Steps, time: right})
	default:
		c.line.Store(&line{from: r.Steps, time: is, surplus: -behind})
	}
	if behind.Abs() > Limit {
		c.options.Log.Warn("the time of this process was corrected", "by", behind)
	}
}
