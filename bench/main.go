// Command bench measures the server over HTTP on the loopback interface. It prints
// requests per second, and their ratio to a bare net/http handler that reads the
// body and writes a fixed response. The ratio can be compared between machines.
// Server, database and load generator share the machine.
//
//	make bench                        10,000 and 1,000,000 machines, SQLite and PostgreSQL
//	make bench ARGS="-machines 10000 -for 10s"
//	make bench ARGS="-workloads overload -for 1m"
//
// The workload checks runs the server in this process. The workloads overload,
// subscribers, dashboards and page run the real program as a separate process; see
// the methods of runner.
//
// The subcommand year runs a server through a year in simulated time (make year). Two
// others are for measurements of the dashboard (e2e/measure):
//
//	bench year -machines 100000 -days 365
//	bench fill -url coreroller.db -machines 1000000     creates the group in an empty database and prints its ids
//	bench drive -address localhost:8000 -app ID -rate 1000 -for 1m     sends updates of machines of that group
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"time"
)

// settings are the flags.
type settings struct {
	machines    []int
	length      time.Duration
	rounds      int
	connections int
	databases   []string
	workloads   []string
	postgres    string // URL of the cluster
	smart       int    // groups with an expression, over which the machines are spread
	only        string // part of the names of checks to measure
	profiles    string // directory; "" for none
}

func main() {
	commands := map[string]func(context.Context, []string) error{"fill": fillCommand, "drive": driveCommand, "year": yearCommand}
	if len(os.Args) > 1 && commands[os.Args[1]] != nil {
		exit(commands[os.Args[1]](context.Background(), os.Args[2:]))
	}
	var s settings
	sizes := flag.String("machines", "10000,1000000", "numbers of machines in the group, separated by commas")
	databases := flag.String("databases", "sqlite,postgres", "databases, separated by commas")
	workloads := flag.String("workloads", strings.Join(allWorkloads(), ","), "workloads, separated by commas")
	flag.DurationVar(&s.length, "for", 6*time.Second, "length of one measurement, including all rounds")
	flag.IntVar(&s.rounds, "rounds", 6, "number of rounds in which a check and the bare handler are measured in turns")
	flag.IntVar(&s.smart, "smart-groups", 0, "number of groups with an expression, over which the machines are spread; 0 for one group without")
	flag.StringVar(&s.only, "only", "", "measure only checks whose name contains this text")
	flag.StringVar(&s.profiles, "profiles", "", "directory for a CPU profile of each round")
	flag.IntVar(&s.connections, "connections", 512, "number of connections; each sends its next request after the response")
	flag.Parse()
	s.postgres = os.Getenv("COREROLLER_TEST_POSTGRES")
	s.databases = strings.Split(*databases, ",")
	s.workloads = strings.Split(*workloads, ",")
	for _, name := range s.workloads {
		if !slices.Contains(allWorkloads(), name) {
			exit(fmt.Errorf("-workloads: %q is not one of %s", name, strings.Join(allWorkloads(), ", ")))
		}
	}
	for text := range strings.SplitSeq(*sizes, ",") {
		var n int
		if _, err := fmt.Sscanf(text, "%d", &n); err != nil || n < 1000 {
			exit(fmt.Errorf("-machines: %q is not a number from 1000", text))
		}
		s.machines = append(s.machines, n)
	}
	// A signal also ends the server that runs as a separate process.
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, s)
	stop()
	exit(err)
}

// checks is the workload whose server runs in this process.
const checks = "checks"

func allWorkloads() []string {
	return []string{checks, "overload", "subscribers", "dashboards", "page"}
}

func run(ctx context.Context, s settings) (err error) {
	dir, err := os.MkdirTemp("", "coreroller-bench")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	binary := ""
	if len(s.workloads) > 1 || s.workloads[0] != checks {
		if binary, err = build(ctx, dir); err != nil {
			return err
		}
	}
	fmt.Printf("%d cores, %d connections, %v each; bare = net/http handler that reads the body and writes a fixed response\n\n",
		runtime.NumCPU(), s.connections, s.length)
	if slices.Contains(s.workloads, checks) {
		fmt.Printf("%-10s %9s  %-34s %9s %7s %7s %7s %7s %7s %9s %9s %8s\n", "database", "machines", "workload", "per s", "of bare", "by CPU",
			"CPU us", "db us", "wal B", "p50", "p99", "errors")
	}
	for _, n := range s.machines {
		for _, kind := range s.databases {
			if err := measure(ctx, s, binary, kind, n); err != nil {
				return fmt.Errorf("%s with %d machines: %w", kind, n, err)
			}
		}
	}
	return nil
}

func measure(ctx context.Context, s settings, binary, kind string, machines int) (err error) {
	dir, err := os.MkdirTemp("", "coreroller-bench")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	url := filepath.Join(dir, "coreroller.db")
	if kind == "postgres" {
		if s.postgres == "" {
			return errors.New("COREROLLER_TEST_POSTGRES is not set: run make bench")
		}
		var drop func() error
		if url, drop, err = createDatabase(ctx, s.postgres); err != nil {
			return err
		}
		defer func() { err = errors.Join(err, drop()) }()
	}
	log := slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn}))
	server, err := openServer(ctx, url, machines, s.smart, log)
	if err != nil {
		return err
	}
	if slices.Contains(s.workloads, checks) {
		err = server.checks(ctx, s, kind, log)
	}
	if err = errors.Join(err, server.close()); err != nil || binary == "" {
		return err
	}
	return runOnProcess(ctx, s, server, binary, kind, url)
}

// checks measures every workload on this process's server.
func (s *testServer) checks(ctx context.Context, o settings, kind string, log *slog.Logger) (err error) {
	if err := s.serve(ctx, log); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.stopServing()) }()
	for _, w := range s.workloads(o.connections, o.only) {
		m, err := o.measure(ctx, s, s.bare(), w)
		if err != nil {
			return fmt.Errorf("%s: %w", w.name, err)
		}
		fmt.Printf("%-10s %9d  %-34s %9.0f %7.2f %7.2f %7.1f %7.1f %7.0f %9s %9s %8d\n", kind, s.machines, w.name, m.PerSecond(), m.ofBare,
			m.ofBareCPU, m.cpu, m.database, m.wal, round(m.Percentile(0.5)), round(m.Percentile(0.99)), m.errors)
		if w.baseline != nil {
			fmt.Printf("%22s%.2f of the rate of %s, measured in turns\n", "", m.ofBaseline, w.baseline.name)
		}
		if w.verify == nil {
			continue
		}
		message, err := w.verify(ctx)
		if err != nil {
			return fmt.Errorf("%s: %w", w.name, err)
		}
		fmt.Printf("%22s%s\n", "", message)
	}
	return nil
}

// runOnProcess runs the workloads that need the real program.
func runOnProcess(ctx context.Context, o settings, s *testServer, binary, kind, url string) (err error) {
	p, err := startProcess(ctx, binary, url, s.machines)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, p.stop()) }()
	r := &runner{process: p, settings: o, fleet: fleetOf(s.app), group: s.group.String(), size: s.machines, database: kind}
	for _, w := range []struct {
		name string
		run  func(context.Context) error
	}{{"page", r.groupPages}, {"dashboards", r.dashboards}, {"subscribers", r.subscribers}, {"overload", r.overload}} {
		if !slices.Contains(o.workloads, w.name) {
			continue
		}
		if err := w.run(ctx); err != nil {
			return fmt.Errorf("%s: %w", w.name, err)
		}
	}
	return nil
}

func exit(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
	os.Exit(0)
}
