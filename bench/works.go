package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/coreroller/coreroller/simulate/load"
)

// work is one kind of load.
type work struct {
	name    string
	prepare func(ctx context.Context) error
	path    string // "" is that of machines
	beside  *work  // takes turns with it, to be compared with
	next    load.Source
	check   func(ctx context.Context) (shown string, err error)
}

// bare is the yardstick.
func (s *site) bare() work {
	return work{name: "bare", path: barePath, next: fleetOf(s.app).Checks(1, "2.0.0", machine)}
}

// works are measured in this order on one site, over so many connections: those
// with only in their names.
func (s *site) works(connections int, only string) []work {
	const cap = 100
	f := fleetOf(s.app)
	even := func(n int) string { return machine(2 * n) } // runs the target
	odd := func(n int) string { return machine(2*n + 1) }
	current := work{name: "up-to-date check", next: f.Checks(s.machines/2, "2.0.0", even)}
	all := []work{
		current,
		{name: "held check (cap reached)", beside: &current, prepare: func(context.Context) error { return s.limit(cap) },
			next:  f.Checks(s.machines/2, "1.0.0", odd),
			check: func(ctx context.Context) (string, error) { return s.granted(ctx, cap) }},
		{name: "new machine, on disk", prepare: func(context.Context) error { return s.limit(1 << 30) },
			next: f.FirstChecks(freshPart(), "2.0.0"), check: s.exact},
		{name: "whole update, every step on disk", prepare: func(context.Context) error { return s.limit(1 << 30) },
			next: f.Updates(freshPart(), "1.0.0", connections), check: s.exact},
	}
	return slices.DeleteFunc(all, func(w work) bool { return !strings.Contains(w.name, only) })
}

// granted fails unless exactly n machines hold a grant.
func (s *site) granted(ctx context.Context, n int) (string, error) {
	shown, err := s.exact(ctx)
	if err != nil {
		return "", err
	}
	ledgers, err := s.store.Reader().Ledger.Query().All(ctx)
	if err != nil {
		return "", err
	}
	most := 0
	for _, l := range ledgers {
		most = max(most, l.InFlight)
	}
	if most != n {
		return "", fmt.Errorf("%d grants are in flight, the cap is %d", most, n)
	}
	return fmt.Sprintf("in flight %d, cap %d; %s", most, n, shown), nil
}

const barePath = "/bare"

// freshPart is a part of the machines that no run before this one used.
func freshPart() uint64 { return uint64(time.Now().UnixNano()) }

// fleetOf is the machines of the group that settle makes.
func fleetOf(app uuid.UUID) load.Fleet { return load.NewFleet("{"+app.String()+"}", "t") }
