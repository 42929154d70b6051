package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/coreroller/coreroller/simulate/load"
)

// groupPage returns the GraphQL subscription of the dashboard's group page.
func groupPage() (string, error) {
	documents, err := load.ReadDocuments(os.DirFS("frontend/src"))
	if err != nil {
		return "", fmt.Errorf("run bench in the root of the repository: %w", err)
	}
	return documents.Operation("GroupPage")
}

// dashboards are open subscriptions of the group page.
type dashboards struct {
	open    []*load.Dashboard
	readers sync.WaitGroup
	failed  atomic.Pointer[error]
	closing atomic.Bool

	mu       sync.Mutex
	delays   []time.Duration // from the response to a machine to the message that shows it
	messages int             // since all dashboards are open
	since    time.Time
}

// openDashboards opens n dashboards that measure the delay of new machines.
func (r *runner) openDashboards(ctx context.Context, n int, document string, arrivals *arrivals) (*dashboards, error) {
	d := &dashboards{}
	for range n {
		one, err := load.Open(ctx, r.url, firstUser, firstUser)
		if err != nil {
			return nil, errors.Join(err, d.close())
		}
		d.open = append(d.open, one)
		if err := one.Subscribe("1", document, map[string]any{"groupId": r.group}); err != nil {
			return nil, errors.Join(err, d.close())
		}
		if _, err := one.Next(); err != nil { // the initial state of the page
			return nil, errors.Join(err, d.close())
		}
		d.readers.Go(func() { d.read(one, arrivals.newViewer()) })
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.messages, d.since = 0, time.Now()
	return d, nil
}

// read reads the messages of one dashboard until it is closed.
func (d *dashboards) read(one *load.Dashboard, delaysOf func(machines int) []time.Duration) {
	for {
		message, err := one.Next()
		if err != nil {
			if !d.closing.Load() {
				d.failed.Store(&err)
			}
			return
		}
		_, rest, _ := bytes.Cut(message, []byte(`"total":`))
		digits := rest[:max(0, bytes.IndexFunc(rest, func(r rune) bool { return r < '0' || r > '9' }))]
		total, _ := strconv.Atoi(string(digits))
		delays := delaysOf(total)
		d.mu.Lock()
		d.delays, d.messages = append(d.delays, delays...), d.messages+1
		d.mu.Unlock()
	}
}

// close closes the dashboards and returns the first error of a reader.
func (d *dashboards) close() error {
	d.closing.Store(true)
	for _, one := range d.open {
		one.Close()
	}
	d.readers.Wait()
	if err := d.failed.Load(); err != nil {
		return fmt.Errorf("dashboard: %w", *err)
	}
	return nil
}

// measured returns the delays in ascending order and the messages per second.
func (d *dashboards) measured() (delays []time.Duration, messages float64) {
	d.mu.Lock()
	defer d.mu.Unlock()
	slices.Sort(d.delays)
	return d.delays, float64(d.messages) / time.Since(d.since).Seconds()
}

// arrivals records when the response to each new machine was received.
type arrivals struct {
	base  int // machines before the first arrival
	count atomic.Int64
	at    []atomic.Int64 // nanoseconds
}

func newArrivals(base, limit int) *arrivals {
	return &arrivals{base: base, at: make([]atomic.Int64, limit)}
}

// record wraps a source of first checks to record its responses.
func (a *arrivals) record(s load.Source) load.Source {
	return func(connection int, answer, buf []byte) []byte {
		if answer != nil {
			if n := a.count.Add(1); int(n) <= len(a.at) {
				a.at[n-1].Store(time.Now().UnixNano())
			}
		}
		return s(connection, answer, buf)
	}
}

// newViewer returns a function for one dashboard. Given the number of machines in
// a message, it returns the delay of one random machine among those that the
// message shows for the first time. A random one does not favor early or late
// arrivals.
func (a *arrivals) newViewer() func(machines int) []time.Duration {
	shown := 0
	return func(machines int) []time.Duration {
		now := time.Now().UnixNano()
		n := min(machines-a.base, int(a.count.Load()), len(a.at))
		if n <= shown {
			return nil
		}
		at := a.at[shown+rand.IntN(n-shown)].Load() //nolint:gosec // G404: a sample, not a secret
		shown = n
		return []time.Duration{time.Duration(now - at)}
	}
}

// firstChecks sends first checks of new machines, at a rate or in a closed loop.
func (r *runner) firstChecks(ctx context.Context, rate float64, a *arrivals) (*serverResult, error) {
	source := r.fleet.FirstChecks(newSeries(), "2.0.0")
	if a != nil {
		source = a.record(source)
	}
	// Warm up, because dashboards were just opened or closed.
	if _, err := r.run(ctx, load.Plan{Connections: r.connections, Rate: rate, Length: 2 * time.Second, Source: source}); err != nil {
		return nil, err
	}
	return r.run(ctx, load.Plan{Connections: r.connections, Rate: rate, Length: r.length, Source: source})
}

// machineCount returns the number of machines in the group.
func (r *runner) machineCount(ctx context.Context) (int, error) {
	var data struct {
		Group struct{ Numbers struct{ Total int } }
	}
	err := r.query(ctx, machineCountQuery, map[string]any{"id": r.group}, &data)
	return data.Group.Numbers.Total, err
}

// subscribers measures 1,000 dashboards on the group page, while 1,000 new
// machines per second check in, and while they check in as fast as possible. Each
// measured run is between two runs without dashboards, to cancel drift.
func (r *runner) subscribers(ctx context.Context) error {
	const (
		workload = "subscribers"
		count    = 1000
		rate     = 1000
		rounds   = 5
	)
	document, err := groupPage()
	if err != nil {
		return err
	}
	baseline, err := r.firstChecks(ctx, rate, nil)
	if err != nil {
		return err
	}
	before, err := r.firstChecks(ctx, 0, nil)
	if err != nil {
		return err
	}
	var losses []float64
	for round := range rounds {
		base, err := r.machineCount(ctx)
		if err != nil {
			return err
		}
		arrivals := newArrivals(base, int(2*rate*r.length.Seconds()))
		d, err := r.openDashboards(ctx, count, document, arrivals)
		if err != nil {
			return err
		}
		if round == 0 {
			if err := r.delays(ctx, workload, rate, arrivals, d, baseline); err != nil {
				return errors.Join(err, d.close())
			}
		}
		with, err := r.firstChecks(ctx, 0, nil)
		if err = errors.Join(err, d.close()); err != nil {
			return err
		}
		after, err := r.firstChecks(ctx, 0, nil)
		if err != nil {
			return err
		}
		without := (before.PerSecond() + after.PerSecond()) / 2
		losses = append(losses, 100*(1-with.PerSecond()/without))
		r.print(workload, "closed loop: %.0f/s with %d dashboards, %.0f/s without; server %.2f, %.2f cores; bench %.2f, %.2f cores", with.PerSecond(), count,
			without, with.cores(), (before.cores()+after.cores())/2, with.CPU(), (before.CPU()+after.CPU())/2)
		before = after
	}
	slices.Sort(losses)
	r.print(workload, "the dashboards reduce the rate by %.1f %% (median of %.1f)", losses[rounds/2], losses)
	return nil
}

// delays measures new machines at a rate with dashboards, and compares with a
// baseline without.
func (r *runner) delays(ctx context.Context, workload string, rate float64, a *arrivals, d *dashboards, baseline *serverResult) error {
	with, err := r.firstChecks(ctx, rate, a)
	if err != nil {
		return err
	}
	_, peak := r.memory()
	delays, messages := d.measured()
	if len(delays) == 0 {
		return errors.New("no dashboard showed a new machine")
	}
	r.print(workload, "%d dashboards, %.0f new machines/s: a machine appears after p50 %s p99 %s max %s (%.0f messages/s)", len(d.open), rate,
		round(delays[len(delays)/2]), round(delays[len(delays)*99/100]), round(delays[len(delays)-1]), messages)
	r.print(workload, "%.0f responses/s with, %.0f/s without; p99 %s, %s; server %.2f, %.2f cores; bench %.2f, %.2f cores; server peak %d MiB", with.PerSecond(), baseline.PerSecond(),
		round(with.Percentile(0.99)), round(baseline.Percentile(0.99)), with.cores(), baseline.cores(), with.CPU(), baseline.CPU(), peak)
	return nil
}
