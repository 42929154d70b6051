package store

import (
	"context"
	"database/sql"
	"fmt"
	"strconv"
	"strings"

	"github.com/google/uuid"

	"github.com/coreroller/coreroller/rollout"
	"github.com/coreroller/coreroller/rollout/version"
	"github.com/coreroller/coreroller/store/statement"
)

// Difference is a counter that differs from a recount.
type Difference struct {
	Counter       string // description of what is counted
	Kept, Counted int    // the counter, and the recount
}

// Recount compares every counter with the rows it counts and returns the
// differences. Counters of attempts that retention has deleted differ too. A kind
// of failure without a counter differs unless the rollout has maxKinds of them. It
// scans all instances, so it is meant for tests and diagnosis.
func (s *Store) Recount(ctx context.Context) ([]Difference, error) {
	const byTrait = `UNION ALL
		SELECT 'failed of rollout ' || rollout_id || ' @trait ' || @trait, 0, 1 FROM failed a
			WHERE EXISTS (SELECT 1 FROM failure_shares s WHERE s.rollout_id = a.rollout_id AND s.trait = '@trait' AND s.value = a.@trait)
			OR (SELECT COUNT(*) FROM failure_shares s WHERE s.rollout_id = a.rollout_id AND s.trait = '@trait') < @max
		`
	const text = `WITH failed AS (SELECT * FROM attempts WHERE failed AND rollout_id IN (SELECT id FROM rollouts))
	SELECT what, SUM(kept), SUM(counted) FROM (
		SELECT 'machines ' || g.group_id || ' ' || version || ' state ' || state || ' ' || reason || ' standing ' || standing AS what, machines AS kept, 0 AS counted FROM group_counts g
		UNION ALL
		SELECT 'machines ' || group_id || ' ' || version || ' state ' || state || ' ' || reason || ' standing ' || standing, 0, 1 FROM instances WHERE group_id IS NOT NULL
		UNION ALL
		SELECT 'in flight ' || group_id, in_flight, 0 FROM ledgers
		UNION ALL
		SELECT 'in flight ' || group_id, 0, 1 FROM instances WHERE group_id IS NOT NULL AND granted_at IS NOT NULL AND NOT reboot_overdue
		UNION ALL
		SELECT 'reboot overdue ' || group_id, reboot_overdue, 0 FROM ledgers
		UNION ALL
		SELECT 'reboot overdue ' || group_id, 0, 1 FROM instances WHERE group_id IS NOT NULL AND reboot_overdue
		UNION ALL
		SELECT 'ended of rollout ' || rollout_id, succeeded + failed + released, 0 FROM waves
		UNION ALL
		SELECT 'ended of rollout ' || rollout_id, 0, 1 FROM attempts WHERE NOT replaced AND rollout_id IN (SELECT id FROM rollouts)
		UNION ALL
		SELECT 'failed of rollout ' || rollout_id, failed, 0 FROM waves
		UNION ALL
		SELECT 'failed of rollout ' || rollout_id, 0, 1 FROM failed
		UNION ALL
		SELECT 'failed of rollout ' || rollout_id || ' outcome ' || outcome || ' code ' || code, attempts, 0 FROM failures
		UNION ALL
		SELECT 'failed of rollout ' || rollout_id || ' outcome ' || outcome || ' code ' || code, 0, 1 FROM failed a
			WHERE EXISTS (SELECT 1 FROM failures f WHERE f.rollout_id = a.rollout_id AND f.outcome = a.outcome AND f.code = a.code)
			OR (SELECT COUNT(*) FROM failures f WHERE f.rollout_id = a.rollout_id) < @max
		UNION ALL
		SELECT 'failed of rollout ' || rollout_id || ' ' || trait || ' ' || value, attempts, 0 FROM failure_shares
		@shares
	) AS sides GROUP BY what HAVING SUM(kept) <> SUM(counted) ORDER BY what`
	var shares strings.Builder
	for _, trait := range traits {
		shares.WriteString(strings.ReplaceAll(byTrait, "@trait", trait))
	}
	query := strings.ReplaceAll(text, "@shares", shares.String())
	rows, err := s.readers.QueryContext(ctx, strings.ReplaceAll(query, "@max", strconv.Itoa(maxKinds)))
	if err != nil {
		return nil, fmt.Errorf("recount: %w", err)
	}
	defer rows.Close()
	var all []Difference
	for rows.Next() {
		var d Difference
		if err := rows.Scan(&d.Counter, &d.Kept, &d.Counted); err != nil {
			return nil, fmt.Errorf("recount: %w", err)
		}
		all = append(all, d)
	}
	if err := rows.Err(); err != nil {
		return nil, err
	}
	census, err := s.recountCensus(ctx)
	return append(all, census...), err
}

// recountCensus compares each ledger's numbers of machines by their place at the
// target with a recount. It runs in Go because SQL cannot compare versions.
func (s *Store) recountCensus(ctx context.Context) (all []Difference, err error) {
	rows, err := s.readers.QueryContext(ctx, s.readers.SQL(`SELECT l.group_id, l.behind, l.on_target, l.other_build, r.version, r.recalled, i.version, COUNT(i.id)
		FROM ledgers l JOIN rollouts r ON r.id = l.rollout_id LEFT JOIN instances i ON i.group_id = l.group_id AND i.standing = ? AND i.reason NOT IN ('', ?)
		GROUP BY l.group_id, l.behind, l.on_target, l.other_build, r.id, i.version`), int64(rollout.StandingActive), rollout.ReasonNotEnrolled.String())
	if err != nil {
		return nil, fmt.Errorf("recount: %w", err)
	}
	defer rows.Close()
	kept, counted := map[uuid.UUID]rollout.Census{}, map[uuid.UUID]rollout.Census{}
	for rows.Next() {
		var (
			group           uuid.UUID
			c               rollout.Census
			target, running sql.NullString
			recalled        []string
			machines        int
		)
		if err := rows.Scan(&group, &c.Behind, &c.OnTarget, &c.OtherBuild, &target, statement.JSON(&recalled), &running, &machines); err != nil {
			return nil, fmt.Errorf("recount: %w", err)
		}
		kept[group] = c
		runs, _ := rollout.ParseVersion(running.String)
		goal := version.Goal{Recalled: parseVersions(recalled)}
		goal.Target, _ = rollout.ParseVersion(target.String)
		c = counted[group]
		c.Add(goal.Place(runs), machines)
		counted[group] = c
	}
	for group, k := range kept {
		if n := counted[group]; k != n {
			all = append(all, Difference{"behind " + group.String(), k.Behind, n.Behind}, Difference{"on target " + group.String(), k.OnTarget, n.OnTarget},
				Difference{"other build " + group.String(), k.OtherBuild, n.OtherBuild})
		}
	}
	return all, rows.Err()
}
