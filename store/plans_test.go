package store_test

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/coreroller/coreroller/rollout"
	"github.com/coreroller/coreroller/rollout/version"
	"github.com/coreroller/coreroller/store"
	"github.com/coreroller/coreroller/store/storetest"
)

// many is how many machines wait in one group: the cost of a statement must not
// depend on it.
var many = storetest.Size(20_000, 1_000_000)

// No statement of the check-in reads more rows of a table than the batch has
// machines, however many machines the group has.
func TestP4_NoStatementOfTheHotPathScansAGroup(t *testing.T) {
	storetest.Each(t, func(t *testing.T, url string) {
		f := fill(t, open(t, url))
		fillGroup(t, f, url)

		const batch = 100
		seen := ""
		f.Trace(func(tx *sql.Tx, text string, args []any) {
			if seen += text; store.IsPostgres(url) {
				explainPostgres(t, tx, text, args, batch+1)
			} else {
				explainSQLite(t, tx, text)
			}
		})
		write(t, f.Store, func(ctx context.Context, tx *store.Tx) error { return f.checkIns(ctx, tx, batch) })
		f.Trace(nil)
		for _, write := range []string{"UPDATE ledgers", "INSERT INTO rollouts", "INSERT INTO instances", "UPDATE instances", "INSERT INTO group_counts", "INSERT INTO waves",
			"INSERT INTO attempts", "INSERT INTO history_entries", "INSERT INTO activities", "INSERT INTO failures", "INSERT INTO failure_shares",
			"INSERT INTO machine_labels", "DELETE FROM machine_labels"} {
			if !strings.Contains(seen, write) {
				t.Errorf("the batch ran no %s", write)
			}
		}
		f.lists(t, url)
		f.dropsRequestAttributes(t, url, batch/2)
		f.reads(t, url)
	})
}

