package simulate

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"
)

// Options configure Run and Benchmark. Errors name the flags of the command
// line that set them.
type Options struct {
	URL         string
	Fleet       Fleet
	Speed       float64       // simulated seconds per real second
	Duration    time.Duration // real time; 0 runs until interrupted
	Connections int           // concurrent requests
	JSON        bool          // print progress as JSON lines
	Benchmark   BenchmarkOptions
}

// The kinds of machine.
const (
	KindDaemon  = "daemon"  // update_engine
	KindProgram = "program" // Nebraska's updater library
)

// Fleet describes a fleet of simulated machines.
type Fleet struct {
	App      string // id or product id
	Track    string
	Board    string
	Alias    string // prefix; "" sends no alias
	Kind     string
	Machines int
	Versions string // "1.0.0:60,1.1.0:40": versions with weights
	Bad      string // "2.1.0:0.6": versions with the share of attempts that fail
	Seed     uint64 // the same seed gives the same machines
	Behavior Behavior
}

func (o *Options) validate() error {
	switch {
	case o.URL == "":
		return errors.New("--url is missing: set the URL of a server, such as http://localhost:8000")
	case o.Fleet.App == "":
		return errors.New("--app is missing: set the id or product id of an application")
	case o.Fleet.Kind != KindDaemon && o.Fleet.Kind != KindProgram:
		return fmt.Errorf("--kind is %q: use daemon (update_engine) or program (updater library)", o.Fleet.Kind)
	case o.Fleet.Machines < 1:
		return errors.New("--machines must be above zero")
	case o.Connections < 1:
		return errors.New("--connections must be above zero")
	case !(o.Speed > 0):
		return errors.New("--speed must be above zero")
	}
	return o.Fleet.Behavior.validate()
}

// NewMachines returns the machines of the fleet.
func (f *Fleet) NewMachines() ([]*Machine, error) {
	shares, err := parseVersions(f.Versions)
	if err != nil {
		return nil, err
	}
	behavior := f.Behavior
	if f.Bad != "" {
		if behavior.Bad, err = parseBad(f.Bad); err != nil {
			return nil, err
		}
	}
	oems := [...]string{"", "ami", "gce", "azure", "qemu"}
	machines := make([]*Machine, f.Machines)
	for i := range machines {
		id := Identity{App: f.App, Track: f.Track, Board: f.Board, Alias: f.Alias, OEM: oems[i%len(oems)]}
		if id.OEM != "" {
			id.OEMVersion = "1.0.0"
		}
		machines[i] = newMachine(&behavior, id, f.Kind == KindProgram, versionOf(shares, i, f.Machines), f.Seed, i)
	}
	return machines, nil
}

// Run runs a fleet until the context ends or Duration is over, and prints its
// progress to out.
func Run(ctx context.Context, o Options, out io.Writer, now func() time.Time) error {
	if err := o.validate(); err != nil {
		return err
	}
	url, err := updateURL(o.URL)
	if err != nil {
		return err
	}
	machines, err := o.Fleet.NewMachines()
	if err != nil {
		return err
	}
	if o.Duration > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, o.Duration)
		defer cancel()
	}
	printLine := func(text string) { _, _ = fmt.Fprintln(out, text) }
	client := NewClient(url.String(), o.Connections)
	defer client.Close()
	s := Simulation{Machines: machines, Speed: o.Speed, Connections: o.Connections, Send: client.Send, Now: now}
	s.OnProgress = func(stats Stats) { printLine(stats.line()) }
	if o.JSON {
		s.OnProgress = func(stats Stats) { printLine(stats.json()) }
	} else {
		printLine(fmt.Sprintf("%s of %s on track %s, with a check of %s every %s, at %g times real time", plural(o.Fleet.Machines, "machine"),
			o.Fleet.App, o.Fleet.Track, url, o.Fleet.Behavior.Interval, o.Speed))
	}
	stats := s.Run(ctx)
	if !o.JSON {
		printLine(stats.Summary())
	}
	if stats.Requests > 0 && stats.Requests == stats.Unanswered {
		return fmt.Errorf("no request to %s was answered", url)
	}
	return nil
}
