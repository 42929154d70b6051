package store

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"
)

// Pace is how fast a group went for some time, as one process saw it: the
// highest numbers with their caps, and how many update checks came.
type Pace struct {
	InFlight, InFlightCap int
	Granted, GrantedCap   int // within the policy's period
	Checks                int
}

// PacePoint is a Pace of the time that ends at a moment, at one resolution.
type PacePoint struct {
	GroupID    uuid.UUID
	Resolution int // seconds
	At         time.Time
	Pace
}

// pacePoints grow as their time goes on: checks of all processes add up, of the
// rest the highest stays. A row that would stay as it is is not written.
var pacePoints = &table{
	name: "pace_points",
	columns: []column{
		{"group_id", asID}, {"resolution", asNumber}, {"at", asTime}, {"in_flight", asNumber}, {"in_flight_cap", asNumber},
		{"granted", asNumber}, {"granted_cap", asNumber}, {"checks", asNumber},
	},
	conflict: `ON CONFLICT (group_id, resolution, at) DO UPDATE SET
		in_flight = CASE WHEN EXCLUDED.in_flight > pace_points.in_flight THEN EXCLUDED.in_flight ELSE pace_points.in_flight END,
		in_flight_cap = CASE WHEN EXCLUDED.in_flight_cap > pace_points.in_flight_cap THEN EXCLUDED.in_flight_cap ELSE pace_points.in_flight_cap END,
		granted = CASE WHEN EXCLUDED.granted > pace_points.granted THEN EXCLUDED.granted ELSE pace_points.granted END,
		granted_cap = CASE WHEN EXCLUDED.granted_cap > pace_points.granted_cap THEN EXCLUDED.granted_cap ELSE pace_points.granted_cap END,
		checks = pace_points.checks + EXCLUDED.checks
		WHERE EXCLUDED.checks > 0 OR EXCLUDED.in_flight > pace_points.in_flight OR EXCLUDED.in_flight_cap > pace_points.in_flight_cap
		OR EXCLUDED.granted > pace_points.granted OR EXCLUDED.granted_cap > pace_points.granted_cap`,
}

// AddPace adds what one process saw to the points, in the order of their keys,
// as every other process does. Points of groups that are gone are dropped.
func (s *Store) AddPace(ctx context.Context, points []PacePoint) error {
	if len(points) == 0 {
		return nil
	}
	points = slices.Clone(points)
	slices.SortFunc(points, func(a, b PacePoint) int {
		return cmp.Or(bytes.Compare(a.GroupID[:], b.GroupID[:]), cmp.Compare(a.Resolution, b.Resolution), a.At.Compare(b.At))
	})
	err := s.Write(ctx, time.Time{}, func(tx *Tx) error {
		there, err := tx.keepGroups(ctx, points)
		if err != nil {
			return err
		}
		var rows cells
		for _, p := range points {
			if there[p.GroupID] {
				rows = append(rows, inID(p.GroupID), inNumber(p.Resolution), inTime(p.At), inNumber(p.InFlight), inNumber(p.InFlightCap),
					inNumber(p.Granted), inNumber(p.GrantedCap), inNumber(p.Checks))
			}
		}
		_, err = tx.write(ctx, insertion(pacePoints, rows))
		return err
	})
	if err != nil {
		return fmt.Errorf("write the pace of groups: %w", err)
	}
	return nil
}

// keepGroups says which groups of the points exist, and keeps them until the
// end of the transaction. Were a group deleted in the middle of it, that would
// wait for its points and they for it.
func (tx *Tx) keepGroups(ctx context.Context, points []PacePoint) (map[uuid.UUID]bool, error) {
	var ids []uuid.UUID
	for _, p := range points { // sorted
		if len(ids) == 0 || ids[len(ids)-1] != p.GroupID {
			ids = append(ids, p.GroupID)
		}
	}
	text := "SELECT id FROM groups WHERE id @in "
	if tx.store.postgres() {
		text += "FOR KEY SHARE"
	}
	rows, err := tx.query(ctx, text, tx.store.list(ids))
	if err != nil {
		return nil, fmt.Errorf("read groups: %w", err)
	}
	defer rows.Close()
	there := make(map[uuid.UUID]bool, len(ids))
	for rows.Next() {
		var id uuid.UUID
		if err := rows.Scan(&id); err != nil {
			return nil, fmt.Errorf("read groups: %w", err)
		}
		there[id] = true
	}
	return there, rows.Err()
}
