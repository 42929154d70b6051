package fleet_test

import (
	"context"
	"encoding/base64"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/coreroller/coreroller/auth"
	"github.com/coreroller/coreroller/ent/db"
	"github.com/coreroller/coreroller/ent/db/activity"
	"github.com/coreroller/coreroller/ent/db/audit"
	"github.com/coreroller/coreroller/fleet"
	"github.com/coreroller/coreroller/fleet/catalog"
	"github.com/coreroller/coreroller/fleet/checkin"
	"github.com/coreroller/coreroller/fleet/fault"
	"github.com/coreroller/coreroller/rollout"
	"github.com/coreroller/coreroller/rollout/policy"
	"github.com/coreroller/coreroller/store"
	"github.com/coreroller/coreroller/store/storetest"
)

// harness is a service on a test database with the preinstalled objects, an
// operator's context and a clock that tests set.
type harness struct {
	*fleet.Service
	t     testing.TB
	url   string
	ctx   context.Context
	store *store.Store

	mu  sync.Mutex
	now time.Time
}

// operator is the user who makes the changes in these tests.
var operator = auth.Principal{Name: "olga", Role: auth.Owner, Credential: auth.CredentialBasic}

// eachDatabase runs f on both databases.
func eachDatabase(t *testing.T, f func(t *testing.T, d *harness)) {
	t.Helper()
	t.Parallel()
	storetest.Each(t, func(t *testing.T, url string) { f(t, newHarness(t, url)) })
}

func newHarness(t testing.TB, url string, change ...func(*fleet.Options)) *harness {
	t.Helper()
	d := openHarness(t, url, change...)
	d.must(d.Preinstall(d.ctx))
	return d
}

// openHarness opens a service on a database, as a server process does.
func openHarness(t testing.TB, url string, change ...func(*fleet.Options)) *harness {
	t.Helper()
	d := &harness{t: t, url: url, ctx: auth.With(t.Context(), operator), now: time.Date(2026, 3, 2, 10, 0, 0, 0, time.UTC)}
	var err error
	if d.store, err = store.Open(t.Context(), store.Options{URL: url}); err != nil {
		t.Fatalf("open store: %v", err)
	}
	t.Cleanup(func() { _ = d.store.Close() })
	o := fleet.Options{Store: d.store, Now: d.clock, Log: slog.New(slog.DiscardHandler), Sender: localSender(0), PublicURL: "https://updates.example"}
	for _, f := range change {
		f(&o)
	}
	d.Service, err = fleet.New(t.Context(), o)
	if err != nil {
		t.Fatalf("new service: %v", err)
	}
	t.Cleanup(d.Service.Close)
	return d
}

// secondServer starts a second service on the same database with its background work.
// On SQLite both use one store, because only one process may open the database.
func (d *harness) secondServer() *harness {
	d.t.Helper()
	other := &harness{t: d.t, ctx: d.ctx, now: d.now, store: d.store}
	if store.IsPostgres(d.url) {
		other = openHarness(d.t, d.url)
	} else {
		other.Service = must(fleet.New(d.t.Context(), fleet.Options{Store: d.store, Now: d.clock, Log: slog.New(slog.DiscardHandler)}))(d.t)
		d.t.Cleanup(other.Service.Close)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		other.Run(ctx)
	}()
	d.t.Cleanup(func() { cancel(); <-done })
	return other
}

// awaitCatalog waits until is returns true for the catalog.
func (d *harness) awaitCatalog(is func(*catalog.Catalog) bool) {
	d.t.Helper()
	look := time.NewTicker(2 * time.Millisecond) // a catalog sends no signal
	defer look.Stop()
	late := time.After(20 * time.Second)
	for !is(d.Catalog()) {
		select {
		case <-look.C:
		case <-late:
			d.t.Fatal("the catalog did not change within 20 seconds")
		}
	}
}

func (d *harness) clock() time.Time {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.now
}

func (d *harness) wait(by time.Duration) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.now = d.now.Add(by)
}

func (d *harness) must(err error) {
	d.t.Helper()
	if err != nil {
		d.t.Fatal(err)
	}
}

