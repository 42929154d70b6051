package main

import (
	"context"
	"encoding/json"
	"flag"
	"log/slog"
	"os"
	"time"

	"github.com/google/uuid"

	"github.com/coreroller/coreroller/simulate/load"
)

// fillCommand makes the group with its machines in an empty database, for a
// server that is started on it afterwards.
func fillCommand(ctx context.Context, args []string) error {
	flags := flag.NewFlagSet("fill", flag.ExitOnError)
	url := flags.String("url", "", "SQLite file or PostgreSQL address of an empty database")
	machines := flags.Int("machines", 100_000, "machines in the group")
	_ = flags.Parse(args) // ends the program itself
	s, err := settle(ctx, *url, *machines, slog.New(slog.DiscardHandler))
	if err != nil {
		return err
	}
	if err := s.leave(); err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(map[string]any{
		"applicationId": s.app, "groupId": s.group, "track": "t", "machines": *machines,
	})
}

// driveCommand lets new machines of such a group walk through an update each,
// at a fixed rate of requests, every one of which changes something.
func driveCommand(ctx context.Context, args []string) error {
	flags := flag.NewFlagSet("drive", flag.ExitOnError)
	address := flags.String("address", "localhost:8000", "host and port of the server")
	app := flags.String("app", "", "id of the application")
	rate := flags.Float64("rate", 1000, "requests per second")
	length := flags.Duration("for", time.Minute, "how long")
	connections := flags.Int("connections", 64, "how many share the rate")
	_ = flags.Parse(args) // ends the program itself
	id, err := uuid.Parse(*app)
	if err != nil {
		return err
	}
	r, err := load.Run(ctx, load.Plan{Address: *address, Connections: *connections, Rate: *rate, Length: *length,
		Source: fleetOf(id).Updates(freshPart(), "1.0.0", *connections)})
	if err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(map[string]any{
		"perSecond": r.PerSecond(), "p50ms": milliseconds(r.Percentile(0.5)), "p99ms": milliseconds(r.Percentile(0.99)),
		"errors": r.Errors() + r.Count(load.Busy),
	})
}

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
