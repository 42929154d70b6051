package fleet_test

import (
	"context"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/coreroller/coreroller/ent/db"
	"github.com/coreroller/coreroller/ent/db/activity"
	"github.com/coreroller/coreroller/ent/db/group"
	"github.com/coreroller/coreroller/fleet"
	"github.com/coreroller/coreroller/fleet/checkin"
	"github.com/coreroller/coreroller/fleet/importing"
	"github.com/coreroller/coreroller/rollout"
	"github.com/coreroller/coreroller/store"
	"github.com/coreroller/coreroller/store/foreign"
	"github.com/coreroller/coreroller/store/foreign/foreigntest"
	"github.com/coreroller/coreroller/store/storetest"
)

// importFrom plans an import and, unless it is only a plan, runs it.
func (d *harness) importFrom(url string, o importing.Options, planOnly bool) *importing.Report {
	d.t.Helper()
	source, err := foreign.Open(d.ctx, url)
	d.must(err)
	defer func() { _ = source.Close() }()
	importer, plan, err := d.PlanImport(d.ctx, source, o)
	d.must(err)
	if planOnly {
		return plan
	}
	report, err := importer.Run(d.ctx, func(string) {})
	d.must(err)
	return report
}

func count(r *importing.Report, kind string) importing.Count {
	for _, c := range r.Counts {
		if c.Kind == kind {
			return c
		}
	}
	return importing.Count{Kind: kind}
}

// rows counts the rows of the tables that imports write.
func (d *harness) rows() map[string]int {
	d.t.Helper()
	c, n := d.store.Reader(), map[string]int{}
	for name, counter := range map[string]func(context.Context) (int, error){
		"applications": c.Application.Query().Count, "packages": c.Release.Query().Count, "files": c.PackageFile.Query().Count, "channels": c.Channel.Query().Count,
		"groups": c.Group.Query().Count, "machines": c.Instance.Query().Count, "history": c.HistoryEntry.Query().Count, "attempts": c.Attempt.Query().Count,
		"activities": c.Activity.Query().Count, "rollouts": c.GroupRollout.Query().Count, "waves": c.Wave.Query().Count, "failures": c.Failure.Query().Count,
		"floors": c.Floor.Query().Count, "blacklistings": c.Blacklisting.Query().Count, "promotions": c.Promotion.Query().Count,
	} {
		var err error
		if n[name], err = counter(d.ctx); err != nil {
			d.t.Fatal(err)
		}
	}
	return n
}

func (d *harness) recounted() {
	d.t.Helper()
	differences, err := d.store.Recount(d.ctx)
	d.must(err)
	if len(differences) > 0 {
		d.t.Errorf("%d counters differ from a recount, such as %+v", len(differences), differences[0])
	}
}

func TestImport(t *testing.T) {
	for name, shape := range map[string]foreigntest.Shape{"nebraska": foreigntest.Nebraska, "old nebraska": foreigntest.OldNebraska, "coreroller": foreigntest.CoreRoller} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			machines := storetest.Size(504, 100_000)
			from := storetest.EmptyPostgres(t)
			foreigntest.Fill(t, from, shape, machines)
			storetest.Each(t, func(t *testing.T, url string) {
				d := newHarness(t, url)
				d.now = time.Now()
				before := d.rows()
				plan := d.importFrom(from, importing.Options{}, true)
				if after := d.rows(); !reflect.DeepEqual(before, after) {
					t.Fatalf("the plan changed rows: %v, then %v", before, after)
				}
				begin := time.Now()
				r := d.importFrom(from, importing.Options{}, false)
				t.Logf("%d machines imported in %s: %+v", machines, time.Since(begin).Round(time.Millisecond), r.Counts)
				for _, kind := range []string{importing.KindApplications, importing.KindPackages, importing.KindChannels, importing.KindGroups, importing.KindMachines, importing.KindUsers} {
					planned, done := count(plan, kind), count(r, kind)
					if !reflect.DeepEqual(planned, done) {
						t.Errorf("planned %+v, did %+v", planned, done)
					}
				}
				if n := count(r, importing.KindMachines); n.New != machines || n.Dropped != 1 {
					t.Errorf("machines: %+v, want %d new ones and 1 dropped one", n, machines)
				}
				d.checkImported(shape, machines)
				d.recounted()

				first := d.rows()
				begin = time.Now()
				again := d.importFrom(from, importing.Options{}, false)
				t.Logf("second run in %s: %+v", time.Since(begin).Round(time.Millisecond), again.Counts)
				if second := d.rows(); !reflect.DeepEqual(first, second) {
					t.Errorf("the second run changed the numbers of rows: %v, then %v", first, second)
				}
				for _, n := range again.Counts {
					if n.New+n.Changed+n.Conflict != 0 {
						t.Errorf("the second run says %+v", n)
					}
				}
				d.checkImported(shape, machines)
				d.recounted()
			})
		})
	}
}

