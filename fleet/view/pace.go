package view

import (
	"context"
	"fmt"
	"time"

	"entgo.io/ent/dialect/sql"
	"github.com/google/uuid"

	"github.com/coreroller/coreroller/auth"
	"github.com/coreroller/coreroller/ent/db"
	"github.com/coreroller/coreroller/ent/db/group"
	"github.com/coreroller/coreroller/ent/db/pacepoint"
	"github.com/coreroller/coreroller/fleet/fault"
	"github.com/coreroller/coreroller/fleet/pace"
)

// Pace is the speed of a rollout at the times of a timeline. Each number is the
// maximum since the previous time, 0 where nothing was recorded.
type Pace struct {
	InFlight, ConcurrencyLimit []int
	Granted, PeriodLimit       []int // within the policy's period
	Checks                     []int // sum since the previous time
}

// paceOf reads the pace of a group at the times of a timeline.
func (s *Service) paceOf(ctx context.Context, groupID uuid.UUID, t *Timeline) (Pace, error) {
	n := len(t.Times)
	p := Pace{InFlight: make([]int, n), ConcurrencyLimit: make([]int, n), Granted: make([]int, n), PeriodLimit: make([]int, n), Checks: make([]int, n)}
	if n == 0 {
		return p, nil
	}
	rows, err := s.db().PacePoint.Query().Where(pacepoint.GroupID(groupID), pacepoint.Resolution(int(t.Resolution/time.Second)),
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
			continue // the machines were not counted at this time
		}
		p.InFlight[i], p.ConcurrencyLimit[i] = row.InFlight, row.InFlightCap
		p.Granted[i], p.PeriodLimit[i], p.Checks[i] = row.Granted, row.GrantedCap, row.Checks
	}
	return p, nil
}

// leastChecks is the minimum sample size before a measured interval is used.
const leastChecks = 10

// checkInterval measures the average interval between update checks of a machine in
// the last hour; 0 when there were too few checks.
func (s *Service) checkInterval(ctx context.Context, groupID uuid.UUID, active int) (time.Duration, error) {
	step := int(pace.Finest / time.Second)
	last := s.now().Truncate(time.Duration(step) * time.Second)
	rows, err := s.db().PacePoint.Query().Where(pacepoint.GroupID(groupID), pacepoint.Resolution(step),
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

// ApplicationChecks returns 12 buckets of 5 minutes.
const (
	checkBuckets = 12
	checkSeconds = 300
)

// ApplicationChecks counts the update checks of applications by application: one
// number for each five minutes of the last hour. The last bucket is incomplete.
func (s *Service) ApplicationChecks(ctx context.Context, ids []uuid.UUID) (map[uuid.UUID][]int, error) {
	if _, err := fault.Require(ctx, auth.Viewer); err != nil {
		return nil, err
	}
	last := pace.EndOf(s.now(), checkSeconds)
	first := last.Add(-(checkBuckets - 1) * checkSeconds * time.Second)
	var rows []struct {
		ApplicationID uuid.UUID `sql:"application_id"`
		At            time.Time `sql:"at"`
		Sum           int       `sql:"sum"`
	}
	groups := sql.Table(group.Table)
	err := s.db().PacePoint.Query().
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
