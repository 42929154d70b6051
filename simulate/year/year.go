// Package year runs a server through a year in simulated time: a fleet in four groups,
// a release every week of which some are bad, people who pause, hold, move and change
// policies, machines that come and go, and restarts. It judges what is left: caps,
// counters, machines that are stuck, the growth of the database, and forecasts.
package year

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"time"

	"github.com/google/uuid"

	"github.com/coreroller/coreroller/auth"
	"github.com/coreroller/coreroller/fleet/catalog"
	"github.com/coreroller/coreroller/simulate"
)

// Options of a year. Zero values are an error, but of Seed, Log and Progress.
type Options struct {
	Database string        // SQLite file or PostgreSQL URL of an empty database
	Machines int           // at the beginning
	Days     int           // a release every seven
	Interval time.Duration // between two checks of a machine
	Step     time.Duration // by which the server's clock moves
	Seed     uint64        // the same seed gives the same choices
	Log      *slog.Logger  // of the server; nil: discard
	Progress func(string)  // receives a line per month; nil: none
}

const day = 24 * time.Hour

// start is a Monday.
func start() time.Time { return time.Date(2030, 1, 7, 0, 0, 0, 0, time.UTC) }

// Run runs the year. The result says what was wrong; the error, that it could not be run.
func Run(ctx context.Context, o Options) (*Result, error) {
	if o.Machines < 100 || o.Days < 1 || o.Interval <= 0 || o.Step <= 0 || o.Database == "" {
		return nil, errors.New("a year needs a database, at least 100 machines, a day, an interval and a step")
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Progress == nil {
		o.Progress = func(string) {}
	}
	y := &year{
		options: o, result: &Result{}, server: server{options: o},
		random: rand.New(rand.NewPCG(o.Seed, 1)), //nolint:gosec // G404: simulated, repeatable from the seed
		ctx:    auth.With(ctx, auth.Principal{Name: "year", TeamID: catalog.DefaultTeamID(), Role: auth.Owner, Credential: auth.CredentialCommand}),
	}
	y.server.set(start())
	y.steps = simulate.Steps{Connections: 64, Send: y.server.send, OnExchange: y.exchanged}
	if err := y.server.open(y.ctx); err != nil {
		return nil, err
	}
	err := y.run()
	return y.result, errors.Join(err, y.server.close())
}

// year is one run.
type year struct {
	options Options
	ctx     context.Context // with the principal of all changes
	server  server
	steps   simulate.Steps
	random  *rand.Rand
	result  *Result

	groups   []*group
	channels map[string]uuid.UUID // by name
	targets  map[string]*release  // by channel
	releases []*release
	members  []*member // machines that live
	batches  uint64    // of machines that were made
	downTill time.Duration
	judging  []*prediction
}

// release is one published version.
type release struct {
	number  int
	version string
	id      uuid.UUID
	kind    kind
	pulled  bool // rolled back
}

// kind is what a release does to machines.
type kind int

const (
	good    kind = iota
	broken       // fails on most machines
	regress      // fails on most machines, but not on the canaries
)

// member is a machine with what a person did to it.
type member struct {
	*simulate.Machine
	group *group
	since time.Duration // when it was added
	held  time.Duration // until when a person holds it
}

func (y *year) run() error {
	if err := y.build(); err != nil {
		return err
	}
	length := time.Duration(y.options.Days) * day
	for now := y.options.Step; now <= length; now += y.options.Step {
		if y.ctx.Err() != nil {
			return y.ctx.Err()
		}
		y.server.set(start().Add(now))
		if err := y.step(now); err != nil {
			return fmt.Errorf("day %d: %w", now/day, err)
		}
	}
	return y.judge(length)
}

// step moves the server by one step and, at the beginning of a day, people.
func (y *year) step(now time.Duration) error {
	if y.server.down() && now >= y.downTill {
		if err := y.server.open(y.ctx); err != nil {
			return fmt.Errorf("open the server again: %w", err)
		}
	}
	y.steps.Until(y.ctx, now)
	if y.server.down() {
		return nil
	}
	if err := y.server.work(y.ctx); err != nil {
		return err
	}
	if err := y.checkCaps(); err != nil {
		return err
	}
	if today := now / day; today != (now-y.options.Step)/day {
		if err := y.people(int(today), now); err != nil {
			return err
		}
		if today%30 == 0 {
			return y.month(now)
		}
	}
	return nil
}

// exchanged counts what a machine met.
func (y *year) exchanged(x simulate.Exchange) {
	r := &y.result.Traffic
	r.Requests++
	r.add(&x)
}
