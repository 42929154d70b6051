package fleet_test

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/coreroller/coreroller/ent/db"
	"github.com/coreroller/coreroller/ent/db/instance"
	"github.com/coreroller/coreroller/fleet"
	"github.com/coreroller/coreroller/fleet/catalog"
	"github.com/coreroller/coreroller/fleet/checkin"
	"github.com/coreroller/coreroller/fleet/view/machines"
	"github.com/coreroller/coreroller/rollout"
	"github.com/coreroller/coreroller/rollout/policy"
	"github.com/coreroller/coreroller/store"
)

// createMachines creates machines of two applications in several groups and in different
// states. It deletes one group, whose machines remain.
func (d *harness) createMachines() (apps []uuid.UUID, groups []uuid.UUID) {
	d.t.Helper()
	random := rand.New(rand.NewPCG(7, 7))
	oems := []string{"", "ami", "gce"}
	for a := range 2 {
		app := must(d.CreateApplication(d.ctx, fleet.CreateApplication{Name: fmt.Sprint("application ", a)}))(d.t)
		s := &setup{app: app, packages: map[string]uuid.UUID{}}
		s.channel = must(d.CreateChannel(d.ctx, fleet.CreateChannel{ApplicationID: app.ID, Name: "c"}))(d.t)
		d.addPackage(s, "2.0.0")
		d.promote(s, "2.0.0")
		apps = append(apps, app.ID)
		for g := range 4 {
			policy := policy.Default()
			policy.SafeMode, policy.HaltFailureShare, policy.MaxAttempts = false, 0, 1
			policy.MaxUpdatesPerPeriod, policy.MaxConcurrentUpdates = 6, 3
			group := must(d.CreateGroup(d.ctx, fleet.CreateGroup{
				ApplicationID: app.ID, Name: fmt.Sprint("g", g), ChannelID: &s.channel.ID, Policy: &policy,
			}))(d.t)
			groups = append(groups, group.ID)
			for m := range 12 {
				in := checkin.CheckIn{
					AppID: app.ID.String(), Track: group.Track, Machine: fmt.Sprintf("m%d-%02d", g, m), Attributes: checkin.Attributes{OEM: &oems[random.IntN(3)]},
					Version: []string{"1.0.0", "1.5.0", "2.0.0"}[random.IntN(3)], UpdateCheck: true, Ping: true,
				}
				answer := must(d.Machines.CheckIn(d.t.Context(), in))(d.t)
				if id := must(d.store.Reader().Instance.Query().Where(instance.ApplicationID(app.ID), instance.MachineID(in.Machine)).OnlyID(d.ctx))(d.t); m == 3 {
					must(d.HoldInstance(d.ctx, fleet.HoldInstance{ID: id}))(d.t)
				}
				if answer.Decision.Reason == rollout.ReasonGranted && m%2 == 0 {
					in.UpdateCheck, in.Events = false, []rollout.Event{{Type: 3, Result: 0, Code: 9}}
					must(d.Machines.CheckIn(d.t.Context(), in))(d.t)
				}
				d.wait(time.Second)
			}
		}
	}
	must(0, d.DeleteGroup(d.ctx, fleet.DeleteGroup{ID: groups[1], Force: true}))(d.t)
	return apps, groups
}

// Each list contains every matching machine once, in order, with pages of any
// length. The expected list comes from a model that reads all machines.
func TestMachineListsMatchASimpleModel(t *testing.T) {
	eachDatabase(t, func(t *testing.T, d *harness) {
		apps, groups := d.createMachines()
		all := must(d.store.Reader().Instance.Query().All(d.ctx))(t)
		random := rand.New(rand.NewPCG(3, 4))
		pick := func(p float64) bool { return random.Float64() < p }
		found, pages := 0, 0
		for range 250 {
			var f machines.Filter
			if pick(0.4) {
				f.Application = &apps[random.IntN(2)]
			}
			if pick(0.3) {
				f.Group = &groups[random.IntN(len(groups))]
			}
			if pick(0.3) {
				f.States = []rollout.State{rollout.StateOnHold, rollout.StateGranted, rollout.StateNone}[:random.IntN(4)]
			}
			if pick(0.3) {
				f.Versions = []string{"1.5.0", "1.0.0", "9.0.0"}[random.IntN(3):]
			}
			if pick(0.2) {
				f.Standings = []rollout.Standing{rollout.Standing(random.IntN(4)), rollout.Standing(random.IntN(4))}
			}
			if pick(0.2) {
				f.Reasons = []rollout.Reason{rollout.ReasonUpToDate, rollout.ReasonConcurrencyLimit, rollout.ReasonPeriodLimit}[random.IntN(3):]
			}
			if pick(0.2) {
				f.CountedAs = []catalog.Part{
					catalog.PartWaiting, catalog.PartFailed, catalog.PartOnTarget, catalog.PartInFlight, catalog.PartOverridden, catalog.PartQuarantined, catalog.PartAboveTarget,
				}[random.IntN(7):]
			}
			if pick(0.2) {
				f.OEM = []*string{new(""), new("ami"), new("none")}[random.IntN(3)]
			}
			if pick(0.2) {
				at := d.clock().Add(-time.Duration(random.IntN(80)) * time.Second)
				f.SeenAfter = &at
			} else if pick(0.2) {
				at := d.clock().Add(-time.Duration(random.IntN(80)) * time.Second)
				f.SeenBefore = &at
			}
			if pick(0.1) {
				f.Search = []string{"m1", "m2-0", "M"}[random.IntN(3)]
			}
			l := machines.List{Filter: f, Limit: 1 + random.IntN(30), Down: pick(0.5)}
			if f.Group != nil {
				l.By = machines.Column(random.IntN(3))
			}
			want := d.modelList(all, l)
			got, n := d.list(l)
			if !slices.Equal(got, want) {
				t.Fatalf("%+v\ngot  %s\nwant %s", l, got, want)
			}
			count, exact, err := d.View.CountMachines(d.ctx, f, 1000)
			if err != nil || count != len(want) || !exact {
				t.Fatalf("%+v: counted %d, exact %v, error %v; want %d", f, count, exact, err, len(want))
			}
			found, pages = found+len(got), pages+n
		}
		if found < 1000 || pages < 400 {
			t.Errorf("only %d machines on %d pages, too few for this test", found, pages)
		}
	})
}

