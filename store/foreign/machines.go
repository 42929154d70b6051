package foreign

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/coreroller/coreroller/store/statement"
)

// Machine is a row of instance_application with its instance.
type Machine struct {
	ID            string
	Address       string
	Alias         string
	OEM           string
	AlephVersion  string
	GroupID       uuid.UUID // zero: none
	Version       string
	Status        int // 0: none
	CreatedAt     time.Time
	LastCheckAt   time.Time
	LastGrantedAt time.Time // zero: never
	LastVersion   string    // of the last grant
	InProgress    bool
}

// Machines returns at most limit machines of an application after a machine id, in the
// order of their ids.
func (s *Source) Machines(ctx context.Context, application uuid.UUID, after string, limit int) ([]Machine, error) {
	rows, err := s.tx.QueryContext(ctx, "SELECT i.id, host(i.ip), COALESCE("+s.optional("i", "instance", "alias", "''")+", ''), COALESCE("+ //nolint:gosec // G202: names of columns, from this package
		s.optional("i", "instance", "oem", "''")+", ''), COALESCE("+s.optional("i", "instance", "aleph_version", "''")+`, ''), ia.group_id, ia.version,
		COALESCE(ia.status, 0), ia.created_ts, ia.last_check_for_updates, ia.last_update_granted_ts, COALESCE(ia.last_update_version, ''), ia.update_in_progress
		FROM instance_application ia JOIN instance i ON i.id = ia.instance_id
		WHERE ia.application_id = $1 AND ia.instance_id > $2 ORDER BY ia.instance_id LIMIT $3`, application, after, limit)
	if err != nil {
		return nil, fmt.Errorf("read machines: %w", err)
	}
	defer rows.Close()
	var all []Machine
	for rows.Next() {
		var m Machine
		err := rows.Scan(&m.ID, &m.Address, &m.Alias, &m.OEM, &m.AlephVersion, statement.ID(&m.GroupID), &m.Version, &m.Status, &m.CreatedAt, &m.LastCheckAt,
			statement.Time(&m.LastGrantedAt), &m.LastVersion, &m.InProgress)
		if err != nil {
			return nil, fmt.Errorf("read machines: %w", err)
		}
		m.CreatedAt, m.LastCheckAt = m.CreatedAt.UTC(), m.LastCheckAt.UTC()
		all = append(all, m)
	}
	return all, rows.Err()
}

// Line is a row of instance_status_history, or an event of a machine.
type Line struct {
	Machine   string
	At        time.Time
	Event     bool
	ID        int64 // of the row in its table
	Status    int
	Version   string    // offered
	GroupID   uuid.UUID // zero: none
	ErrorCode string    // of an event
}

// History calls f with the history and the failed events of an application since a time:
// machine by machine, each in the order of time.
func (s *Source) History(ctx context.Context, application uuid.UUID, since time.Time, f func(Line) error) error {
	rows, err := s.tx.QueryContext(ctx, `SELECT instance_id, created_ts, event, id, status, version, group_id, error_code FROM (
		SELECT h.instance_id, h.created_ts, false AS event, h.id, COALESCE(h.status, 0) AS status, COALESCE(h.version, '') AS version, h.group_id, '' AS error_code
			FROM instance_status_history h WHERE h.application_id = $1 AND h.created_ts >= $2
		UNION ALL
		SELECT e.instance_id, e.created_ts, true, e.id, 0, '', NULL, COALESCE(e.error_code, '')
			FROM event e JOIN event_type t ON t.id = e.event_type_id WHERE e.application_id = $1 AND e.created_ts >= $2 AND t.result = 0
		) AS lines ORDER BY instance_id, created_ts, event DESC, id`, application, since)
	if err != nil {
		return fmt.Errorf("read history: %w", err)
	}
	return stream(rows, func() error {
		var l Line
		if err := rows.Scan(&l.Machine, &l.At, &l.Event, &l.ID, &l.Status, &l.Version, statement.ID(&l.GroupID), &l.ErrorCode); err != nil {
			return fmt.Errorf("read history: %w", err)
		}
		l.At = l.At.UTC()
		return f(l)
	})
}

// HistoryBefore counts the rows of an application's history that are older than a time.
func (s *Source) HistoryBefore(ctx context.Context, application uuid.UUID, since time.Time) (n int, err error) {
	err = s.tx.QueryRowContext(ctx, "SELECT COUNT(*) FROM instance_status_history WHERE application_id = $1 AND created_ts < $2", application, since).Scan(&n)
	return n, err
}

// Activity is a row of the activity.
type Activity struct {
	ID                 string
	At                 time.Time
	Class, Severity    int
	Version            string
	GroupID, ChannelID uuid.UUID // zero: none
	Machine            string
}

// Activities calls f with the activity of an application since a time, in the order of
// time. Of those of class 1, which are written with every check, it is the first one of
// each group and day.
func (s *Source) Activities(ctx context.Context, application uuid.UUID, since time.Time, f func(Activity) error) error {
	table := "activity"
	if s.columns["all_activity.id"] {
		table = "all_activity"
	}
	columns := "SELECT a.id::text AS id, a.created_ts, a.class, a.severity, a.version, a.group_id, " + s.optional("a", table, "channel_id", "NULL::uuid") +
		" AS channel_id, COALESCE(" + s.optional("a", table, "instance_id", "NULL") + ", '') AS machine FROM " + table + " a WHERE a.application_id = $1 AND a.created_ts >= $2 AND a.class "
	//nolint:gosec // G202: names of columns, from this package
	rows, err := s.tx.QueryContext(ctx, `SELECT * FROM (
		SELECT * FROM (`+columns+`<> 1) AS others
		UNION ALL
		SELECT * FROM (SELECT DISTINCT ON (group_id, date_trunc('day', created_ts)) * FROM (`+columns+`= 1) AS all_missing
			ORDER BY group_id, date_trunc('day', created_ts), created_ts, id) AS missing
		) AS activities ORDER BY created_ts, id`, application, since)
	if err != nil {
		return fmt.Errorf("read activity: %w", err)
	}
	return stream(rows, func() error {
		var a Activity
		if err := rows.Scan(&a.ID, &a.At, &a.Class, &a.Severity, &a.Version, statement.ID(&a.GroupID), statement.ID(&a.ChannelID), &a.Machine); err != nil {
			return fmt.Errorf("read activity: %w", err)
		}
		a.At = a.At.UTC()
		return f(a)
	})
}

// Rows counts the rows of a table that is left behind; 0 if there is no such table.
func (s *Source) Rows(ctx context.Context, table string) (n int, err error) {
	switch {
	case table == "instance_stats" && s.columns["instance_stats.timestamp"]:
		err = s.tx.QueryRowContext(ctx, "SELECT COUNT(*) FROM instance_stats").Scan(&n)
	case table == "instance_application":
		err = s.tx.QueryRowContext(ctx, "SELECT COUNT(*) FROM instance_application").Scan(&n)
	}
	return n, err
}

func stream(rows *sql.Rows, scan func() error) error {
	defer rows.Close()
	for rows.Next() {
		if err := scan(); err != nil {
			return err
		}
	}
	return rows.Err()
}
