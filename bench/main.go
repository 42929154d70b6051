// Command bench measures the check-in over real HTTP on loopback and prints
// requests per second and, as what can be compared between machines and days,
// their ratio to a bare net/http handler that reads the body and writes a fixed
// answer. Server, database and load share the machine.
//
//	make bench                        10,000 and 1,000,000 machines, SQLite and PostgreSQL
//	make bench ARGS="-machines 10000 -for 10s"
//	make bench ARGS="-works overload -for 1m"
//
// The works besides checks run the real program as a process of its own; what
// each does is said at its function: overload, subscribers, dashboards, page.
//
// Two parts of it serve whoever measures something else (e2e/measure.ts):
//
//	bench fill -url coreroller.db -machines 1000000     makes the group in an empty database and says its ids
//	bench drive -address localhost:8000 -app ID -rate 1000 -for 1m     machines of that group update, open loop
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

// settings of one run.
type settings struct {
	machines    []int
	length      time.Duration
	rounds      int
	connections int
	databases   []string
	works       []string
	postgres    string
	only        string // checks with this in their names
	profiles    string // folder, "" for none
}

func main() {
	if len(os.Args) > 1 && os.Args[1] == "fill" {
		exit(fillCommand(context.Background(), os.Args[2:]))
	}
	if len(os.Args) > 1 && os.Args[1] == "drive" {
		exit(driveCommand(context.Background(), os.Args[2:]))
	}
	var s settings
	sizes := flag.String("machines", "10000,1000000", "machines in the group, sizes separated by commas")
	databases := flag.String("databases", "sqlite,postgres", "which databases")
	works := flag.String("works", strings.Join(allWorks(), ","), "which works")
	flag.DurationVar(&s.length, "for", 6*time.Second, "length of one measurement, all its rounds together")
	flag.IntVar(&s.rounds, "rounds", 6, "how often a check and the bare handler are measured in turn")
	flag.StringVar(&s.only, "only", "", "of the checks, only those with this in their names")
	flag.StringVar(&s.profiles, "profiles", "", "folder for a CPU profile of each check")
	flag.IntVar(&s.connections, "connections", 512, "connections that send one request after the other, each a machine that waits for its answer")
	flag.Parse()
	s.postgres = os.Getenv("COREROLLER_TEST_POSTGRES")
	s.databases = strings.Split(*databases, ",")
	s.works = strings.Split(*works, ",")
	for _, name := range s.works {
		if !slices.Contains(allWorks(), name) {
			fail(fmt.Errorf("works: %q is not one of %s", name, strings.Join(allWorks(), ", ")))
		}
	}
	for text := range strings.SplitSeq(*sizes, ",") {
		var n int
		if _, err := fmt.Sscanf(text, "%d", &n); err != nil || n < 1000 {
			fail(fmt.Errorf("machines: %q is not a number from 1000", text))
		}
		s.machines = append(s.machines, n)
	}
	// A signal ends the server that runs as a process of its own, too.
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, s)
	stop()
	exit(err)
}

// checks are the works that share this process with the server; the others
// have it as a process of its own.
const checks = "checks"

func allWorks() []string { return []string{checks, "overload", "subscribers", "dashboards", "page"} }

func run(ctx context.Context, s settings) (err error) {
	dir, err := os.MkdirTemp("", "coreroller-bench")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	binary := ""
	if len(s.works) > 1 || s.works[0] != checks {
		if binary, err = build(ctx, dir); err != nil {
			return err
		}
	}
	fmt.Printf("%d cores, %d connections, %v each; bare = net/http handler that reads the body and writes a fixed answer\n\n",
		runtime.NumCPU(), s.connections, s.length)
	if slices.Contains(s.works, checks) {
		fmt.Printf("%-10s %9s  %-34s %9s %7s %7s %7s %7s %7s %9s %9s %8s\n", "database", "machines", "work", "per s", "of bare", "by CPU",
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
			return errors.New("COREROLLER_TEST_POSTGRES is not set: run it with make bench")
		}
		var drop func() error
		if url, drop, err = database(ctx, s.postgres); err != nil {
			return err
		}
		defer func() { err = errors.Join(err, drop()) }()
	}
	log := slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn}))
	site, err := settle(ctx, url, machines, log)
	if err != nil {
		return err
	}
	if slices.Contains(s.works, checks) {
		err = site.checks(ctx, s, kind, log)
	}
	if err = errors.Join(err, site.leave()); err != nil || binary == "" {
		return err
	}
	return play(ctx, s, site, binary, kind, url)
}

// checks measures them, each in turn with the bare handler.
func (s *site) checks(ctx context.Context, o settings, kind string, log *slog.Logger) (err error) {
	if err := s.serve(ctx, log); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.close()) }()
	for _, w := range s.works(o.connections, o.only) {
		r, err := o.measure(ctx, s, s.bare(), w)
		if err != nil {
			return fmt.Errorf("%s: %w", w.name, err)
		}
		fmt.Printf("%-10s %9d  %-34s %9.0f %7.2f %7.2f %7.1f %7.1f %7.0f %9s %9s %8d\n", kind, s.machines, w.name, r.PerSecond(), r.ofBare,
			r.ofBareCPU, r.cpu, r.database, r.wal, round(r.Percentile(0.5)), round(r.Percentile(0.99)), r.errors)
		if w.beside != nil {
			fmt.Printf("%22s%.2f of the %s that took turns with it\n", "", r.ofBeside, w.beside.name)
		}
		if w.check == nil {
			continue
		}
		shown, err := w.check(ctx)
		if err != nil {
			return fmt.Errorf("%s: %w", w.name, err)
		}
		fmt.Printf("%22s%s\n", "", shown)
	}
	return nil
}

// play runs the works on the real program.
func play(ctx context.Context, o settings, s *site, binary, kind, url string) (err error) {
	p, err := startProgram(ctx, binary, url, s.machines)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, p.stop()) }()
	c := &scene{program: p, settings: o, fleet: fleetOf(s.app), group: s.group.String(), size: s.machines, database: kind}
	for _, w := range []struct {
		name string
		do   func(context.Context) error
	}{{"page", c.page}, {"dashboards", c.steady}, {"subscribers", c.subscribers}, {"overload", c.overload}} {
		if !slices.Contains(o.works, w.name) {
			continue
		}
		if err := w.do(ctx); err != nil {
			return fmt.Errorf("%s: %w", w.name, err)
		}
	}
	return nil
}

func exit(err error) {
	if err != nil {
		fail(err)
	}
	os.Exit(0)
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, "bench:", err)
	os.Exit(1)
}