// checkImported compares what is here with what foreigntest.Fill wrote.
func (d *harness) checkImported(shape foreigntest.Shape, machines int) {
	d.t.Helper()
	t, c := d.t, d.store.Reader()
	byState := map[rollout.State]int{}
	var rows []struct {
		State rollout.State `json:"state"`
		Count int           `json:"count"`
	}
	d.must(c.Instance.Query().GroupBy("state").Aggregate(db.Count()).Scan(d.ctx, &rows))
	for _, row := range rows {
		byState[row.State] = row.Count
	}
	want := map[rollout.State]int{}
	for n := range machines {
		state := rollout.State(foreigntest.Status(n))
		if n%50 == 8 && state.InFlight() {
			state = rollout.StateUndefined // it has no group, so nothing granted its update
		}
		want[state]++
	}
	if !reflect.DeepEqual(byState, want) {
		t.Errorf("machines by state: %v, want %v", byState, want)
	}
	main := must(c.Group.Get(d.ctx, uuid.MustParse(foreigntest.Group)))(t)
	if main.Track != "stable" || main.Policy.UpdatesEnabled || main.PauseReason != "imported, not yet reviewed" || main.Policy.MaxConcurrentUpdates != 900_000 ||
		main.Policy.PeriodInterval != 15*time.Minute || main.Policy.UpdateTimeout != 24*time.Hour || main.Policy.Timezone != "Europe/Berlin" {
		t.Errorf("the group is %+v", main)
	}
	twin := must(c.Group.Get(d.ctx, uuid.MustParse(foreigntest.Twin)))(t)
	track := foreigntest.Twin
	if shape == foreigntest.CoreRoller {
		track = "twin"
	}
	if twin.Track != track || twin.Policy.OfficeHours || twin.Policy.PeriodInterval != time.Hour || twin.Policy.MaxUpdatesPerPeriod != 1 {
		t.Errorf("the group with a broken policy is %+v, want the track %s", twin, track)
	}
	if stopped := must(c.Group.Get(d.ctx, uuid.MustParse(foreigntest.Stopped)))(t); stopped.PauseReason != "imported: updates were disabled after a rollout that failed" || stopped.Policy.PeriodInterval != 90*time.Minute {
		t.Errorf("the stopped group is %+v", stopped)
	} else if most := stopped.Policy.MaxUpdatesPerPeriod; shape == foreigntest.Nebraska && most != 7 {
		t.Errorf("the value that replaces one of the policy is %d, want 7", most)
	}
	p := must(c.Release.Get(d.ctx, uuid.MustParse(foreigntest.New)))(t)
	if p.Size != 154967458 || p.Sha1 != "qvTGHdzF6KLavt4PO0gs2a6pQ00=" || p.Sha256 != "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824" || p.URL != "https://update.example.com/2.0.0/" {
		t.Errorf("the package is %+v", p)
	}
	if n := must(c.Activity.Query().Where(activity.KindEQ(rollout.ActivityPackageNotFound), activity.Actor("imported")).Count(d.ctx))(t); n != 1 {
		t.Errorf("%d activities about a missing package, want one for the group and day", n)
	}
}

