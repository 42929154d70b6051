package main

import (
	"cmp"
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

// measurement compares a workload with the bare handler. The result is that of
// the round with the median ratio, because other programs change the speed of the
// machine, but hardly between two consecutive runs.
type measurement struct {
	*load.Result
	ofBare float64 // requests per second relative to the bare handler
	errors int     // of all rounds and of the baseline, including 503
	// Averages per request over all rounds: CPU microseconds of server and load
	// generator, CPU microseconds of PostgreSQL, and bytes of its write-ahead log.
	cpu, database, wal float64
	ofBareCPU          float64 // CPU time of a bare request relative to one of the workload
	ofBaseline         float64 // median of the rounds
}

// measure measures a workload and the bare handler in turns.
func (s *settings) measure(ctx context.Context, server *testServer, bare, w workload) (m measurement, err error) {
	if w.prepare != nil {
		if err := w.prepare(ctx); err != nil {
			return m, err
		}
	}
	runtime.GC()
	length := s.length / time.Duration(s.rounds)
	all := make([]measurement, s.rounds)
	var total, bareTotal cost
	requests, bareRequests := 0, 0
	var ofBaseline []float64
	for i := range all {
		start := server.cost(ctx)
		bareResult, err := s.run(ctx, server, length/2, bare)
		if err != nil {
			return m, err
		}
		half := server.cost(ctx)
		stop, err := s.profile(fmt.Sprintf("%s-%d-%d", strings.Join(strings.Fields(w.name), "-"), server.machines, i))
		if err != nil {
			return m, err
		}
		all[i].Result, err = s.run(ctx, server, length, w)
		stop()
		if err != nil {
			return m, err
		}
		end := server.cost(ctx)
		bareTotal.cpu += half.minus(start).cpu
		round := end.minus(half)
		total = cost{total.cpu + round.cpu, total.database + round.database, total.wal + round.wal}
		requests, bareRequests = requests+all[i].Answered(), bareRequests+bareResult.Answered()
		all[i].ofBare = all[i].PerSecond() / bareResult.PerSecond()
		if w.baseline != nil {
			r, err := s.run(ctx, server, length, *w.baseline)
			if err != nil {
				return m, err
			}
			ofBaseline = append(ofBaseline, all[i].PerSecond()/r.PerSecond())
			m.errors += r.Errors() + r.Count(load.Busy)
		}
		m.errors += all[i].Errors() + all[i].Count(load.Busy)
	}
	slices.SortFunc(all, func(a, b measurement) int { return cmp.Compare(a.ofBare, b.ofBare) })
	median := all[len(all)/2]
	m.Result, m.ofBare = median.Result, median.ofBare
	if slices.Sort(ofBaseline); len(ofBaseline) > 0 {
		m.ofBaseline = ofBaseline[len(ofBaseline)/2]
	}
	n := float64(requests)
	m.cpu, m.database, m.wal = total.cpu.Seconds()*1e6/n, total.database.Seconds()*1e6/n, float64(total.wal)/n
	m.ofBareCPU = bareTotal.cpu.Seconds() * 1e6 / float64(bareRequests) / (m.cpu + m.database)
	return m, nil
}

// run runs a workload in a closed loop.
func (s *settings) run(ctx context.Context, server *testServer, length time.Duration, w workload) (*load.Result, error) {
	return load.Run(ctx, load.Plan{Address: server.address, Path: w.path, Connections: s.connections, Length: length, Source: w.source})
}

// profile records a CPU profile until stop is called, if -profiles is set.
func (s *settings) profile(name string) (stop func(), err error) {
	if s.profiles == "" {
		return func() {}, nil
	}
	f, err := os.Create(filepath.Join(s.profiles, name+".pprof")) //nolint:gosec // G304: the directory of -profiles
	if err != nil {
		return nil, err
	}
	if err := pprof.StartCPUProfile(f); err != nil {
		return nil, err
	}
	return func() {
		pprof.StopCPUProfile()
		_ = f.Close() // go tool pprof reports an incomplete profile
	}, nil
}
