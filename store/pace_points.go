package store

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/coreroller/coreroller/store/bulk"
)

// Pace is the highest number of updates in flight and of grants of a group in an
// interval, each with its cap, and the number of update checks.
type Pace struct {
	InFlight, InFlightCap int
	Granted, GrantedCap   int // within the policy's period
	Checks                int
}

// PacePoint is the Pace of the interval that ends at At.
type PacePoint struct {
	GroupID    uuid.UUID
	Resolution int // length of the interval in seconds
	At         time.Time
	Pace
}

// pacePoints are merged with the row of the same interval: checks are added up, and
// of every other number the maximum is kept. A row that would not change is not
// written.
var pacePoints = bulk.NewTable("pace_points", `ON CONFLICT (group_id, resolution, at) DO UPDATE SET
		in_flight = CASE WHEN EXCLUDED.in_flight > pace_points.in_flight THEN EXCLUDED.in_flight ELSE pace_points.in_flight END,
		in_flight_cap = CASE WHEN EXCLUDED.in_flight_cap > pace_points.in_flight_cap THEN EXCLUDED.in_flight_cap ELSE pace_points.in_flight_cap END,
		granted = CASE WHEN EXCLUDED.granted > pace_points.granted THEN EXCLUDED.granted ELSE pace_points.granted END,
		granted_cap = CASE WHEN EXCLUDED.granted_cap > pace_points.granted_cap THEN EXCLUDED.granted_cap ELSE pace_points.granted_cap END,
		checks = pace_points.checks + EXCLUDED.checks
		WHERE EXCLUDED.checks > 0 OR EXCLUDED.in_flight > pace_points.in_flight OR EXCLUDED.in_flight_cap > pace_points.in_flight_cap
		OR EXCLUDED.granted > pace_points.granted OR EXCLUDED.granted_cap > pace_points.granted_cap`,
	`group_id id, resolution number, at time, in_flight number, in_flight_cap number,
	granted number, granted_cap number, checks number`)

// AddPace merges the measurements of one process into the points. Rows are
// written in the order of their keys, as every process does, so that processes do
// not deadlock. Points of deleted groups are dropped.
func (s *Store) AddPace(ctx context.Context, points []PacePoint) error {
	if len(points) == 0 {
		return nil
	}
	points = slices.Clone(points)
	slices.SortFunc(points, func(a, b PacePoint) int {
		return cmp.Or(bytes.Compare(a.GroupID[:], b.GroupID[:]), cmp.Compare(a.Resolution, b.Resolution), a.At.Compare(b.At))
	})
	err := s.Write(ctx, time.Time{}, func(tx *Tx) error {
		exists, err := tx.keepGroups(ctx, points)
		if err != nil {
			return err
		}
		var rows []bulk.Value
		for _, p := range points {
			if exists[p.GroupID] {
				rows = append(rows, bulk.ID(p.GroupID), bulk.Number(p.Resolution), bulk.Time(p.At), bulk.Number(p.InFlight), bulk.Number(p.InFlightCap),
					bulk.Number(p.Granted), bulk.Number(p.GrantedCap), bulk.Number(p.Checks))
			}
		}
		_, err = tx.write(ctx, bulk.Insert(pacePoints, rows))
		return err
	})
	if err != nil {
		return fmt.Errorf("write the pace of groups: %w", err)
	}
	return nil
}

// keepGroups returns which groups of the points exist, and prevents their deletion
// until the end of the transaction. Otherwise a deletion could wait for the points
// while the points wait for the group.
func (tx *Tx) keepGroups(ctx context.Context, points []PacePoint) (map[uuid.UUID]bool, error) {
	var ids []uuid.UUID
	for _, p := range points { // sorted
		if len(ids) == 0 || ids[len(ids)-1] != p.GroupID {
			ids = append(ids, p.GroupID)
		}
	}
	text := "SELECT id FROM groups WHERE id @in "
	if tx.sql.Postgres() {
		text += "FOR KEY SHARE"
	}
	rows, err := tx.query(ctx, text, tx.sql.List(ids))
	if err != nil {
		return nil, fmt.Errorf("read groups: %w", err)
	}
	defer rows.Close()
	exists := make(map[uuid.UUID]bool, len(ids))
	for rows.Next() {
		var id uuid.UUID
		if err := rows.Scan(&id); err != nil {
			return nil, fmt.Errorf("read groups: %w", err)
		}
		exists[id] = true
	}
	return exists, rows.Err()
}
