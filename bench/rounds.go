package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"runtime/pprof"
	"slices"
	"strings"
	"time"

	"github.com/coreroller/coreroller/simulate/load"
)

// outcome is a work beside the bare handler. Of several rounds it is the one in
// the middle, by the ratio: the machine's speed changes while other programs
// come and go, that of two neighbouring moments hardly.
type outcome struct {
	*load.Result
	ofBare float64
	errors int // of all rounds, 503 among them, and of what took turns with it
	// Of all rounds, a request: CPU time of server and load, of PostgreSQL, and
	// bytes of its log; and the CPU time of a bare request by that of one of the
	// work.
	cpu, database, wal float64
	ofBareCPU          float64
	// By the work that took turns with it: the round in the middle.
	ofBeside float64
}

// measure lets the bare handler and a work take turns.
func (s *settings) measure(ctx context.Context, site *site, bare, w work) (o outcome, err error) {
	if w.prepare != nil {
		if err := w.prepare(ctx); err != nil {
			return o, err
		}
	}
	runtime.GC()
	part := s.length / time.Duration(s.rounds)
	all := make([]outcome, s.rounds)
	var total, bareTotal cost
	requests, bares := 0, 0
	var besides []float64
	for i := range all {
		began := site.spent(ctx)
		yardstick, err := s.run(ctx, site, part/2, bare)
		if err != nil {
			return o, err
		}
		half := site.spent(ctx)
		stop, err := s.profile(fmt.Sprintf("%s-%d-%d", strings.Join(strings.Fields(w.name), "-"), site.machines, i))
		if err != nil {
			return o, err
		}
		all[i].Result, err = s.run(ctx, site, part, w)
		stop()
		if err != nil {
			return o, err
		}
		end := site.spent(ctx)
		bareTotal.cpu += half.minus(began).cpu
		last := end.minus(half)
		total = cost{total.cpu + last.cpu, total.database + last.database, total.wal + last.wal}
		requests, bares = requests+all[i].Answered(), bares+yardstick.Answered()
		all[i].ofBare = all[i].PerSecond() / yardstick.PerSecond()
		if w.beside != nil {
			r, err := s.run(ctx, site, part, *w.beside)
			if err != nil {
				return o, err
			}
			besides = append(besides, all[i].PerSecond()/r.PerSecond())
			o.errors += r.Errors() + r.Count(load.Busy)
		}
		o.errors += all[i].Errors() + all[i].Count(load.Busy)
	}
	slices.SortFunc(all, func(a, b outcome) int {
		if a.ofBare < b.ofBare {
			return -1
		}
		return 1
	})
	errors := o.errors
	o = all[len(all)/2]
	o.errors = errors
	if slices.Sort(besides); len(besides) > 0 {
		o.ofBeside = besides[len(besides)/2]
	}
	n := float64(requests)
	o.cpu, o.database, o.wal = total.cpu.Seconds()*1e6/n, total.database.Seconds()*1e6/n, float64(total.wal)/n
	o.ofBareCPU = bareTotal.cpu.Seconds() * 1e6 / float64(bares) / (o.cpu + o.database)
	return o, nil
}

// run is one closed loop.
func (s *settings) run(ctx context.Context, site *site, length time.Duration, w work) (*load.Result, error) {
	return load.Run(ctx, load.Plan{Address: site.address, Path: w.path, Connections: s.connections, Length: length, Source: w.next})
}

// profile writes a CPU profile from now until stop, if profiles are wanted.
func (s *settings) profile(name string) (stop func(), err error) {
	if s.profiles == "" {
		return func() {}, nil
	}
	f, err := os.Create(filepath.Join(s.profiles, name+".pprof"))
	if err != nil {
		return nil, err
	}
	if err := pprof.StartCPUProfile(f); err != nil {
		return nil, err
	}
	return func() {
		pprof.StopCPUProfile()
		_ = f.Close() // a profile that could not be written whole says so when it is read
	}, nil
}
