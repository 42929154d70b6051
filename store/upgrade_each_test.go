package store_test

import (
	"encoding/json"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/coreroller/coreroller/auth"
	"github.com/coreroller/coreroller/fleet"
	"github.com/coreroller/coreroller/fleet/catalog"
	"github.com/coreroller/coreroller/fleet/checkin"
	"github.com/coreroller/coreroller/rollout"
	"github.com/coreroller/coreroller/rollout/policy"
	"github.com/coreroller/coreroller/store"
	"github.com/coreroller/coreroller/store/storetest"
)

// oldFleet is an application in the middle of a rollout to 2.0.0, with the machines "done",
// "failed" and "granted".
type oldFleet struct{ app, group, rollout uuid.UUID }

// insertOldFleet writes the rows as the programs of a schema did: has reports whether a
// migration belongs to it. Columns that later ones added have defaults.
func insertOldFleet(t *testing.T, url string, has func(migration string) bool) oldFleet {
	t.Helper()
	p := policy.Default()
	p.SafeMode, p.HaltFailureShare, p.MaxConcurrentUpdates, p.MaxUpdatesPerPeriod = false, 0, 3, 100
	rules, err := json.Marshal(p)
	check(t, err)
	do := executor(t, url)
	f := oldFleet{app: uuid.New(), group: uuid.New(), rollout: uuid.New()}
	team, channel, older, newer := catalog.DefaultTeamID(), uuid.New(), uuid.New(), uuid.New()
	do("INSERT INTO teams (id, name, created_at) VALUES (%s, 'default', @at)", team)
	do("INSERT INTO applications (id, name, product_id, created_at, team_id) VALUES (%s, 'app', 'io.example.app', @at, %s)", f.app, team)
	for id, version := range map[uuid.UUID]string{older: "1.0.0", newer: "2.0.0"} {
		do("INSERT INTO packages (id, type, version, url, filename, size, sha256, created_at, application_id) VALUES (%s, 4, '"+version+"', 'https://updates.example.net/', 'app.tgz', 9, '"+
			"3q2+7wAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=', @at, %s)", id, f.app)
	}
	do("INSERT INTO channels (id, name, created_at, application_id, package_id) VALUES (%s, 'stable', @at, %s, %s)", channel, f.app, newer)
	do("INSERT INTO groups (id, name, track, policy, created_at, application_id, channel_id) VALUES (%s, 'g', 'stable', '"+string(rules)+"', @at, %s, %s)", f.group, f.app, channel)
	do("INSERT INTO rollouts (id, package_id, version, state, salt, created_at, started_at, wave_at, evidence, failing, halt, group_id) VALUES (%s, %s, '2.0.0', 0, 's', @at, @at, @at, '{}', '[]', '{}', %s)",
		f.rollout, newer, f.group)
	do("INSERT INTO waves (position, granted, succeeded, failed, rollout_id) VALUES (0, 3, 1, 1, %s)", f.rollout)
	do("INSERT INTO failures (outcome, code, attempts, rollout_id) VALUES (2, 9, 1, %s)", f.rollout)
	do("INSERT INTO ledgers (group_id, config_revision, in_flight, behind, on_target, spends, rollout_id) VALUES (%s, 1, 1, 2, 1, '[]', %s)", f.group, f.rollout)
	for _, m := range []struct {
		name, version, reason string
		state, outcome        int
	}{
		{"done", "2.0.0", "up_to_date", 4, 1},
		{"failed", "1.0.0", "concurrency_limit", 3, 2},
		{"granted", "1.0.0", "granted", 2, 0},
	} {
		id := store.InstanceID(f.app, m.name)
		do("INSERT INTO instances (id, machine_id, version, state, standing, reason, created_at, last_seen_at, state_changed_at, application_id, group_id) VALUES (%s, '"+m.name+"', '"+m.version+"', %d, 0, '"+m.reason+"', @at, @at, @at, %s, %s)",
			id, m.state, f.app, f.group)
		do("INSERT INTO group_counts (version, state, reason, standing, machines, group_id) VALUES ('"+m.version+"', %d, '"+m.reason+"', 0, 1, %s)", m.state, f.group)
		do("INSERT INTO history_entries (id, instance_id, at, state, version) VALUES (%s, %s, @at, %d, '"+m.version+"')", uuid.New(), id, m.state)
		if m.outcome == 0 {
			do("UPDATE instances SET granted_at = @at, lease_until = @later, offer_rollout_id = %s, offer_package_id = %s, offer_version = '2.0.0', attempt = 1 WHERE id = %s", f.rollout, newer, id)
			do("UPDATE ledgers SET next_lease_at = @later WHERE group_id = %s", f.group)
			continue
		}
		failed := ""
		if m.outcome == 2 && has("results_of_attempts") {
			failed = "failed = true, "
		}
		attempt := uuid.New()
		do("INSERT INTO attempts (id, rollout_id, package_id, version, from_version, wave, number, granted_at, ended_at, outcome, code, instance_id) VALUES (%s, %s, %s, '2.0.0', '1.0.0', 0, 1, @at, @at, %d, %d, %s)",
			attempt, f.rollout, newer, m.outcome, 9*(m.outcome-1), id)
		do("UPDATE attempts SET "+failed+"number = 1 WHERE id = %s", attempt)
	}
	for trait, migration := range map[string]string{"oem": "failures_by_kind_and_pace", "from_version": "failures_by_kind_and_pace", "address_block": "failures_by_address_block"} {
		if has(migration) {
			do("INSERT INTO failure_shares (rollout_id, trait, value, attempts) VALUES (%s, '"+trait+"', '"+map[string]string{"from_version": "1.0.0"}[trait]+"', 1)", f.rollout)
		}
	}
	do("INSERT INTO activities (id, at, kind, severity, application_id, application_name, group_id) VALUES (%s, @at, 1, 0, %s, 'app', %s)", uuid.New(), f.app, f.group)
	if !has("audit_chain") { // later ones are linked
		do("INSERT INTO audits (id, at, team_id, actor, credential, verb, object, object_id, application_id) VALUES (%s, @at, %s, 'admin', 'password', 'create', 'application', %s, %s)", uuid.New(), team, f.app, f.app)
	}
	return f
}

