package store_test

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/coreroller/coreroller/store"
	"github.com/coreroller/coreroller/store/migrations"
	"github.com/coreroller/coreroller/store/storetest"
)

// before creates a database with the migrations up to one.
func before(t *testing.T, url, last string) {
	t.Helper()
	folder := t.TempDir()
	check(t, os.CopyFS(folder, os.DirFS("migrations")))
	files, err := filepath.Glob(filepath.Join(folder, "*", "*.sql"))
	check(t, err)
	for _, f := range files {
		if filepath.Base(f) > last {
			check(t, os.Remove(f))
		}
	}
	check(t, migrations.ApplyFrom(t.Context(), url, os.DirFS(folder)))
}

// executor returns a function that executes a statement with ids as %s; @at is a time, and
// @later is a day later.
func executor(t *testing.T, url string) func(text string, args ...any) {
	d, times := raw(t, url), strings.NewReplacer("@at", "1772445600000000", "@later", "1772532000000000")
	if store.IsPostgres(url) {
		times = strings.NewReplacer("@at", "to_timestamp(1772445600)", "@later", "to_timestamp(1772532000)")
	}
	return func(text string, args ...any) {
		t.Helper()
		for i, a := range args {
			if id, ok := a.(uuid.UUID); ok {
				args[i] = "'" + id.String() + "'"
			}
		}
		text = times.Replace(fmt.Sprintf(text, args...))
		if _, err := d.Exec(text); err != nil {
			t.Fatalf("%s: %v", text, err)
		}
	}
}

// The migration keeps every counter and derives the sums by OEM and by previous
// version from the attempts that still exist.
func TestAnUpgradeCountsOldFailuresByKind(t *testing.T) {
	storetest.EachEmpty(t, func(t *testing.T, url string) {
		before(t, url, "20261123053047_initial.sql")
		team, app, group, instance := uuid.New(), uuid.New(), uuid.New(), uuid.New()
		known, forgotten := uuid.New(), uuid.New()
		do := executor(t, url)
		do("INSERT INTO teams (id, name, created_at) VALUES (%s, 'default', @at)", team)
		do("INSERT INTO applications (id, name, created_at, team_id) VALUES (%s, 'app', @at, %s)", app, team)
		do("INSERT INTO groups (id, name, track, policy, created_at, application_id) VALUES (%s, 'g', 't', '{}', @at, %s)", group, app)
		do("INSERT INTO instances (id, machine_id, version, state, standing, created_at, last_seen_at, state_changed_at, application_id, group_id) VALUES (%s, 'm', '1.0.0', 3, 0, @at, @at, @at, %s, %s)", instance, app, group)
		for i, id := range []uuid.UUID{forgotten, known} {
			do("INSERT INTO rollouts (id, package_id, version, state, salt, created_at, ended_at, wave_at, evidence, failing, halt, group_id) VALUES (%s, %s, '2.0.0', %d, 's', @at, @at, @at, '{}', '[]', '{}', %s)",
				id, uuid.New(), []int{4, 0}[i], group)
			do("INSERT INTO failures (outcome, code, attempts, rollout_id) VALUES (2, 9, 2, %s)", id)
			do("INSERT INTO failures (outcome, code, attempts, rollout_id) VALUES (4, 0, 1, %s)", id)
		}
		attempt := func(id uuid.UUID, from string, outcome int) {
			t.Helper()
			do("INSERT INTO attempts (id, rollout_id, package_id, version, from_version, wave, number, granted_at, ended_at, outcome, instance_id) VALUES (%s, %s, %s, '2.0.0', '%s', 0, 1, @at, @at, %d, %s)",
				uuid.New(), id, uuid.New(), from, outcome, instance)
		}
		attempt(known, "1.0.0", 2)
		attempt(known, "1.0.0", 4)
		attempt(known, "1.5.0", 2)
		attempt(known, "1.5.0", 1)      // a success
		attempt(forgotten, "1.0.0", 2)  // retention deleted the other two
		attempt(uuid.New(), "1.0.0", 2) // its rollout was deleted

		do("INSERT INTO history_entries (id, instance_id, at, state, version) VALUES (%s, %s, @at, 3, '1.0.0')", uuid.New(), instance)

		s := open(t, url)
		shares := map[string]int{}
		for _, f := range s.Reader().FailureShare.Query().AllX(t.Context()) {
			name := map[uuid.UUID]string{known: "known", forgotten: "forgotten"}[f.RolloutID]
			shares[strings.Join([]string{name, f.Trait, f.Value}, " ")] = f.Attempts
		}
		want := map[string]int{
			"known oem ": 3, "known from_version 1.0.0": 2, "known from_version 1.5.0": 1,
			"forgotten oem ": 3, "forgotten from_version 1.0.0": 1, "forgotten from_version ": 2,
		}
		if fmt.Sprint(shares) != fmt.Sprint(want) {
			t.Errorf("shares %v, want %v", shares, want)
		}
		if n := len(s.Reader().Failure.Query().AllX(t.Context())); n != 4 {
			t.Errorf("%d counters by code, want 4", n)
		}
		if rows := rows(t, url); rows["attempts"] != 6 || rows["history_entries"] != 1 || rows["instances"] != 1 {
			t.Errorf("rows %v", rows)
		}
		if r := s.Reader().GroupRollout.GetX(t.Context(), forgotten); r.ReplacedAt == nil || !r.ReplacedAt.Equal(*r.EndedAt) {
			t.Errorf("the superseded rollout was replaced at %v", r.ReplacedAt)
		}
		if r := s.Reader().GroupRollout.GetX(t.Context(), known); r.ReplacedAt != nil {
			t.Errorf("the current rollout was replaced at %v", r.ReplacedAt)
		}
	})
}

