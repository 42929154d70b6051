package store_test

import (
	"context"
	"fmt"
	"log/slog"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/coreroller/coreroller/auth"
	"github.com/coreroller/coreroller/ent/db"
	"github.com/coreroller/coreroller/fleet"
	"github.com/coreroller/coreroller/fleet/job"
	"github.com/coreroller/coreroller/fleet/view"
	"github.com/coreroller/coreroller/rollout"
	"github.com/coreroller/coreroller/rollout/policy"
	"github.com/coreroller/coreroller/store"
)

// reads checks the query plans of the activity of one machine, of jobs and of stopped
// groups: none reads more rows than it returns, beside many rows of other machines,
// jobs and past rollouts.
func (f *fixture) reads(t *testing.T, url string) {
	t.Helper()
	const page = 50
	instance, big := filledID(7), store.NewID(start)
	f.fillJournals(t, url, instance, big, page)
	service, err := fleet.New(t.Context(), fleet.Options{Store: f.Store, Now: time.Now, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	defer service.Close()
	ctx := auth.With(t.Context(), auth.Principal{Name: "ana", Role: auth.Viewer, Credential: auth.CredentialBasic})
	d := raw(t, url)
	explain := func(text string, args []any) {
		tx, err := d.Begin()
		if err != nil {
			t.Fatal(err)
		}
		defer tx.Rollback() //nolint:errcheck // nothing to keep
		if store.IsPostgres(url) {
			explainPostgres(t, tx, text, args, page+1)
			return
		}
		explainSQLite(t, tx, text)
		explainSorts(t, tx, text, args)
	}
	var failed uuid.UUID // a rollout with a page of failed attempts
	if err := d.QueryRow("SELECT rollout_id FROM attempts WHERE failed GROUP BY rollout_id HAVING COUNT(*) = " + fmt.Sprint(page)).Scan(&failed); err != nil {
		t.Fatal(err)
	}
	var what string
	f.TraceReader(func(text string, args []any) {
		if what != "jobs" || store.IsPostgres(url) { // SQLite reads all jobs in order until the page is full
			explain(text, args)
		}
	})
	items := func(result *job.Result) func() (int, error) {
		return func() (int, error) {
			list := service.View.JobItems(big, result)
			first, err := list.Page(ctx, page)
			if err != nil {
				return 0, err
			}
			last := list.Place(first.Rows[len(first.Rows)-1])
			err = list.After(func(values ...any) error {
				*values[0].(*int8), *values[1].(*int) = last[0].(int8), last[1].(int)
				return nil
			})
			if err != nil {
				return 0, err
			}
			second, err := list.Page(ctx, page)
			return len(first.Rows) + len(second.Rows), err
		}
	}
	for _, c := range []struct {
		what string
		read func() (int, error)
		want int
	}{
		{"activity of a machine", func() (int, error) {
			rows, err := service.View.Activities(view.ActivityFilter{Instance: &instance}).Rows(ctx, page)
			return len(rows), err
		}, 5},
		{"jobs", func() (int, error) {
			rows, err := service.View.MachineJobs().Rows(ctx, page)
			return len(rows), err
		}, page},
		{"job of a request", func() (int, error) {
			row, err := service.View.MachineJobByRequest(ctx, "request-7")
			if err != nil || row.RequestID != "request-7" {
				return 0, err
			}
			return 1, nil
		}, 1},
		{"machines of a job", items(nil), 2 * page},
		{"machines of a job with a frequent result", items(new(job.Pending)), 2 * page},
		{"machines of a job with a rare result", items(new(job.Failed)), page + 3},
		{"failures by attribute", func() (int, error) {
			found, err := service.View.FailureSlices(ctx, failed, nil, nil)
			if err != nil {
				return 0, err
			}
			return found.Attempts, nil
		}, page},
		{"failures with an attribute", func() (int, error) {
			list, err := service.View.FailedAttempts(ctx, failed, view.FailureFilter{Attribute: &job.Attribute{Name: "rack", Value: "7"}}, view.FailureCounters{}, view.Edges())
			if err != nil {
				return 0, err
			}
			n, _, err := list.Count(ctx, page)
			return n, err
		}, 0},
		{"stopped groups", func() (int, error) {
			explain(f.StoppedGroupsStatement(f.groups[:]))
			stopped, err := f.StoppedGroups(ctx, []*db.GroupCount{{GroupID: f.groups[0]}, {GroupID: f.groups[1]}})
			if stopped[f.groups[0]] != rollout.RolloutHalted {
				t.Errorf("the first group is %v", stopped[f.groups[0]])
			}
			return len(stopped), err
		}, 2},
	} {
		before := t.Failed()
		what = c.what
		n, err := c.read()
		if err != nil || n != c.want {
			t.Errorf("%d rows, want %d: %v", n, c.want, err)
		}
		if t.Failed() && !before {
			t.Errorf("above: %s", c.what)
		}
	}
}

// fillJournals adds many activities of other machines and 5 of one, many jobs, one of
// them with many machines of which 53 failed, and many past rollouts of the first group.
func (f *fixture) fillJournals(t *testing.T, url string, instance, big uuid.UUID, page int) {
	t.Helper()
	numbers := func(n int) string {
		if store.IsPostgres(url) {
			return fmt.Sprintf("FROM generate_series(1, %d) AS n(i)", n)
		}
		return fmt.Sprintf("FROM (WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < %d) SELECT i FROM n) AS n", n)
	}
	moment, random := "1772445600000000", "lower(hex(randomblob(16)))"
	if store.IsPostgres(url) {
		moment, random = "timestamptz '2026-03-02 10:00:00Z'", "md5(i::text || random()::text)"
	}
	random = "(SELECT substr(h, 1, 8) || '-' || substr(h, 9, 4) || '-' || substr(h, 13, 4) || '-' || substr(h, 17, 4) || '-' || substr(h, 21) FROM (SELECT " + random + " AS h WHERE i > 0) AS x)" + cast(url, "::uuid")
	id := func(id uuid.UUID) string { return "'" + id.String() + "'" + cast(url, "::uuid") }
	activity := "INSERT INTO activities (id, at, kind, severity, application_id, application_name, group_id, instance_id) SELECT " + random + ", " + moment + ", 1, 1, " + id(f.app) + ", 'app', " + id(f.groups[0]) + ", "
	rollouts := "INSERT INTO rollouts (id, group_id, package_id, version, state, salt, created_at, wave_at, evidence, failing, halt) SELECT " + random + ", " + id(f.groups[0]) + ", " + random + ", '2.0.0', 2, '', " +
		moment + ", " + moment + ", '{}', '[]', '{}' "
	write(t, f.Store, func(ctx context.Context, tx *store.Tx) error { // with few ledgers a scan would be the cheaper plan
		for i := range 4 * page {
			group, name := uuid.New(), fmt.Sprint("further ", i)
			if err := tx.Client().Group.Create().SetID(group).SetApplicationID(f.app).SetName(name).SetTrack(name).SetPolicy(policy.Default()).SetCreatedAt(start).Exec(ctx); err != nil {
				return err
			}
			if _, err := tx.CreateLedger(ctx, group, 1); err != nil {
				return err
			}
		}
		return nil
	})
	d := raw(t, url)
	for _, s := range []string{
		activity + random + " " + numbers(many),
		activity + id(instance) + " " + numbers(5),
		"INSERT INTO machine_jobs (id, created_at, created_by, credential, team_id, request_id, input, selection, action, state, machines, changed_at) SELECT " + random + ", " + moment +
			", 'ana', 'basic', " + random + ", 'request-' || i, '', '', 'HOLD', 'DONE', 1, " + moment + " " + numbers(10*page),
		"INSERT INTO machine_job_items (job_id, instance_id, application_id, machine_id, result) SELECT " + id(big) + ", " + random + ", " + id(f.app) + ", 'm' || i, CASE WHEN i <= " + fmt.Sprint(page+3) +
			" THEN " + fmt.Sprint(int8(job.Failed)) + " ELSE " + fmt.Sprint(int8(job.Pending)) + " END " + numbers(many),
		rollouts + numbers(many),
		"UPDATE ledgers SET rollout_id = (SELECT id FROM rollouts WHERE state = 2 LIMIT 1) WHERE group_id = " + id(f.groups[0]),
		"ANALYZE",
	} {
		if _, err := d.Exec(s); err != nil {
			t.Fatalf("%.120s: %v", s, err)
		}
	}
}