// dropsRequestAttributes checks the deletion of a removed request attribute, which only the
// machines of the batch have: the others have an attribute of the same name by people.
func (f *fixture) dropsRequestAttributes(t *testing.T, url string, sent int) {
	t.Helper()
	d, deleted := raw(t, url), 0
	count := func() (n int) {
		if err := d.QueryRow("SELECT COUNT(*) FROM machine_labels WHERE name = 'rack' AND sent").Scan(&n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	if _, err := d.Exec("UPDATE applications SET removed_request_attributes = 'none,rack'"); err != nil {
		t.Fatal(err)
	}
	if n := count(); n != sent {
		t.Fatalf("%d request attributes, want %d", n, sent)
	}
	f.Trace(func(tx *sql.Tx, text string, args []any) {
		if !strings.Contains(text, "machine_labels") {
			return // the rows of applications are few
		}
		if deleted++; store.IsPostgres(url) {
			explainPostgres(t, tx, text, args, float64(sent))
		} else {
			explainSQLite(t, tx, text)
		}
	})
	if err := f.DropRequestAttributes(t.Context(), start, 10); err != nil {
		t.Fatal(err)
	}
	f.Trace(nil)
	var people int
	if err := d.QueryRow("SELECT COUNT(*) FROM machine_labels WHERE name = 'rack'").Scan(&people); err != nil || people == 0 {
		t.Errorf("%d attributes by people are left, error %v", people, err)
	}
	if n := count(); n != 0 || deleted != 2 {
		t.Errorf("%d request attributes are left after %d deletions", n, deleted)
	}
}

// fillGroup fills the first group with many machines, each with its own id.
func fillGroup(t *testing.T, f *fixture, url string) {
	t.Helper()
	numbers := "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < " + fmt.Sprint(many) + ") SELECT %s FROM n"
	hex := "substr('0000000000000000000000000000000' || i, -32)"
	moment := "1772445600000000"
	if store.IsPostgres(url) {
		numbers = "SELECT %s FROM generate_series(1, " + fmt.Sprint(many) + ") AS i"
		hex, moment = "lpad(i::text, 32, '0')", "timestamptz '2026-03-02 10:00:00Z'"
	}
	id := "lower(substr(h, 1, 8) || '-' || substr(h, 9, 4) || '-' || substr(h, 13, 4) || '-' || substr(h, 17, 4) || '-' || substr(h, 21))"
	text := "INSERT INTO instances (id, application_id, machine_id, group_id, version, state, standing, reason, created_at, last_seen_at, state_changed_at) SELECT " +
		id + cast(url, "::uuid") + ", '" + f.app.String() + "'" + cast(url, "::uuid") + ", h, '" + f.groups[0].String() + "'" + cast(url, "::uuid") +
		", '1.0.0', 8, 0, 'concurrency_limit', " + strings.Repeat(moment+", ", 2) + moment + " FROM (" + fmt.Sprintf(numbers, hex+" AS h") + ") AS x"
	d := raw(t, url)
	for _, s := range []string{
		text,
		fmt.Sprintf("INSERT INTO group_counts (group_id, version, state, reason, standing, machines) VALUES ('%s', '1.0.0', 8, 'concurrency_limit', 0, %d)", f.groups[0], many),
		"ANALYZE",
	} {
		if _, err := d.Exec(s); err != nil {
			t.Fatalf("%.80s: %v", s, err)
		}
	}
	recount(t, f.Store)
}

// filledID returns the id of a machine that fillGroup inserted, counted from 1.
func filledID(i int) uuid.UUID {
	return uuid.MustParse(fmt.Sprintf("00000000-0000-0000-0000-%012d", i))
}

func cast(url, text string) string {
	if store.IsPostgres(url) {
		return text
	}
	return ""
}

// checkIns runs the statements of a batch of check-ins: new and known machines, an
// expired lease, a grant, journals.
func (f *fixture) checkIns(ctx context.Context, tx *store.Tx, batch int) error {
	groups, err := tx.LockGroups(ctx, f.groups[:1])
	if err != nil {
		return err
	}
	g := groups[0]
	ids := make([]uuid.UUID, batch/2)
	for i := range ids {
		ids[i] = filledID(1000 + i)
	}
	known, err := tx.Machines(ctx, ids)
	if err != nil {
		return err
	}
	if len(known) != len(ids) {
		return fmt.Errorf("found %d of %d machines", len(known), len(ids))
	}
	if _, err := tx.DueLeases(ctx, g.GroupID, start, batch); err != nil {
		return err
	}
	if _, err := tx.LateLeases(ctx, g.GroupID, start, batch); err != nil {
		return err
	}
	if _, err := tx.FirstLease(ctx, g.GroupID, start); err != nil {
		return err
	}
	g.Rollout = rollout.Rollout{ID: rollout.ID(store.NewID(start)), Package: rollout.ID(uuid.New()), CreatedAt: start, WaveAt: start}
	g.Rollout.Version, _ = rollout.ParseVersion("2.0.0")
	b := &store.Batch{Groups: groups}
	for _, m := range known {
		m.State, m.LastSeenAt = rollout.StateGranted, start.Add(time.Minute)
		m.Attempt = rollout.Attempt{Rollout: g.Rollout.ID, Package: g.Rollout.Package, Version: g.Rollout.Version, GrantedAt: start, LeaseUntil: start.Add(time.Hour)}
		m.RequestAttributes = "1\nrack=3"
		b.Labels = append(b.Labels, store.Label{InstanceID: m.InstanceID, ApplicationID: f.app, MachineID: m.ID, Name: "rack", Value: "3", At: start, Sent: true})
		b.Unsent = append(b.Unsent, store.LabelID(m.InstanceID, false, "zone"))
		b.Machines = append(b.Machines, m)
		b.History = append(b.History, store.HistoryEntry{InstanceID: m.InstanceID, Entry: rollout.Entry{State: m.State}})
		b.Attempts = append(b.Attempts, store.Attempt{InstanceID: m.InstanceID, Ended: rollout.Ended{Attempt: m.Attempt, Outcome: rollout.OutcomeFailed}})
	}
	for i := range batch / 2 {
		b.Machines = append(b.Machines, f.machine(0, fmt.Sprintf("new-%d", i), "1.0.0"))
	}
	b.Progress = []rollout.Progress{{Rollout: g.Rollout.ID, Counts: rollout.Counts{Granted: batch / 2}}}
	b.Activities = []store.Activity{{ApplicationID: f.app, GroupID: g.GroupID}}
	if err := tx.Save(ctx, b); err != nil {
		return err
	}
	_, err = tx.Census(ctx, g.GroupID, version.Goal{Target: g.Rollout.Version})
	return err
}

// explainPostgres runs a statement, rolls it back, and checks how many rows each
// scan of a table read.
func explainPostgres(t *testing.T, tx *sql.Tx, statement string, args []any, limit float64) {
	t.Helper()
	var text string
	_, err := tx.Exec("SAVEPOINT explain")
	if err == nil {
		err = tx.QueryRow("EXPLAIN (ANALYZE, FORMAT JSON) "+statement, args...).Scan(&text)
	}
	if err == nil {
		_, err = tx.Exec("ROLLBACK TO explain")
	}
	if err != nil {
		t.Fatalf("explain %s: %v", statement, err)
	}
	var plans []struct{ Plan node }
	if err := json.Unmarshal([]byte(text), &plans); err != nil {
		t.Fatal(err)
	}
	plans[0].Plan.walk(func(n node) {
		if read := (n.Rows + n.Removed) * n.Loops; n.Relation != "" && read > limit {
			t.Errorf("%s %s of %s reads %.0f rows, it may read %.0f:\n%.2000s", n.Type, n.Index, n.Relation, read, limit, statement)
		}
	})
}

type node struct {
	Type     string  `json:"Node Type"`
	Relation string  `json:"Relation Name"`
	Index    string  `json:"Index Name"`
	Rows     float64 `json:"Actual Rows"`
	Removed  float64 `json:"Rows Removed by Filter"`
	Loops    float64 `json:"Actual Loops"`
	Plans    []node
}

func (n node) walk(f func(node)) {
	f(n)
	for _, p := range n.Plans {
		p.walk(f)
	}
}

// joined matches the subqueries of a store.Head.
var joined = regexp.MustCompile(`^SCAN (p[0-9]+|head)$`)

// explainSQLite fails if a step scans a whole table or index.
func explainSQLite(t *testing.T, tx *sql.Tx, statement string) {
	t.Helper()
	rows, err := tx.Query("EXPLAIN QUERY PLAN "+statement, make([]any, strings.Count(statement, "?"))...)
	if err != nil {
		t.Fatalf("explain %s: %v", statement, err)
	}
	defer rows.Close()
	for rows.Next() {
		var id, parent, unused int
		var step string
		if err := rows.Scan(&id, &parent, &unused, &step); err != nil {
			t.Fatal(err)
		}
		if strings.HasPrefix(step, "SCAN") && !joined.MatchString(step) && !strings.Contains(step, "json_each") && !strings.Contains(step, "CONSTANT ROW") {
			t.Errorf("%s\nin %.2000s", step, statement)
		}
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
}
