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

// fillCommand creates the group with its machines in an empty database. Start a
// server on the database afterwards.
func fillCommand(ctx context.Context, args []string) error {
	flags := flag.NewFlagSet("fill", flag.ExitOnError)
	url := flags.String("url", "", "SQLite file or PostgreSQL URL of an empty database")
	machines := flags.Int("machines", 100_000, "number of machines in the group")
	_ = flags.Parse(args) // exits on an error
	s, err := openServer(ctx, *url, *machines, 0, slog.New(slog.DiscardHandler))
	if err != nil {
		return err
	}
	if err := s.close(); err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(map[string]any{
		"applicationId": s.app, "groupId": s.group, "track": "t", "machines": *machines,
	})
}

// driveCommand runs complete updates of new machines of that group, at a fixed
// rate of requests. Every request writes to the database.
func driveCommand(ctx context.Context, args []string) error {
	flags := flag.NewFlagSet("drive", flag.ExitOnError)
	address := flags.String("address", "localhost:8000", "host and port of the server")
	app := flags.String("app", "", "id of the application")
	rate := flags.Float64("rate", 1000, "requests per second")
	length := flags.Duration("for", time.Minute, "length of the run")
	connections := flags.Int("connections", 64, "number of connections that share the rate")
	_ = flags.Parse(args) // exits on an error
	id, err := uuid.Parse(*app)
	if err != nil {
		return err
	}
	r, err := load.Run(ctx, load.Plan{Address: *address, Connections: *connections, Rate: *rate, Length: *length,
		Source: fleetOf(id).Updates(newSeries(), "1.0.0", *connections)})
	if err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(map[string]any{
		"perSecond": r.PerSecond(), "p50ms": milliseconds(r.Percentile(0.5)), "p99ms": milliseconds(r.Percentile(0.99)),
		"errors": r.Errors() + r.Count(load.Busy),
	})
}

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
