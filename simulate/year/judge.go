package year

import (
	"context"
	"fmt"
	"math"
	"os"
	"runtime"
	"time"

	"github.com/google/uuid"

	"github.com/coreroller/coreroller/ent/db"
	"github.com/coreroller/coreroller/fleet/view"
	"github.com/coreroller/coreroller/fleet/view/machines"
	"github.com/coreroller/coreroller/rollout"
	"github.com/coreroller/coreroller/rollout/forecast"
	"github.com/coreroller/coreroller/store"
)

// prediction is the forecast of one rollout.
type prediction struct {
	group   *group
	number  int           // of the release
	at      time.Time     // of the promotion
	reaches time.Duration // until most machines run it
}

// most is the share of the active machines whose update ends a measured rollout: some are
// held, quarantined or silent.
const most = .9

func ids(groups ...*group) (all []uuid.UUID) {
	for _, g := range groups {
		all = append(all, g.id)
	}
	return all
}

// checkCaps compares what is in flight with the caps. After a person lowered a cap, what
// was in flight may end.
func (y *year) checkCaps() error {
	numbers, err := y.server.fleet.View.ManyGroupNumbers(y.ctx, ids(y.groups...))
	if err != nil {
		return err
	}
	for _, g := range y.groups {
		n := numbers[g.id]
		flying := n.InFlight - n.RebootOverdue
		if flying > max(n.ConcurrencyLimit, g.inFlight) {
			y.result.fail("%s: %s has %d updates in flight, its cap is %d", y.server.clock().Format(time.DateOnly), g.name, flying, n.ConcurrencyLimit)
		}
		g.inFlight = flying
	}
	y.settle(numbers)
	return nil
}

// settle compares the forecasts with what happened: when most machines ran the target.
func (y *year) settle(numbers map[uuid.UUID]*view.GroupNumbers) {
	open := y.judging[:0]
	for _, p := range y.judging {
		n := numbers[p.group.id]
		switch {
		case p.number != y.targets[p.group.channel].number:
			y.result.Unjudged++
		case float64(n.OnTarget) >= most*float64(n.Active):
			y.result.Forecasts = append(y.result.Forecasts, Forecast{
				Group: p.group.name, Release: p.number, Predicted: p.reaches, Took: y.server.clock().Sub(p.at), Touched: p.group.touched,
			})
		default:
			open = append(open, p)
		}
	}
	y.judging = open
}

// reaches is how long a forecast takes until most machines run the target, 0 if they
// never do.
func reaches(f *forecast.Result, from time.Time) time.Duration {
	for _, p := range f.Points {
		if all := p.OnTarget + p.InFlight + p.Failed + p.Waiting; float64(p.OnTarget) >= most*float64(all) {
			return p.At.Sub(from)
		}
	}
	return 0
}

// month recounts, verifies the audit and notes the sizes.
func (y *year) month(now time.Duration) error {
	if err := y.recount(); err != nil {
		return err
	}
	s, err := y.sizes(y.ctx)
	if err != nil {
		return err
	}
	s.Day, s.Machines = int(now/day), len(y.members)
	y.result.Months = append(y.result.Months, s)
	y.options.Progress(fmt.Sprintf("day %d: %s, %d requests, %d updated, heap %d MiB", s.Day, s, y.result.Traffic.Requests, y.result.Traffic.Updated, s.Heap>>20))
	return nil
}

func (y *year) recount() error {
	whole := y.server.clock().Add(-store.Keep{}.Of(store.KeepAttempts)) // older attempts are deleted
	differences, err := y.server.store.RecountSince(y.ctx, whole)
	if err != nil {
		return err
	}
	for _, d := range differences {
		y.result.fail("%s: %s is %d, a recount gives %d", y.server.clock().Format(time.DateOnly), d.Counter, d.Kept, d.Counted)
	}
	if _, err := y.server.store.VerifyAudits(y.ctx, ""); err != nil {
		y.result.fail("audit: %v", err)
	}
	return nil
}

// sizes counts the rows of the tables that grow with time, and the memory.
func (y *year) sizes(ctx context.Context) (s Sizes, err error) {
	r := y.server.store.Reader()
	for _, t := range []struct {
		rows  *int
		count func(context.Context) (int, error)
	}{
		{&s.Instances, r.Instance.Query().Count}, {&s.History, r.HistoryEntry.Query().Count}, {&s.Attempts, r.Attempt.Query().Count},
		{&s.Activities, r.Activity.Query().Count}, {&s.Audits, r.Audit.Query().Count}, {&s.Points, r.StatPoint.Query().Count},
		{&s.Pace, r.PacePoint.Query().Count}, {&s.Counts, r.GroupCount.Query().Count}, {&s.Uptimes, r.Uptime.Query().Count},
	} {
		if *t.rows, err = t.count(ctx); err != nil {
			return s, fmt.Errorf("count rows: %w", err)
		}
	}
	if !store.IsPostgres(y.options.Database) {
		if info, err := os.Stat(y.options.Database); err == nil {
			s.File = info.Size()
		}
	}
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	s.Heap, s.Goroutines = int(m.HeapAlloc), runtime.NumGoroutine() //nolint:gosec // G115: a heap fits in an int
	return s, nil
}

// judge compares, at the end, what the server knows with what the machines do.
func (y *year) judge(now time.Duration) error {
	if y.server.down() {
		if err := y.server.open(y.ctx); err != nil {
			return err
		}
	}
	if err := y.recount(); err != nil {
		return err
	}
	known, err := y.rows()
	if err != nil {
		return err
	}
	stuck := map[string]int{}
	for _, m := range y.members {
		row, ok := known[m.Identity.Machine]
		switch {
		case now-m.since < 3*y.options.Interval:
		case !ok:
			y.result.fail("machine %s checks, but the server does not know it", m.Identity.Machine)
		case row.version != m.Version && !m.Rebooted():
			y.result.fail("machine %s runs %s, the server says %s", m.Identity.Machine, m.Version, row.version)
		case number(m.Version) < y.targets[m.group.channel].number && now >= m.held:
			stuck[fmt.Sprintf("%s on %s: %s, quarantined %t", m.group.name, m.Version, m.Reason(), row.quarantined)]++
			if !row.quarantined {
				y.result.Stuck++
			}
		}
	}
	y.result.Behind = stuck
	return nil
}

// number is the number of a release: 7 of 7.0.0.
func number(version string) (n int) {
	_, _ = fmt.Sscanf(version, "%d", &n)
	return n
}

type known struct {
	version     string
	quarantined bool
}

// rows reads the machines.
func (y *year) rows() (map[string]known, error) {
	all, app := map[string]known{}, appID()
	columns := []string{"quarantined_version", "standing"}
	err := y.server.fleet.View.Walk(y.ctx, machines.Filter{Application: &app}, math.MaxInt, columns, func(page []*db.Instance) {
		for _, row := range page {
			all[row.MachineID] = known{row.Version, row.QuarantinedVersion != "" || row.Standing == rollout.StandingQuarantined}
		}
	})
	if err != nil {
		return nil, fmt.Errorf("read machines: %w", err)
	}
	return all, nil
}