func must[T any](v T, err error) func(t testing.TB) T {
	return func(t testing.TB) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

// setup contains an application, channel, packages and group like the acceptance cases.
type setup struct {
	app      *db.Application
	channel  *db.Channel
	group    *db.Group
	packages map[string]uuid.UUID
}

// setup creates an application with a group whose target is 2.0.0.
func (d *harness) setup() *setup {
	t := d.t
	t.Helper()
	s := &setup{packages: map[string]uuid.UUID{}}
	s.app = must(d.CreateApplication(d.ctx, fleet.CreateApplication{Name: "Sample"}))(t)
	s.channel = must(d.CreateChannel(d.ctx, fleet.CreateChannel{ApplicationID: s.app.ID, Name: "c"}))(t)
	d.addPackage(s, "2.0.0")
	d.promote(s, "2.0.0")
	policy := policy.Default()
	policy.SafeMode, policy.HaltFailureShare = false, 0
	policy.MaxUpdatesPerPeriod, policy.MaxConcurrentUpdates, policy.PeriodInterval = 2, 2, 15*time.Minute
	s.group = must(d.CreateGroup(d.ctx, fleet.CreateGroup{
		ApplicationID: s.app.ID, Name: "g", Track: "t", ChannelID: &s.channel.ID, Policy: &policy,
	}))(t)
	return s
}

func (d *harness) addPackage(s *setup, version string) uuid.UUID {
	d.t.Helper()
	p := must(d.CreatePackage(d.ctx, samplePackage(s.app.ID, version)))(d.t)
	s.packages[version] = p.ID
	return p.ID
}

func samplePackage(app uuid.UUID, version string) fleet.CreatePackage {
	return fleet.CreatePackage{
		ApplicationID: app, Type: catalog.PackageFlatcar, Version: version, URL: "https://example.com/" + version + "/",
		Filename: "update.gz", Size: 1000, SHA256: strings.Repeat("ab", 32),
		SHA1: base64.StdEncoding.EncodeToString(make([]byte, 20)),
	}
}

func (d *harness) promote(s *setup, version string) {
	d.t.Helper()
	id := s.packages[version]
	must(d.PromotePackage(d.ctx, fleet.PromotePackage{ChannelID: s.channel.ID, PackageID: &id, Reason: "test"}))(d.t)
}

// check sends an update check of a machine.
func (d *harness) check(s *setup, machine, version string) checkin.Answer {
	d.t.Helper()
	return must(d.Machines.CheckIn(d.t.Context(), checkin.CheckIn{
		AppID: s.app.ID.String(), Track: "t", Machine: machine, Version: version, UpdateCheck: true, Ping: true,
	}))(d.t)
}

func (d *harness) reason(s *setup, machine, version string, want rollout.Reason) {
	d.t.Helper()
	if got := d.check(s, machine, version).Decision.Reason; got != want {
		d.t.Fatalf("check %s@%s: %s, want %s", machine, version, got, want)
	}
}

// report sends an event of a machine.
func (d *harness) report(s *setup, machine, version string, e rollout.Event) {
	d.t.Helper()
	must(d.Machines.CheckIn(d.t.Context(), checkin.CheckIn{
		AppID: s.app.ID.String(), Track: "t", Machine: machine, Version: version, Events: []rollout.Event{e},
	}))(d.t)
}

func (s *setup) instance(machine string) uuid.UUID { return store.InstanceID(s.app.ID, machine) }

// rollout returns the current rollout of a group, nil if it has none.
func (d *harness) rollout(group uuid.UUID) *db.GroupRollout {
	d.t.Helper()
	g := must(d.store.Reader().Group.Get(d.ctx, group))(d.t)
	l := must(g.QueryLedger().Only(d.ctx))(d.t)
	if l.RolloutID == nil {
		return nil
	}
	return must(d.store.Reader().GroupRollout.Get(d.ctx, *l.RolloutID))(d.t)
}

func (d *harness) activities(kind rollout.ActivityKind) []*db.Activity {
	d.t.Helper()
	return must(d.store.Reader().Activity.Query().Where(activity.Kind(kind)).Order(activity.ByID()).All(d.ctx))(d.t)
}

// audits returns the audit rows of a verb, oldest first.
func (d *harness) audits(verb string) []*db.Audit {
	d.t.Helper()
	return must(d.store.Reader().Audit.Query().Where(audit.Verb(verb)).Order(audit.ByID()).All(d.ctx))(d.t)
}

// checkCounters compares every counter with a recount.
func (d *harness) checkCounters() {
	d.t.Helper()
	for _, diff := range must(d.store.Recount(d.t.Context()))(d.t) {
		d.t.Errorf("counter %s is %d, a recount gives %d", diff.Counter, diff.Kept, diff.Counted)
	}
	d.must(d.store.View(d.t.Context(), d.clock(), func(tx *store.Tx) error {
		groups, err := tx.Client().Group.Query().IDs(d.ctx)
		if err != nil {
			return err
		}
		states, err := tx.LockGroups(d.ctx, groups)
		for _, st := range states {
			g := d.Catalog().Group(st.GroupID)
			if g.Target == nil {
				continue
			}
			counted, err := tx.Census(d.ctx, st.GroupID, g.Goal())
			if err != nil {
				return err
			}
			if counted != st.Census {
				d.t.Errorf("census of group %s is %+v, a recount gives %+v", g.Name, st.Census, counted)
			}
		}
		return err
	}))
}

// refused fails unless err is one expected failure with this code and field.
func refused(t *testing.T, err error, code fault.Code, field string) {
	t.Helper()
	for _, e := range fault.All(err) {
		if e.Code == code && e.Field == field && e.Message != "" {
			return
		}
	}
	t.Fatalf("got %v (%T), want %s at %q", err, err, code, field)
}
