package store_test

import (
	"database/sql"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/coreroller/coreroller/auth"
	"github.com/coreroller/coreroller/fleet"
	"github.com/coreroller/coreroller/fleet/job"
	"github.com/coreroller/coreroller/fleet/view/machines"
	"github.com/coreroller/coreroller/rollout"
	"github.com/coreroller/coreroller/store"
)

// lists checks the query plans of machine lists on the large group: no statement
// reads more rows than a few pages contain, even if few machines match.
func (f *fixture) lists(t *testing.T, url string) {
	t.Helper()
	f.scatter(t, url)
	service, err := fleet.New(t.Context(), fleet.Options{Store: f.Store, Now: time.Now, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	defer service.Close()
	ctx := auth.With(t.Context(), auth.Principal{Name: "ana", Role: auth.Owner, Credential: auth.CredentialBasic})
	d := raw(t, url)
	var what string
	var statements int
	const page = 50
	f.TraceReader(func(text string, args []any) {
		statements++
		if !strings.Contains(text, "instances") {
			return
		}
		tx, err := d.Begin()
		if err != nil {
			t.Fatal(err)
		}
		defer tx.Rollback() //nolint:errcheck // nothing to keep
		before := t.Failed()
		if store.IsPostgres(url) {
			explainPostgres(t, tx, text, args, 6*(page+1)) // at most six count buckets
		} else {
			if what != "the fleet" { // scanned until the page is full
				explainSQLite(t, tx, text)
			}
			if !strings.Contains(text, "`group_id` IS NULL") { // few rows
				explainSorts(t, tx, text, args)
			}
		}
		if t.Failed() && !before {
			t.Errorf("in the list: %s", what)
		}
	})
	group, app := &f.groups[0], &f.app
	filter := func(f machines.Filter) machines.List {
		return machines.List{Filter: f, Limit: page + 1}
	}
	var chosen []uuid.UUID // more than a page, ten of them failed
	for i := range 2 * page {
		chosen = append(chosen, filledID(i+1))
	}
	for i := range 10 {
		chosen = append(chosen, filledID(many-i))
	}
	for _, c := range []struct {
		what  string
		list  machines.List
		found int // on all pages; -1: more than the test reads
	}{
		{"the group", filter(machines.Filter{Group: group}), -1},
		{"the application", filter(machines.Filter{Application: app}), -1},
		{"the fleet", filter(machines.Filter{}), -1},
		{"failed machines of the group", filter(machines.Filter{Group: group, States: []rollout.State{rollout.StateError}}), 300},
		{"failed machines of the application", filter(machines.Filter{Application: app, States: []rollout.State{rollout.StateError}}), 305},
		{"failed machines of the fleet", filter(machines.Filter{States: []rollout.State{rollout.StateError}}), 305},
		{"failed or complete", filter(machines.Filter{Application: app, States: []rollout.State{rollout.StateError, rollout.StateComplete}}), 308},
		{"held machines", filter(machines.Filter{Group: group, States: []rollout.State{rollout.StateOnHold}}), -1},
		{"a rare reason", filter(machines.Filter{Application: app, Reasons: []rollout.Reason{rollout.ReasonQuarantined}}), 40},
		{"a common reason", filter(machines.Filter{Application: app, Reasons: []rollout.Reason{rollout.ReasonConcurrencyLimit}}), -1},
		{"quarantined machines", filter(machines.Filter{Application: app, Standings: []rollout.Standing{rollout.StandingQuarantined}}), 40},
		{"a rare version", filter(machines.Filter{Group: group, Versions: []string{"2.0.0"}}), 3},
		{"a rare platform", filter(machines.Filter{Group: group, OEM: new("rare")}), 70},
		{"a rare platform of the application", filter(machines.Filter{Application: app, OEM: new("rare")}), 70},
		{"no such platform", filter(machines.Filter{OEM: new("none")}), 0},
		{"a platform and a state", filter(machines.Filter{Group: group, OEM: new("rare"), States: []rollout.State{rollout.StateError}}), 70},
		{"a common state of a rare platform", filter(machines.Filter{Group: group, OEM: new("other"), States: []rollout.State{rollout.StateOnHold}}), 2},
		{"everything by state", machines.List{Filter: machines.Filter{Group: group}, By: machines.ByState, Limit: page + 1}, -1},
		{"everything by version, newest first", machines.List{Filter: machines.Filter{Group: group}, By: machines.ByVersion, Down: true, Limit: page + 1}, -1},
		{"silent machines not seen since", filter(machines.Filter{
			Group: group, Standings: []rollout.Standing{rollout.StandingSilent}, SeenBefore: new(start.Add(time.Hour)),
		}), 30},
		{"an alias", filter(machines.Filter{Application: app, Search: "web-"}), 4},
		{"an alias anywhere", filter(machines.Filter{Search: "web-"}), 4},
		{"a machine anywhere", filter(machines.Filter{Search: "small-"}), 5},
		{"ids in the group", filter(machines.Filter{Group: group, IDs: chosen}), len(chosen)},
		{"ids in the application", filter(machines.Filter{Application: app, IDs: chosen}), len(chosen)},
		{"ids anywhere", filter(machines.Filter{IDs: chosen}), len(chosen)},
		{"ids anywhere, from the end", machines.List{Filter: machines.Filter{IDs: chosen}, Down: true, Limit: page + 1}, len(chosen)},
		{"failed machines of some ids", filter(machines.Filter{Application: app, IDs: chosen, States: []rollout.State{rollout.StateError}}), 10},
		{"a rare attribute of the group", filter(machines.Filter{Group: group, Attributes: rack("7")}), 60},
		{"a rare attribute of the application", filter(machines.Filter{Application: app, Attributes: rack("7")}), 60},
		{"a rare attribute anywhere", filter(machines.Filter{Attributes: rack("7")}), 60},
		{"a rare attribute, from the end", machines.List{Filter: machines.Filter{Application: app, Attributes: rack("7")}, Down: true, Limit: page + 1}, 60},
		{"a common attribute of the group", filter(machines.Filter{Group: group, Attributes: rack("1")}), -1},
		{"a common attribute anywhere", filter(machines.Filter{Attributes: rack("1")}), -1},
		{"no such attribute", filter(machines.Filter{Application: app, Attributes: rack("none")}), 0},
		{"a tag of the application", filter(machines.Filter{Application: app, Tags: []string{"canary"}}), 30},
		{"an attribute and a tag", filter(machines.Filter{Application: app, Attributes: rack("7"), Tags: []string{"canary"}}), 30},
		{"an attribute and a standing", filter(machines.Filter{Group: group, Attributes: rack("7"), Standings: []rollout.Standing{rollout.StandingQuarantined}}), 40},
		{"a tag and a platform", filter(machines.Filter{Application: app, Tags: []string{"canary"}, OEM: new("rare")}), 30},
		{"a tag of some ids", filter(machines.Filter{Application: app, IDs: chosen, Tags: []string{"canary"}}), 10},
	} {
		what, statements = c.what, 0
		found, pages := 0, 0
		for l := c.list; pages < 8; pages++ {
			rows, err := service.View.Machines(ctx, l, nil)
			if err != nil {
				t.Fatalf("%s: %v", c.what, err)
			}
			if len(rows) <= page {
				found += len(rows)
				break
			}
			found += page
			place := l.Place(rows[page-1])
			if err := l.After(func(values ...any) error { return copyPlace(values, place) }); err != nil {
				t.Fatal(err)
			}
		}
		if c.found >= 0 && found != c.found || c.found < 0 && found < 8*page {
			t.Errorf("%s: %d machines, want %d", c.what, found, c.found)
		}
		if limit := 5 * (pages + 1); statements > limit {
			t.Errorf("%s: %d statements for %d pages", c.what, statements, pages+1)
		}
	}
	// GroupHolds does not read all machines either.
	what = "what the group waits for"
	if _, err := service.View.GroupHolds(ctx, f.groups[:]); err != nil {
		t.Fatal(err)
	}
}

func rack(number string) []job.Attribute { return []job.Attribute{{Name: "rack", Value: number}} }

func copyPlace(to, from []any) error {
	for i, v := range from {
		switch v := v.(type) {
		case *string:
			*to[i].(*string) = *v
		case *uuid.UUID:
			*to[i].(*uuid.UUID) = *v
		case *rollout.State:
			*to[i].(*rollout.State) = *v
		default:
			return fmt.Errorf("a place with %T", v)
		}
	}
	return nil
}

// scatter changes the last machines of the large group, which a scan would reach
// last, and puts a few machines into the second group.
func (f *fixture) scatter(t *testing.T, url string) {
	t.Helper()
	last := func(n int) string {
		return fmt.Sprintf("machine_id >= '%s' AND machine_id < 'a' AND group_id = '%s'", fmt.Sprintf("%032d", many-n+1), f.groups[0])
	}
	d := raw(t, url)
	for _, s := range []string{
		"UPDATE instances SET state = 3, reason = 'update_in_progress' WHERE " + last(300),
		"UPDATE instances SET standing = 3, reason = 'quarantined' WHERE " + last(40),
		"UPDATE instances SET version = '2.0.0', state = 4, standing = 0, reason = 'up_to_date' WHERE " + last(3),
		"UPDATE instances SET state = 3, version = '1.0.0', standing = 3, reason = 'quarantined' WHERE " + last(3),
		"UPDATE instances SET oem = 'rare' WHERE " + last(70),
		"UPDATE instances SET alias = 'web-' || machine_id WHERE " + last(4),
		"UPDATE instances SET oem = 'other' WHERE " + last(302) + " AND NOT (" + last(300) + ")",
		"UPDATE instances SET version = '2.0.0', state = 4, reason = 'up_to_date' WHERE " + last(305) + " AND NOT (" + last(302) + ")",
		"UPDATE instances SET standing = 1 WHERE " + last(335) + " AND NOT (" + last(305) + ")",
		"DELETE FROM group_counts",
	} {
		if _, err := d.Exec(s); err != nil {
			t.Fatalf("%.80s: %v", s, err)
		}
	}
	f.label(t, d, url, last)
	f.small(t, d, url)
	if _, err := d.Exec("INSERT INTO group_counts (group_id, version, state, reason, standing, machines) " +
		"SELECT group_id, version, state, reason, standing, COUNT(*) FROM instances GROUP BY group_id, version, state, reason, standing"); err != nil {
		t.Fatal(err)
	}
	if _, err := d.Exec("ANALYZE"); err != nil {
		t.Fatal(err)
	}
}

// label gives the last machines of the large group rare attributes and tags, and the
// others a common attribute.
func (f *fixture) label(t *testing.T, d *sql.DB, url string, last func(int) string) {
	t.Helper()
	id, moment := "lower(hex(randomblob(4)) || '-' || hex(randomblob(2)) || '-' || hex(randomblob(2)) || '-' || hex(randomblob(2)) || '-' || hex(randomblob(6)))", "1772445600000000"
	if store.IsPostgres(url) {
		id, moment = "gen_random_uuid()", "timestamptz '2026-03-02 10:00:00Z'"
	}
	for _, l := range []struct{ tag, name, value, where string }{
		{"false", "rack", "7", last(60)},
		{"false", "rack", "1", "group_id = '" + f.groups[0].String() + "' AND NOT (" + last(60) + ") AND request_attributes = ''"},
		{"true", "canary", "", last(30)},
	} {
		if _, err := d.Exec(fmt.Sprintf("INSERT INTO machine_labels (id, instance_id, application_id, machine_id, tag, name, value, set_by, set_at) "+
			"SELECT %s, id, application_id, machine_id, %s, '%s', '%s', 'ana', %s FROM instances WHERE %s", id, l.tag, l.name, l.value, moment, l.where)); err != nil {
			t.Fatal(err)
		}
	}
}

// small puts five failed machines into the second group.
func (f *fixture) small(t *testing.T, d *sql.DB, url string) {
	t.Helper()
	moment := "1772445600000000"
	if store.IsPostgres(url) {
		moment = "timestamptz '2026-03-02 10:00:00Z'"
	}
	for i := range 5 {
		name := fmt.Sprint("small-", i)
		if _, err := d.Exec(fmt.Sprintf("INSERT INTO instances (id, application_id, machine_id, group_id, version, state, standing, reason, created_at, last_seen_at, state_changed_at) "+
			"VALUES ('%s', '%s', '%s', '%s', '1.0.0', 3, 0, 'granted', %s, %s, %s)",
			store.InstanceID(f.app, name), f.app, name, f.groups[1], moment, moment, moment)); err != nil {
			t.Fatal(err)
		}
	}
}

// explainSorts fails if SQLite sorts rows of the table and not only the heads of
// count buckets.
func explainSorts(t *testing.T, tx *sql.Tx, statement string, args []any) {
	t.Helper()
	rows, err := tx.Query("EXPLAIN QUERY PLAN "+statement, args...)
	if err != nil {
		t.Fatalf("explain %s: %v", statement, err)
	}
	defer rows.Close()
	reads, sorts := map[int]string{}, map[int]bool{}
	for rows.Next() {
		var id, parent, unused int
		var step string
		if err := rows.Scan(&id, &parent, &unused, &step); err != nil {
			t.Fatal(err)
		}
		if strings.Contains(step, "instances") && !strings.Contains(step, "(id=?)") {
			reads[parent] = step
		}
		if strings.Contains(step, "TEMP B-TREE FOR") && strings.Contains(step, "ORDER BY") {
			sorts[parent] = true
		}
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	for parent, step := range reads {
		if sorts[parent] {
			t.Errorf("%s, and sorts it\nin %.2000s", step, statement)
		}
	}
}
