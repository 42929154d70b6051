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

// groupPage is the subscription of the dashboard's group page, as it sends it.
func groupPage() (string, error) {
	documents, err := load.ReadDocuments(os.DirFS("frontend/src"))
	if err != nil {
		return "", fmt.Errorf("run it in the repository: %w", err)
	}
	return documents.Operation("GroupPage")
}

// audience is dashboards on the group's page.
type audience struct {
	open    []*load.Dashboard
	reading sync.WaitGroup
	failed  atomic.Pointer[error]
	closing atomic.Bool

	mu       sync.Mutex
	late     []time.Duration // from the answer to a machine until a dashboard shows it
	messages int             // since all were there
	since    time.Time
}

// admit opens dashboards that look out for arrivals.
func (s *scene) admit(ctx context.Context, n int, document string, arriving *arrivals) (*audience, error) {
	a := &audience{}
	for range n {
		d, err := load.Open(ctx, s.url, first, first)
		if err != nil {
			return nil, errors.Join(err, a.leave())
		}
		a.open = append(a.open, d)
		if err := d.Subscribe("1", document, map[string]any{"groupId": s.group}); err != nil {
			return nil, errors.Join(err, a.leave())
		}
		if _, err := d.Next(); err != nil { // the page is there
			return nil, errors.Join(err, a.leave())
		}
		a.reading.Go(func() { a.read(d, arriving.viewer()) })
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.messages, a.since = 0, time.Now()
	return a, nil
}

// read reads what one dashboard is told until it is closed.
func (a *audience) read(d *load.Dashboard, seen func(machines int) []time.Duration) {
	for {
		message, err := d.Next()
		if err != nil {
			if !a.closing.Load() {
				a.failed.Store(&err)
			}
			return
		}
		_, rest, _ := bytes.Cut(message, []byte(`"total":`))
		digits := rest[:max(0, bytes.IndexFunc(rest, func(r rune) bool { return r < '0' || r > '9' }))]
		total, _ := strconv.Atoi(string(digits))
		late := seen(total)
		a.mu.Lock()
		a.late, a.messages = append(a.late, late...), a.messages+1
		a.mu.Unlock()
	}
}

// leave closes the dashboards and says whether one was let down.
func (a *audience) leave() error {
	a.closing.Store(true)
	for _, d := range a.open {
		d.Close()
	}
	a.reading.Wait()
	if err := a.failed.Load(); err != nil {
		return fmt.Errorf("a dashboard: %w", *err)
	}
	return nil
}

// arrivals is when the n-th new machine was answered.
type arrivals struct {
	base  int // machines known before
	count atomic.Int64
	at    []atomic.Int64
}

func newArrivals(base, most int) *arrivals {
	return &arrivals{base: base, at: make([]atomic.Int64, most)}
}

// watch counts what a source of first checks was answered.
func (a *arrivals) watch(s load.Source) load.Source {
	return func(connection int, answer, buf []byte) []byte {
		if answer != nil {
			if n := a.count.Add(1); int(n) <= len(a.at) {
				a.at[n-1].Store(time.Now().UnixNano())
			}
		}
		return s(connection, answer, buf)
	}
}

// viewer is one dashboard's way through the arrivals: of those that a message
// shows for the first time, how late one of them (by chance) is. Messages are
// as far apart as the arrivals between them are many, so none is favoured.
func (a *arrivals) viewer() func(machines int) []time.Duration {
	shown := 0
	return func(machines int) []time.Duration {
		now := time.Now().UnixNano()
		n := min(machines-a.base, int(a.count.Load()), len(a.at))
		if n <= shown {
			return nil
		}
		at := a.at[shown+rand.IntN(n-shown)].Load()
		shown = n
		return []time.Duration{time.Duration(now - at)}
	}
}

// stormy is a result and the time of the processors that the server took.
type stormy struct {
	*load.Result
	used time.Duration
}

// cores is how many the server kept busy.
func (r *stormy) cores() float64 { return r.used.Seconds() / r.Took.Seconds() }

// storm is first checks of new machines, at a rate or as fast as they go.
func (s *scene) storm(ctx context.Context, rate float64, a *arrivals) (*stormy, error) {
	source := s.fleet.FirstChecks(freshPart(), "2.0.0")
	if a != nil {
		source = a.watch(source)
	}
	// Before it is measured: dashboards have just come or gone.
	if _, err := s.run(ctx, load.Plan{Connections: s.connections, Rate: rate, Length: 2 * time.Second, Source: source}); err != nil {
		return nil, err
	}
	before := s.used()
	r, err := s.run(ctx, load.Plan{Connections: s.connections, Rate: rate, Length: s.length, Source: source})
	return &stormy{r, s.used() - before}, err
}

// total is how many machines the group has.
func (s *scene) total(ctx context.Context) (int, error) {
	var known struct {
		Group struct{ Numbers struct{ Total int } }
	}
	err := s.ask(ctx, "query($id: ID!) { group(id: $id) { numbers { total } } }", map[string]any{"id": s.group}, &known)
	return known.Group.Numbers.Total, err
}

// subscribers lets a thousand dashboards watch the group during a storm of a
// thousand new machines a second, and during some as fast as it goes. Each of
// these stands between two that nobody watches, because the machine's speed
// changes meanwhile and the database grows.
func (s *scene) subscribers(ctx context.Context) error {
	const (
		work       = "subscribers"
		dashboards = 1000
		rate       = 1000
		rounds     = 5
	)
	document, err := groupPage()
	if err != nil {
		return err
	}
	alone, err := s.storm(ctx, rate, nil)
	if err != nil {
		return err
	}
	before, err := s.storm(ctx, 0, nil)
	if err != nil {
		return err
	}
	var falls []float64
	for round := range rounds {
		base, err := s.total(ctx)
		if err != nil {
			return err
		}
		arriving := newArrivals(base, int(2*rate*s.length.Seconds()))
		crowd, err := s.admit(ctx, dashboards, document, arriving)
		if err != nil {
			return err
		}
		if round == 0 {
			if err := s.watched(ctx, work, rate, arriving, crowd, alone); err != nil {
				return errors.Join(err, crowd.leave())
			}
		}
		with, err := s.storm(ctx, 0, nil)
		if err = errors.Join(err, crowd.leave()); err != nil {
			return err
		}
		after, err := s.storm(ctx, 0, nil)
		if err != nil {
			return err
		}
		without := (before.PerSecond() + after.PerSecond()) / 2
		falls = append(falls, 100*(1-with.PerSecond()/without))
		s.say(work, "as fast as they go: %.0f/s with %d dashboards, %.0f/s without; server %.2f, %.2f cores; tool %.2f, %.2f", with.PerSecond(), dashboards,
			without, with.cores(), (before.cores()+after.cores())/2, with.CPU(), (before.CPU()+after.CPU())/2)
		before = after
	}
	slices.Sort(falls)
	s.say(work, "with them the rate falls by %.1f %% (the middle of %.1f)", falls[rounds/2], falls)
	return nil
}

// watched is a storm at a rate that dashboards watch, beside one that was alone.
func (s *scene) watched(ctx context.Context, work string, rate float64, a *arrivals, crowd *audience, alone *stormy) error {
	with, err := s.storm(ctx, rate, a)
	if err != nil {
		return err
	}
	_, peak := s.memory()
	late, messages := crowd.heard()
	if len(late) == 0 {
		return errors.New("no dashboard saw a machine")
	}
	s.say(work, "%d dashboards, %.0f new machines/s: a dashboard shows a machine after p50 %s p99 %s max %s (%.0f messages/s)", len(crowd.open), rate,
		round(late[len(late)/2]), round(late[len(late)*99/100]), round(late[len(late)-1]), messages)
	s.say(work, "answers %.0f/s with them, %.0f/s without; p99 %s, %s; server %.2f, %.2f cores; tool %.2f, %.2f; server peak %d MiB", with.PerSecond(), alone.PerSecond(),
		round(with.Percentile(0.99)), round(alone.Percentile(0.99)), with.cores(), alone.cores(), with.CPU(), alone.CPU(), peak)
	return nil
}

// heard is how late the dashboards were told, sorted, and how many messages they
// got a second.
func (a *audience) heard() (late []time.Duration, messages float64) {
	a.mu.Lock()
	defer a.mu.Unlock()
	slices.Sort(a.late)
	return a.late, float64(a.messages) / time.Since(a.since).Seconds()
}

// steady offers 5,000 checks of known machines a second while ten dashboards
// watch, and a few whole updates, so that there is something to see. The
// machines keep their connections, and then open one for each request.
func (s *scene) steady(ctx context.Context) error {
	const (
		work       = "dashboards"
		dashboards = 10
		rate       = 5000
	)
	document, err := groupPage()
	if err != nil {
		return err
	}
	crowd, err := s.admit(ctx, dashboards, document, newArrivals(0, 0))
	if err != nil {
		return err
	}
	even := func(n int) string { return machine(2 * n) } // runs the target
	source := load.Mix([]load.Weighted{
		{Weight: 9, Source: s.fleet.Checks(s.size/2, "2.0.0", even)},
		{Weight: 1, Source: s.fleet.Updates(freshPart(), "1.0.0", s.connections)},
	})
	for _, turn := range []struct {
		words     string
		length    time.Duration
		reconnect bool
	}{
		{"", 2 * time.Second, false}, // not measured: a server that just began, and dashboards that have just come
		{"connections are kept", s.length, false},
		{"each on a new connection", s.length, true},
	} {
		busy := s.used()
		r, err := s.run(ctx, load.Plan{Connections: s.connections, Reconnect: turn.reconnect, Rate: rate, Length: turn.length, Source: source})
		if err != nil {
			return errors.Join(err, crowd.leave())
		}
		if turn.words == "" {
			continue
		}
		cores := (s.used() - busy).Seconds() / r.Took.Seconds()
		s.say(work, "%d/s offered, a tenth of them steps of updates, %d dashboards, %s: %.0f/s, p50 %s p99 %s p99.9 %s max %s; %s; server %.2f cores, tool %.2f",
			rate, dashboards, turn.words, r.PerSecond(), round(r.Percentile(0.5)), round(r.Percentile(0.99)), round(r.Percentile(0.999)), round(r.Max()),
			r.Outcomes(), cores, r.CPU())
	}
	return crowd.leave()
}

// page opens the group's page again and again, one after the other.
func (s *scene) page(ctx context.Context) error {
	const work = "group page"
	document, err := groupPage()
	if err != nil {
		return err
	}
	d, err := load.Open(ctx, s.url, first, first)
	if err != nil {
		return err
	}
	defer d.Close()
	var times []time.Duration
	bytes := 0
	for until := time.Now().Add(s.length); time.Now().Before(until) || len(times) < 200; {
		began, id := time.Now(), strconv.Itoa(len(times))
		if err := d.Subscribe(id, document, map[string]any{"groupId": s.group}); err != nil {
			return err
		}
		message, err := d.Next()
		if err != nil {
			return err
		}
		times, bytes = append(times, time.Since(began)), len(message)
		if err := d.Complete(id); err != nil {
			return err
		}
	}
	slices.Sort(times)
	s.say(work, "%d times %d bytes: p50 %s p99 %s max %s", len(times), bytes, round(times[len(times)/2]), round(times[len(times)*99/100]), round(times[len(times)-1]))
	return nil
}
