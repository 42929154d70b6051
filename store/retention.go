package store

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/coreroller/coreroller/rollout"
	"github.com/coreroller/coreroller/store/statement"
)

const day = 24 * time.Hour

// Period says how long the records of one kind are kept.
type Period struct {
	Name              string // of the metric's label, and of the flag after "keep-"
	Records           string // what is deleted
	Default, Min, Max time.Duration

	tables []aged // none: their owner deletes them
	live   bool   // outages count: the records do not depend on machines
}

// aged finds the old rows of a table. Exactly one of uuid, at and resolution is set.
type aged struct {
	table string
	key   string // "": id
	uuid  string // column with a UUID of version 7, which has the time
	at    string // column with a time
	where string // a further condition, "" for none

	resolution int // of a point of the statistics
}

// The names of the periods that others than DeleteOld apply, too.
const (
	KeepAttempts   = "attempts"
	KeepRefusals   = "refusals"
	KeepMirrors    = "mirrors"
	KeepDeliveries = "deliveries"
	KeepUploads    = "uploads"
)

// Periods are all periods after which records are deleted. Audits are never deleted.
func Periods() []Period {
	const year = 365 * day
	return []Period{
		{Name: "history", Records: "history entries of machines", Default: 90 * day, Min: day, Max: 10 * year, tables: []aged{{table: "history_entries", uuid: "id"}}},
		{Name: KeepAttempts, Records: "update attempts of machines that have ended", Default: 90 * day, Min: 7 * day, Max: 10 * year, tables: []aged{{table: "attempts", uuid: "id"}}},
		{Name: "activities", Records: "activities", Default: 90 * day, Min: 7 * day, Max: 10 * year, tables: []aged{{table: "activities", uuid: "id"}}},
		{Name: "machine-jobs", Records: "machine jobs and their results", Default: 90 * day, Min: 7 * day, Max: 10 * year,
			tables: []aged{{table: "machine_job_items", uuid: "job_id"}, {table: "machine_jobs", uuid: "id"}}},
		{Name: "proposals", Records: "proposed changes, after the decision", Default: 90 * day, Min: day, Max: 10 * year,
			tables: []aged{{table: "proposals", at: "decided_at", where: "state <> 'OPEN'"}}},
		{Name: "machines", Records: "machines without a group, after their last check", Default: 90 * day, Min: day, Max: 10 * year,
			tables: []aged{{table: "instances", at: "last_seen_at", where: "group_id IS NULL"}}},
		{Name: KeepMirrors, Records: "clients that fetched as a mirror, after their last request", Default: 90 * day, Min: day, Max: 10 * year, live: true,
			tables: []aged{{table: "mirrors", at: "last_seen_at"}}},
		{Name: "mirror-runs", Records: "runs of mirrors", Default: 30 * day, Min: day, Max: 10 * year, tables: []aged{{table: "mirror_runs", uuid: "id"}}},
		{Name: KeepDeliveries, Records: "messages of notifiers, after their end", Default: 30 * day, Min: 4 * day, Max: 10 * year, live: true,
			tables: []aged{{table: "deliveries", uuid: "id", where: "ended_at IS NOT NULL"}}},
		{Name: "sessions", Records: "browser sessions, after their end", Default: 0, Min: 0, Max: year, live: true, tables: []aged{{table: "sessions", key: "token_hash", at: "expires_at"}}},
		{Name: "tokens", Records: "API tokens, after their end", Default: 90 * day, Min: 0, Max: 10 * year, tables: []aged{{table: "tokens", at: "expires_at"}}},
		{Name: KeepRefusals, Records: "counts of refused requests, after the last one", Default: day, Min: time.Hour, Max: year, live: true, tables: []aged{{table: "refusals", at: "last_at"}}},
		{Name: KeepUploads, Records: "uploads without a request", Default: day, Min: time.Hour, Max: 30 * day, live: true},
		points("statistics-30s", "points of the charts, every 30 seconds", 30, 2*time.Hour),
		points("statistics-5m", "points of the charts, every 5 minutes", 300, 2*day),
		points("statistics-1h", "points of the charts, every hour", 3600, 31*day),
		points("statistics-1d", "points of the charts, every day", 86400, 2*year),
	}
}