// The group has more count buckets than one statement can join.
func TestMachineListsWithManyCountBuckets(t *testing.T) {
	eachDatabase(t, func(t *testing.T, d *harness) {
		s := d.setup()
		const kinds = store.MaxParts + 20
		var calls sync.WaitGroup
		for i := range kinds {
			calls.Go(func() { d.check(s, fmt.Sprintf("m%03d", i), fmt.Sprintf("1.%d.0", i)) })
		}
		calls.Wait()
		all := must(d.store.Reader().Instance.Query().All(d.ctx))(t)
		for _, f := range []machines.Filter{
			{Group: &s.group.ID},
			{Application: &s.app.ID, Standings: []rollout.Standing{rollout.StandingActive}},
			{Group: &s.group.ID, States: []rollout.State{rollout.StateOnHold}},
		} {
			for _, down := range []bool{false, true} {
				l := machines.List{Filter: f, Limit: 150, Down: down}
				if got, _ := d.list(l); !slices.Equal(got, d.modelList(all, l)) {
					t.Errorf("%+v: %d machines, want %d", l, len(got), len(d.modelList(all, l)))
				}
			}
		}
	})
}

// list reads all pages and encodes each cursor as JSON, as the API does.
func (d *harness) list(l machines.List) (names []string, pages int) {
	d.t.Helper()
	for {
		rows := must(d.View.Machines(d.ctx, l, nil))(d.t)
		for _, m := range rows {
			names = append(names, m.ID.String()+" "+m.MachineID)
		}
		if pages++; len(rows) < l.Limit {
			return names, pages
		}
		cursor := must(json.Marshal(l.Place(rows[len(rows)-1])))(d.t)
		d.must(l.After(func(values ...any) error { return json.Unmarshal(cursor, &values) }))
	}
}

func (d *harness) modelList(all []*db.Instance, l machines.List) (names []string) {
	is := func(ok bool, none bool) bool { return ok || none }
	var rows []*db.Instance
	for _, m := range all {
		begins := l.Search == "" || strings.HasPrefix(m.MachineID, l.Search) || strings.HasPrefix(m.Alias, l.Search) ||
			strings.HasPrefix(m.MachineAlias, l.Search) || strings.HasPrefix(m.Address, l.Search)
		if begins && (l.Application == nil || m.ApplicationID == *l.Application) && (l.Group == nil || m.GroupID != nil && *m.GroupID == *l.Group) &&
			is(slices.Contains(l.States, m.State), l.States == nil) && is(slices.Contains(l.Versions, m.Version), l.Versions == nil) &&
			is(slices.Contains(l.Standings, m.Standing), l.Standings == nil) &&
			is(slices.Contains(l.Reasons, rollout.ParseReason(m.Reason)), l.Reasons == nil) &&
			is(m.GroupID != nil && slices.Contains(l.CountedAs, d.Catalog().Group(*m.GroupID).Part(m, rollout.RolloutActive)), l.CountedAs == nil) &&
			(l.OEM == nil || m.Oem == *l.OEM) && (l.SeenAfter == nil || !m.LastSeenAt.Before(*l.SeenAfter)) &&
			(l.SeenBefore == nil || m.LastSeenAt.Before(*l.SeenBefore)) {
			rows = append(rows, m)
		}
	}
	groupWise := l.Search == "" && l.Group == nil &&
		(l.States != nil || l.Versions != nil || l.Standings != nil || l.Reasons != nil || l.CountedAs != nil || l.OEM != nil)
	slices.SortFunc(rows, func(a, b *db.Instance) int {
		c := 0
		switch {
		case l.By == machines.ByState:
			c = cmp.Compare(a.State, b.State)
		case l.By == machines.ByVersion:
			c = cmp.Compare(a.Version, b.Version)
		case groupWise:
			c = cmp.Or(boolCompare(a.GroupID == nil, b.GroupID == nil), bytes.Compare(a.ApplicationID[:], b.ApplicationID[:]))
			if c == 0 && a.GroupID != nil {
				c = bytes.Compare(a.GroupID[:], b.GroupID[:])
			}
		default:
			c = bytes.Compare(a.ApplicationID[:], b.ApplicationID[:])
		}
		c = cmp.Or(c, cmp.Compare(a.MachineID, b.MachineID))
		if l.Down {
			return -c
		}
		return c
	})
	for _, m := range rows {
		names = append(names, m.ID.String()+" "+m.MachineID)
	}
	return names
}

func boolCompare(a, b bool) int {
	switch {
	case a == b:
		return 0
	case b:
		return -1
	}
	return 1
}
