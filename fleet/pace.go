package fleet

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"entgo.io/ent/dialect/sql"
	"github.com/google/uuid"

	"github.com/coreroller/coreroller/auth"
	"github.com/coreroller/coreroller/ent/db"
	"github.com/coreroller/coreroller/ent/db/group"
	"github.com/coreroller/coreroller/ent/db/ledger"
	"github.com/coreroller/coreroller/ent/db/pacepoint"
	"github.com/coreroller/coreroller/rollout"
	"github.com/coreroller/coreroller/store"
)

// Pace is how fast a group went, by the moments of its timeline. Each number is
// the highest since the moment before; 0 where nothing was kept.
type Pace struct {
	InFlight, Cap      []int
	Granted, PeriodCap []int // within the policy's period
	Checks             []int // since the moment before: a sum
}

// meters measure the groups in this process, between two writes.
type meters struct {
	groups  sync.Map // group id → *meter
	writing sync.Mutex
	written time.Time // when the last write was
}

// meter measures one group. A check costs it one atomic addition; the rest is
// noted once a batch.
type meter struct {
	checks atomic.Int64

	mu   sync.Mutex
	seen store.Pace // the highest, without checks
}

func (m *meters) of(group uuid.UUID) *meter {
	if found, ok := m.groups.Load(group); ok {
		return found.(*meter)
	}
	found, _ := m.groups.LoadOrStore(group, &meter{})
	return found.(*meter)
}

// note keeps the highest of what was seen.
func (m *meter) note(p store.Pace) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.seen.InFlight, m.seen.InFlightCap = max(m.seen.InFlight, p.InFlight), max(m.seen.InFlightCap, p.InFlightCap)
	m.seen.Granted, m.seen.GrantedCap = max(m.seen.Granted, p.Granted), max(m.seen.GrantedCap, p.GrantedCap)
}

// take is what was measured since it was taken last.
func (m *meter) take() store.Pace {
	m.mu.Lock()
	defer m.mu.Unlock()
	p := m.seen
	m.seen = store.Pace{}
	p.Checks = int(m.checks.Swap(0))
	return p
}

// giveBack is for what was taken and could not be written.
func (m *meter) giveBack(p store.Pace) {
	m.checks.Add(int64(p.Checks))
	m.note(p)
}

// pace is a group's ledger against its policy.
func (g *Group) pace(l *rollout.Ledger, now time.Time) store.Pace {
	p := g.policy
	return store.Pace{
		InFlight: l.InFlight, InFlightCap: p.MaxConcurrentUpdates,
		Granted: l.Granted(now, p.PeriodInterval), GrantedCap: p.MaxUpdatesPerPeriod,
	}
}

// samplePace looks at every ledger at the beginning of each of the finest
// intervals: what does not change is seen by no batch.
func (s *Service) samplePace(ctx context.Context, now time.Time) error {
	at := now.Truncate(time.Duration(resolutions[0].seconds) * time.Second)
	if !at.After(s.sampled) {
		return errNotDue
	}
	rows, err := s.store.Reader().Ledger.Query().Select(ledger.FieldGroupID, ledger.FieldInFlight, ledger.FieldSpends).All(ctx)
	if err != nil {
		return fmt.Errorf("read ledgers: %w", err)
	}
	catalog := s.Catalog()
	for _, row := range rows {
		if g := catalog.Group(row.GroupID); g != nil {
			l := rollout.Ledger{InFlight: row.InFlight, Spends: spendsSince(row.Spends, time.Time{})}
			s.meters.of(g.ID).note(g.pace(&l, now))
		}
	}
	s.sampled = at
	return nil
}

// writePace adds what this process measured since the last time to the points
// of all resolutions. It counts where the middle of that time is: the worker
// writes when a half minute ends.
func (s *Service) writePace(ctx context.Context) error {
	m := &s.meters
	m.writing.Lock()
	defer m.writing.Unlock()
	now, catalog := s.now(), s.Catalog()
	middle := m.written.Add(now.Sub(m.written) / 2)
	taken := map[*meter]store.Pace{}
	var points []store.PacePoint
	m.groups.Range(func(key, value any) bool {
		id, measured := key.(uuid.UUID), value.(*meter)
		if catalog.Group(id) == nil {
			m.groups.Delete(id)
			return true
		}
		p := measured.take()
		if p == (store.Pace{}) {
			return true
		}
		taken[measured] = p
		for _, r := range resolutions {
			points = append(points, store.PacePoint{GroupID: id, Resolution: r.seconds, At: endOf(middle, r.seconds), Pace: p})
		}
		return true
	})
	if err := s.store.AddPace(ctx, points); err != nil {
		for measured, p := range taken {
			measured.giveBack(p)
		}
		return err
	}
	m.written = now
	return nil
}