// points returns the period of one resolution in seconds. A shorter period than the
// default would leave holes in charts.
func points(name, records string, resolution int, keep time.Duration) Period {
	return Period{Name: name, Records: records, Default: keep, Min: keep, Max: max(20*365*day*time.Duration(resolution)/86400, keep),
		tables: []aged{{table: "stat_points", resolution: resolution}, {table: "pace_points", resolution: resolution}}}
}

// Flag is the name of the flag of a period.
func (p *Period) Flag() string { return "keep-" + p.Name }

// Check returns an error if a period is out of bounds.
func (p *Period) Check(keep time.Duration) error {
	if keep < p.Min || keep > p.Max {
		return fmt.Errorf("use a period from %s to %s", PeriodText(p.Min), PeriodText(p.Max))
	}
	return nil
}

// PeriodText writes a period, in days where possible, such as 90d.
func PeriodText(d time.Duration) string {
	switch {
	case d == 0:
		return "0"
	case d%day == 0:
		return strconv.FormatInt(int64(d/day), 10) + "d"
	case d%time.Hour == 0:
		return strconv.FormatInt(int64(d/time.Hour), 10) + "h"
	}
	return d.String()
}

// ParsePeriod reads a period such as 90d, 36h or 0.
func ParsePeriod(text string) (time.Duration, error) {
	if days, ok := strings.CutSuffix(text, "d"); ok {
		n, err := strconv.ParseUint(days, 10, 16)
		if err != nil {
			return 0, errors.New("use a number of days such as 90d, or of hours such as 36h")
		}
		return time.Duration(n) * day, nil
	}
	d, err := time.ParseDuration(text)
	if err != nil || d < 0 {
		return 0, errors.New("use a number of days such as 90d, or of hours such as 36h")
	}
	return d, nil
}

// Keep has the periods of a server by name. A period that is missing is the default.
type Keep map[string]time.Duration

// Of returns a period.
func (k Keep) Of(name string) time.Duration {
	if d, ok := k[name]; ok {
		return d
	}
	for _, p := range Periods() {
		if p.Name == name {
			return p.Default
		}
	}
	panic("there is no period " + name)
}

// longest returns the longest period of records that depend on outages.
func (k Keep) longest() (d time.Duration) {
	for _, p := range Periods() {
		if !p.live && p.tables[0].resolution == 0 {
			d = max(d, k.Of(p.Name))
		}
	}
	return d
}

// Keep returns how long this server keeps the records of a period.
func (s *Store) Keep(name string) time.Duration { return s.keep.Of(name) }

// DeleteRows is the most rows that DeleteOld deletes in one transaction, so that
// check-ins do not wait long for its locks. On SQLite all of them wait.
const DeleteRows = 2_000

// Before returns the time before which the records of a period are deleted. Outages do
// not count, so that a clock that jumped ahead deletes nothing.
func (s *Store) Before(p *Period, now time.Time) time.Time {
	if p.live {
		return now.Add(-s.Keep(p.Name))
	}
	return rollout.Ago(now, s.Keep(p.Name), s.Outages())
}

// DeleteOld deletes up to DeleteRows records of a period, the oldest first. It returns
// how many, and whether there are no more.
func (s *Store) DeleteOld(ctx context.Context, p *Period, now time.Time) (deleted int, done bool, err error) {
	before := s.Before(p, now)
	for _, t := range p.tables {
		n, err := s.deleteAged(ctx, t, now, before)
		if deleted += n; err != nil || n >= DeleteRows {
			return deleted, false, err
		}
	}
	return deleted, true, nil
}

// DropUptimes deletes the records of outages on which no other record depends.
func (s *Store) DropUptimes(ctx context.Context, now time.Time) error {
	_, err := s.deleteAged(ctx, aged{table: "uptimes", at: "ended_at"}, now, rollout.Ago(now, s.keep.longest(), s.Outages()))
	return err
}