// A machine in the middle of an update completes it with its next requests here.
func TestImportedMachinesCompleteTheirUpdates(t *testing.T) {
	storetest.Each(t, func(t *testing.T, url string) {
		from := storetest.EmptyPostgres(t)
		foreigntest.Fill(t, from, foreigntest.Nebraska, 40)
		d := newHarness(t, url)
		d.now = time.Now()
		d.importFrom(from, importing.Options{}, false)
		for n := range 8 {
			if !rollout.State(foreigntest.Status(n)).InFlight() {
				continue
			}
			events := []rollout.Event{{Type: 13, Result: 1}, {Type: 14, Result: 1}, {Type: 3, Result: 1}}
			if foreigntest.Status(n)%2 == 1 {
				events = nil // only its next check, from the new version
			}
			for _, e := range events {
				d.sendImported(n, "1.0.0", &e)
			}
			d.sendImported(n, "2.0.0", nil)
			row := must(d.store.Reader().Instance.Get(d.ctx, store.InstanceID(uuid.MustParse(foreigntest.App), foreigntest.Machine(n))))(t)
			if row.State != rollout.StateComplete || row.LastOutcome != rollout.OutcomeSucceeded || row.GrantedAt != nil {
				t.Errorf("machine %d, which was in state %d, is in state %d with the outcome %d", n, foreigntest.Status(n), row.State, row.LastOutcome)
			}
		}
		d.recounted()
		// What happened here since stays when the other server is read again.
		d.now = d.now.Add(time.Minute)
		again := d.importFrom(from, importing.Options{}, false)
		if n := count(again, importing.KindMachines); n.Same != 40 {
			t.Errorf("a second run after the machines came here: %+v", n)
		}
		d.recounted()
	})
}

func (d *harness) sendImported(n int, version string, e *rollout.Event) {
	d.t.Helper()
	v, _ := rollout.ParseVersion(version)
	in := checkin.CheckIn{AppID: "{" + strings.ToUpper(foreigntest.App) + "}", Track: strings.ToUpper(foreigntest.Group), Machine: foreigntest.Machine(n), Version: v.String()}
	if in.UpdateCheck = e == nil; e != nil {
		in.Events = []rollout.Event{*e}
	}
	if _, err := d.Machines.CheckIn(d.ctx, in); err != nil {
		d.t.Fatal(err)
	}
}

func TestImportKeepsWhatPeopleChanged(t *testing.T) {
	d := newHarness(t, storetest.SQLite(t))
	d.now = time.Now()
	from := storetest.EmptyPostgres(t)
	foreigntest.Fill(t, from, foreigntest.Nebraska, 16)
	d.importFrom(from, importing.Options{}, false)
	id, name := uuid.MustParse(foreigntest.Group), "Ours"
	must(d.UpdateGroup(d.ctx, fleet.UpdateGroup{ID: id, Name: &name}))(t)
	if n := count(d.importFrom(from, importing.Options{}, false), importing.KindGroups); n.Conflict+n.Changed != 0 {
		t.Errorf("a change here alone is reported as %+v", n)
	}
	foreigntest.Run(t, from, "UPDATE groups SET name = 'Theirs' WHERE id = '"+foreigntest.Group+"'; UPDATE groups SET description = 'new' WHERE id = '"+foreigntest.Twin+"'")
	r := d.importFrom(from, importing.Options{}, false)
	if n := count(r, importing.KindGroups); n.Conflict != 1 || n.Changed != 1 {
		t.Errorf("changes on both sides, and there alone: %+v", n)
	}
	if !slices.ContainsFunc(r.Notes, func(n importing.Note) bool {
		return n.ID == foreigntest.Group && strings.HasPrefix(n.Reason, "conflict: ")
	}) {
		t.Errorf("no note names the conflict: %+v", r.Notes)
	}
	if got := must(d.store.Reader().Group.Query().Where(group.ID(id)).Only(d.ctx))(t).Name; got != "Ours" {
		t.Errorf("the group is called %q", got)
	}
	d.importFrom(from, importing.Options{Force: true}, false)
	if got := must(d.store.Reader().Group.Get(d.ctx, id))(t).Name; got != "Theirs" {
		t.Errorf("with force the group is called %q", got)
	}
}