// endOf is the end of the interval that a moment is in.
func endOf(at time.Time, seconds int) time.Time {
	step := time.Duration(seconds) * time.Second
	if end := at.Truncate(step); end.Equal(at) {
		return end
	}
	return at.Truncate(step).Add(step)
}

// paceOf reads the points of a group at the moments of its timeline.
func (s *Service) paceOf(ctx context.Context, groupID uuid.UUID, t *Timeline) (Pace, error) {
	n := len(t.Times)
	p := Pace{InFlight: make([]int, n), Cap: make([]int, n), Granted: make([]int, n), PeriodCap: make([]int, n), Checks: make([]int, n)}
	if n == 0 {
		return p, nil
	}
	rows, err := s.store.Reader().PacePoint.Query().Where(pacepoint.GroupID(groupID), pacepoint.Resolution(int(t.Resolution/time.Second)),
		pacepoint.AtGTE(t.Times[0]), pacepoint.AtLTE(t.Times[n-1])).Order(pacepoint.ByAt()).All(ctx)
	if err != nil {
		return p, fmt.Errorf("read the pace: %w", err)
	}
	i := 0
	for _, row := range rows {
		for i < n && t.Times[i].Before(row.At) {
			i++
		}
		if i == n || !t.Times[i].Equal(row.At) {
			continue // a time in which the machines were not counted
		}
		p.InFlight[i], p.Cap[i] = row.InFlight, row.InFlightCap
		p.Granted[i], p.PeriodCap[i], p.Checks[i] = row.Granted, row.GrantedCap, row.Checks
	}
	return p, nil
}

// leastChecks is of how many checks an interval is believed.
const leastChecks = 10

// checkInterval is how often each of the active machines of a group asked
// within the last hour; 0 when they did not ask often enough to say.
func (s *Service) checkInterval(ctx context.Context, groupID uuid.UUID, active int) (time.Duration, error) {
	step := resolutions[0].seconds
	last := s.now().Truncate(time.Duration(step) * time.Second)
	rows, err := s.store.Reader().PacePoint.Query().Where(pacepoint.GroupID(groupID), pacepoint.Resolution(step),
		pacepoint.AtGT(last.Add(-time.Hour)), pacepoint.AtLTE(last)).
		Select(pacepoint.FieldAt, pacepoint.FieldChecks).Order(pacepoint.ByAt()).All(ctx)
	if err != nil {
		return 0, fmt.Errorf("read update checks: %w", err)
	}
	checks := 0
	for _, row := range rows {
		checks += row.Checks
	}
	if checks < max(leastChecks, active/10) {
		return 0, nil
	}
	span := last.Sub(rows[0].At) + time.Duration(step)*time.Second
	return max(time.Second, (span * time.Duration(active) / time.Duration(checks)).Round(time.Second)), nil
}

// Of Application.checks.
const (
	checkBuckets = 12
	checkSeconds = 300
)

// ApplicationChecks are the update checks of the machines of applications, by
// application: one number for each five minutes of the last hour, the last one
// still growing.
func (s *Service) ApplicationChecks(ctx context.Context, ids []uuid.UUID) (map[uuid.UUID][]int, error) {
	if _, err := require(ctx, auth.Read); err != nil {
		return nil, err
	}
	last := endOf(s.now(), checkSeconds)
	first := last.Add(-(checkBuckets - 1) * checkSeconds * time.Second)
	var rows []struct {
		ApplicationID uuid.UUID `sql:"application_id"`
		At            time.Time `sql:"at"`
		Sum           int       `sql:"sum"`
	}
	groups := sql.Table(group.Table)
	err := s.store.Reader().PacePoint.Query().
		Where(pacepoint.Resolution(checkSeconds), pacepoint.AtGTE(first), pacepoint.AtLTE(last), func(q *sql.Selector) {
			values := make([]any, len(ids))
			for i, id := range ids {
				values[i] = id
			}
			q.Join(groups).On(q.C(pacepoint.FieldGroupID), groups.C(group.FieldID))
			q.Where(sql.In(groups.C(group.FieldApplicationID), values...)).GroupBy(groups.C(group.FieldApplicationID))
		}).GroupBy(pacepoint.FieldAt).
		Aggregate(func(*sql.Selector) string { return groups.C(group.FieldApplicationID) }, db.As(db.Sum(pacepoint.FieldChecks), "sum")).
		Scan(ctx, &rows)
	if err != nil {
		return nil, fmt.Errorf("read update checks: %w", err)
	}
	out := make(map[uuid.UUID][]int, len(ids))
	for _, id := range ids {
		out[id] = make([]int, checkBuckets)
	}
	for _, row := range rows {
		out[row.ApplicationID][int(row.At.Sub(first)/(checkSeconds*time.Second))] = row.Sum
	}
	return out, nil
}
