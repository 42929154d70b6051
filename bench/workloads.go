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

// workload is one kind of request to measure.
type workload struct {
	name     string
	prepare  func(ctx context.Context) error
	path     string    // "" is the update URL
	baseline *workload // measured in turns, for comparison; may be nil
	source   load.Source
	verify   func(ctx context.Context) (message string, err error) // after the measurement
}

// bare is the baseline of all workloads.
func (s *testServer) bare() workload {
	return workload{name: "bare", path: barePath, source: fleetOf(s.app).Checks(1, "2.0.0", machineID)}
}

// workloads returns the workloads whose name contains only, in the order in which
// they are measured.
func (s *testServer) workloads(connections int, only string) []workload {
	const cap = 100
	f := fleetOf(s.app)
	upToDate := workload{name: "up-to-date check", source: f.Checks(s.machines/2, "2.0.0", upToDateMachine)}
	all := []workload{
		upToDate,
		{name: "held check (cap reached)", baseline: &upToDate, prepare: func(context.Context) error { return s.setLimit(cap) },
			source: f.Checks(s.machines/2, "1.0.0", outdatedMachine),
			verify: func(ctx context.Context) (string, error) { return s.granted(ctx, cap) }},
		{name: "new machine, on disk", prepare: func(context.Context) error { return s.setLimit(unlimited) },
			source: f.FirstChecks(newSeries(), "2.0.0"), verify: s.recount},
		{name: "whole update, every step on disk", prepare: func(context.Context) error { return s.setLimit(unlimited) },
			source: f.Updates(newSeries(), "1.0.0", connections), verify: s.recount},
	}
	return slices.DeleteFunc(all, func(w workload) bool { return !strings.Contains(w.name, only) })
}

// granted returns an error unless exactly n machines hold a grant.
func (s *testServer) granted(ctx context.Context, n int) (string, error) {
	message, err := s.recount(ctx)
	if err != nil {
		return "", err
	}
	ledgers, err := s.store.Reader().Ledger.Query().All(ctx)
	if err != nil {
		return "", err
	}
	inFlight := 0
	for _, l := range ledgers {
		inFlight += l.InFlight
	}
	if inFlight != n {
		return "", fmt.Errorf("%d grants are in flight, the cap is %d", inFlight, n)
	}
	return fmt.Sprintf("in flight %d, cap %d; %s", inFlight, n, message), nil
}

const barePath = "/bare"

// newSeries is a series of machine ids that no earlier run used.
func newSeries() uint64 { return uint64(time.Now().UnixNano()) }

// fleetOf encodes requests of machines of the group that openServer creates.
func fleetOf(app uuid.UUID) load.Fleet { return load.NewFleet("{"+app.String()+"}", "t") }