func (s *Store) deleteAged(ctx context.Context, t aged, now, before time.Time) (int, error) {
	where, args := t.condition(now, before)
	key := cmp.Or(t.key, "id")
	text := strings.NewReplacer("@table", t.table, "@key", key, "@where", where, "@rows", strconv.Itoa(DeleteRows)).
		Replace("DELETE FROM @table WHERE @key IN (SELECT @key FROM @table WHERE @where LIMIT @rows)")
	result, err := s.writer.ExecContext(ctx, s.readers.SQL(text), args...)
	if err != nil {
		return 0, fmt.Errorf("delete old rows of %s: %w", t.table, err)
	}
	n, err := result.RowsAffected()
	return int(n), err
}

// condition finds the old rows. UUIDs of version 7 sort by time.
func (t *aged) condition(now, before time.Time) (where string, args []any) {
	switch {
	case t.uuid != "":
		where, args = t.uuid+" < ?", []any{firstID(before).String()}
	case t.at != "":
		where, args = t.at+" < ?", []any{before.UTC()}
	default:
		// Points of the future would be kept instead of the right ones.
		step := time.Duration(t.resolution) * time.Second
		return "resolution = " + strconv.Itoa(t.resolution) + " AND (at < ? OR at > ?)", []any{before.UTC(), now.Add(step).UTC()}
	}
	if t.where != "" {
		where = t.where + " AND " + where
	}
	if t.uuid != "" {
		where += " ORDER BY " + t.uuid
	}
	return where, args
}

// Stock is what the table of a period contains.
type Stock struct {
	Rows   *int64     // an estimate that the database has without counting; nil: it has none
	Oldest *time.Time // nil: there is none, or finding it would read the whole table
}

// Stock reads the first table of a period without reading many of its rows.
func (s *Store) Stock(ctx context.Context, p *Period) (out Stock, err error) {
	if len(p.tables) == 0 {
		return out, nil
	}
	t := p.tables[0]
	if out.Oldest, err = s.oldest(ctx, t); err != nil {
		return out, fmt.Errorf("find the oldest row of %s: %w", t.table, err)
	}
	if t.resolution != 0 || t.where != "" && t.uuid == "" {
		return out, nil // the table has other rows, too
	}
	text := "SELECT (SELECT MAX(rowid) FROM @table) - (SELECT MIN(rowid) FROM @table) + 1" // rows are deleted in the order of their age
	if s.Postgres() {
		text = "SELECT NULLIF(GREATEST(reltuples, -1), -1)::bigint FROM pg_class WHERE oid = '@table'::regclass" // -1: not analyzed yet
	}
	var rows sql.NullInt64
	if err := s.readers.QueryRowContext(ctx, strings.ReplaceAll(text, "@table", t.table)).Scan(&rows); err != nil {
		return out, fmt.Errorf("estimate the rows of %s: %w", t.table, err)
	}
	if rows.Valid || !s.Postgres() {
		out.Rows = &rows.Int64
	}
	return out, nil
}

func (s *Store) oldest(ctx context.Context, t aged) (*time.Time, error) {
	switch {
	case t.uuid != "":
		var id uuid.UUID
		err := s.readers.QueryRowContext(ctx, "SELECT "+t.uuid+" FROM "+t.table+" ORDER BY "+t.uuid+" LIMIT 1").Scan(&id)
		if errors.Is(err, sql.ErrNoRows) {
			return nil, nil
		}
		at := TimeOf(id)
		return &at, err
	case t.table == "instances":
		return nil, nil
	}
	at, where := t.at, ""
	if t.resolution != 0 {
		at, where = "at", " WHERE resolution = "+strconv.Itoa(t.resolution)
	} else if t.where != "" {
		where = " WHERE " + t.where
	}
	var found time.Time
	err := s.readers.QueryRowContext(ctx, "SELECT "+at+" FROM "+t.table+where+" ORDER BY "+at+" LIMIT 1").Scan(statement.Time(&found))
	if errors.Is(err, sql.ErrNoRows) || err == nil && found.IsZero() {
		return nil, nil
	}
	return &found, err
}