// Each schema that was ever on main is migrated with a rollout in progress: all counters
// equal a recount, the audit is whole, the machines go on with their updates, and changes
// can be made.
func TestAnUpgradeFromEachSchemaGoesOn(t *testing.T) {
	names := func(folder string) (all []string) {
		t.Helper()
		files, err := filepath.Glob("migrations/" + folder + "/*.sql")
		check(t, err)
		for _, f := range files {
			all = append(all, filepath.Base(f))
		}
		return all
	}
	lite, postgres := names("sqlite"), names("postgres")
	for i := len(lite) - 1; i >= 0; i -= storetest.Size(9, 1) {
		t.Run(lite[i], func(t *testing.T) {
			storetest.EachEmpty(t, func(t *testing.T, url string) {
				all := lite
				if store.IsPostgres(url) {
					all = postgres
				}
				before(t, url, all[i])
				f := insertOldFleet(t, url, func(migration string) bool {
					at := slices.IndexFunc(all, func(name string) bool { return strings.HasSuffix(name, "_"+migration+".sql") })
					if at < 0 {
						t.Fatalf("there is no migration %s", migration)
					}
					return at <= i
				})
				f.goesOn(t, open(t, url))
			})
		})
	}
}

// goesOn lets the machines of an upgraded fleet check in.
func (f oldFleet) goesOn(t *testing.T, s *store.Store) {
	t.Helper()
	now := time.Unix(1772445600, 0).Add(time.Minute)
	service, err := fleet.New(t.Context(), fleet.Options{Store: s, Now: func() time.Time { return now }})
	check(t, err)
	t.Cleanup(service.Close)
	ctx := auth.With(t.Context(), auth.Principal{Name: "test", TeamID: catalog.DefaultTeamID(), Role: auth.Owner, Credential: auth.CredentialCommand})
	sends := func(machine, version, want string, events ...rollout.Event) {
		t.Helper()
		a, err := service.Machines.CheckIn(ctx, checkin.CheckIn{AppID: "io.example.app", Track: "stable", Machine: machine, Version: version, UpdateCheck: want != "", Ping: want != "", Events: events})
		check(t, err)
		if got := a.Decision.Reason.String(); got != want {
			t.Errorf("%s was answered %q, want %q: %s", machine, got, want, a.Decision.Detail())
		}
	}
	recounted := func() {
		t.Helper()
		all, err := s.Recount(ctx)
		check(t, err)
		for _, d := range all {
			t.Errorf("%s: counter %d, recount %d", d.Counter, d.Kept, d.Counted)
		}
	}
	recounted()
	sends("done", "2.0.0", "up_to_date")
	sends("granted", "1.0.0", "", rollout.Event{Type: rollout.EventDownloadStarted, Result: rollout.ResultSuccess})
	sends("granted", "2.0.0", "up_to_date")
	sends("new", "1.0.0", "granted")
	sends("failed", "1.0.0", "granted")
	recounted()
	if r := s.Reader().GroupRollout.GetX(ctx, f.rollout); r.Version != "2.0.0" {
		t.Errorf("rollout %+v", r)
	}
	if n := s.Reader().HistoryEntry.Query().CountX(ctx); n < 3+4 {
		t.Errorf("%d history entries", n)
	}
	_, err = service.PauseUpdates(ctx, fleet.PauseUpdates{GroupID: f.group, Reason: "upgraded"})
	check(t, err)
	sends("late", "1.0.0", "paused")
	if _, err := s.VerifyAudits(ctx, ""); err != nil {
		t.Error(err)
	}
}
