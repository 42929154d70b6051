package main

import (
	"context"
	"fmt"
	"time"

	"github.com/coreroller/coreroller/simulate/load"
)

// scene is what a work on the real program needs.
type scene struct {
	*program
	settings
	fleet load.Fleet
	group string
	size  int // machines in the group

	database string // "sqlite" or "postgres"
}

func (s *scene) say(work, format string, args ...any) {
	fmt.Printf("%-10s %9d  %-12s %s\n", s.database, s.size, work, fmt.Sprintf(format, args...))
}

// run follows a plan and fails on any answer that is neither what was asked for
// nor 503.
func (s *scene) run(ctx context.Context, p load.Plan) (*load.Result, error) {
	p.Address = s.address
	r, err := load.Run(ctx, p)
	if err == nil && r.Errors() > 0 {
		err = fmt.Errorf("%s: %s", r.Outcomes(), r.ErrorDetails())
	}
	return r, err
}

func (s *scene) updates(ctx context.Context, connections int, rate float64, length time.Duration) (*load.Result, error) {
	return s.run(ctx, load.Plan{Connections: connections, Rate: rate, Length: length, Source: s.fleet.Updates(freshPart(), "1.0.0", connections)})
}

// most is how many connections an overload is offered over: more than may wait.
const most = 8000

// overload offers three times what the server can do, and looks at what it
// answers, what that costs, and how soon it is as before.
func (s *scene) overload(ctx context.Context) error {
	const work = "overload"
	capacity, err := s.updates(ctx, s.connections, 0, s.short())
	if err != nil {
		return err
	}
	half := capacity.PerSecond() / 2
	usual, err := s.updates(ctx, s.connections, half, s.short())
	if err != nil {
		return err
	}
	before, _ := s.memory()
	s.say(work, "capacity %.0f/s; at half of it p99 %s; server %d MiB", capacity.PerSecond(), round(usual.Percentile(0.99)), before)
	s.forget()
	busy := s.used()
	r, err := s.updates(ctx, most, 3*capacity.PerSecond(), s.length)
	if err != nil {
		return err
	}
	now, peak := s.memory()
	s.say(work, "offered %.0f/s over %d connections for %s: served %.0f/s, p99 %s; %s", 3*capacity.PerSecond(), most, s.length,
		r.Served(), round(r.Percentile(0.99)), r.Outcomes())
	s.say(work, "errors other than 503: %d; server peak %d MiB, now %d MiB, %.2f cores; tool %.2f cores", r.Errors(), peak, now,
		(s.used()-busy).Seconds()/r.Took.Seconds(), r.CPU())
	// As before: within twice the usual p99, or what the noise of a second is.
	limit := max(2*usual.Percentile(0.99), 20*time.Millisecond)
	ended := time.Now()
	for {
		r, err := s.updates(ctx, s.connections, half, time.Second)
		if err != nil {
			return err
		}
		after := time.Since(ended)
		if p99 := r.Percentile(0.99); p99 <= limit && r.Count(load.Busy) == 0 {
			s.say(work, "p99 of a second %s, %.0f s after the end", round(p99), after.Seconds())
			return nil
		}
		if after > 2*time.Minute {
			return fmt.Errorf("p99 is %s two minutes after the overload, the limit is %s", round(r.Percentile(0.99)), limit)
		}
	}
}

// short is the length of what is measured on the way.
func (s *scene) short() time.Duration { return min(s.length, 10*time.Second) }

func round(d time.Duration) time.Duration { return d.Round(10 * time.Microsecond) }