func TestAnUpgradeCountsOtherBuildsApart(t *testing.T) {
	storetest.EachEmpty(t, func(t *testing.T, url string) {
		before(t, url, "20261130065650_versioning.sql")
		do := executor(t, url)
		team, app, group, current := uuid.New(), uuid.New(), uuid.New(), uuid.New()
		do("INSERT INTO teams (id, name, created_at) VALUES (%s, 'default', @at)", team)
		do("INSERT INTO applications (id, name, created_at, team_id) VALUES (%s, 'app', @at, %s)", app, team)
		do("INSERT INTO groups (id, name, track, policy, created_at, application_id) VALUES (%s, 'g', 't', '{}', @at, %s)", group, app)
		do("INSERT INTO rollouts (id, package_id, version, state, salt, created_at, wave_at, evidence, failing, halt, group_id) VALUES (%s, %s, '2.0.0+b', 0, 's', @at, @at, '{}', '[]', '{}', %s)",
			current, uuid.New(), group)
		do("INSERT INTO ledgers (group_id, config_revision, behind, on_target, spends, rollout_id) VALUES (%s, 1, 1, 15, '[]', %s)", group, current)
		for i, version := range []string{"1.0.0", "2.0.0+b", "2.0.0", "2.0.0+a", "2.0.1"} { // 1, 2, 4, 8, and 1 silent machine
			standing := i / 4
			do("INSERT INTO group_counts (group_id, version, state, reason, standing, machines) VALUES (%s, '"+version+"', 0, '', %d, %d)", group, standing, 1<<(i%4))
		}
		l := open(t, url).Reader().Ledger.Query().OnlyX(t.Context())
		if l.Behind != 1 || l.OnTarget != 3 || l.OtherBuild != 12 {
			t.Errorf("ledger %+v", l)
		}
	})
}

// Earlier failures count for an unknown block, also those that retention deleted.
func TestAnUpgradeCountsOldFailuresWithoutAddress(t *testing.T) {
	storetest.EachEmpty(t, func(t *testing.T, url string) {
		before(t, url, "20261130074235_sessions.sql")
		do := executor(t, url)
		team, app, group, instance := uuid.New(), uuid.New(), uuid.New(), uuid.New()
		known, partly, fine := uuid.New(), uuid.New(), uuid.New()
		do("INSERT INTO teams (id, name, created_at) VALUES (%s, 'default', @at)", team)
		do("INSERT INTO applications (id, name, created_at, team_id) VALUES (%s, 'app', @at, %s)", app, team)
		do("INSERT INTO groups (id, name, track, policy, created_at, application_id) VALUES (%s, 'g', 't', '{}', @at, %s)", group, app)
		do("INSERT INTO instances (id, machine_id, address, version, state, standing, created_at, last_seen_at, state_changed_at, application_id) VALUES (%s, 'm', '192.0.2.1', '1.0.0', 3, 0, @at, @at, @at, %s)", instance, app)
		for i, id := range []uuid.UUID{known, partly, fine} {
			do("INSERT INTO rollouts (id, package_id, version, state, salt, created_at, wave_at, evidence, failing, halt, group_id) VALUES (%s, %s, '2.0.0', 4, 's', @at, @at, '{}', '[]', '{}', %s)", id, uuid.New(), group)
			do("INSERT INTO waves (position, succeeded, failed, rollout_id) VALUES (-1, 1, %d, %s)", []int{1, 0, 0}[i], id)
			do("INSERT INTO waves (position, succeeded, failed, rollout_id) VALUES (0, 1, %d, %s)", []int{1, 3, 0}[i], id)
		}
		for _, id := range []uuid.UUID{known, known, partly} {
			do("INSERT INTO attempts (id, rollout_id, package_id, version, from_version, wave, number, granted_at, ended_at, outcome, failed, instance_id) VALUES (%s, %s, %s, '2.0.0', '1.0.0', 0, 1, @at, @at, 2, true, %s)",
				uuid.New(), id, uuid.New(), instance)
		}
		s := open(t, url)
		got := map[uuid.UUID]int{}
		for _, f := range s.Reader().FailureShare.Query().AllX(t.Context()) {
			if f.Trait != store.TraitAddressBlock || f.Value != "" {
				t.Errorf("counter %+v", f)
			}
			got[f.RolloutID] = f.Attempts
		}
		if want := map[uuid.UUID]int{known: 2, partly: 3}; !maps.Equal(got, want) {
			t.Errorf("failures in an unknown block %v, want %v", got, want)
		}
		all, err := s.Recount(t.Context())
		check(t, err)
		for _, d := range all {
			if strings.Contains(d.Counter, known.String()+" address_block") {
				t.Errorf("%s: counter %d, recount %d", d.Counter, d.Kept, d.Counted)
			}
		}
	})
}
