package fleet_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/coreroller/coreroller/fleet"
	"github.com/coreroller/coreroller/fleet/checkin"
	"github.com/coreroller/coreroller/fleet/fault"
	"github.com/coreroller/coreroller/fleet/job"
	"github.com/coreroller/coreroller/fleet/view/machines"
	"github.com/coreroller/coreroller/rollout"
)

// sends sends an update check of m with request attributes: "rack=3".
func (d *harness) sends(s *setup, request ...string) {
	d.t.Helper()
	in := checkin.CheckIn{AppID: s.app.ID.String(), Track: "t", Machine: "m", Version: "2.0.0", UpdateCheck: true, Ping: true}
	for _, r := range request {
		name, value, _ := strings.Cut(r, "=")
		in.Request = append(in.Request, checkin.RequestAttribute{Name: name, Value: value})
	}
	must(d.Machines.CheckIn(d.t.Context(), in))(d.t)
}

// keeps sets the request attributes that the application keeps.
func (d *harness) keeps(s *setup, names ...string) error {
	_, err := d.UpdateApplication(d.ctx, fleet.UpdateApplication{ID: s.app.ID, RequestAttributes: append([]string{}, names...)})
	return err
}

func TestRequestAttributesOfAMachine(t *testing.T) {
	eachDatabase(t, func(t *testing.T, d *harness) {
		s := d.setup()
		m := s.instance("m")
		d.sends(s, "rack=3") // before the application names it
		if got := d.labels(m); got != "" {
			t.Errorf("kept %q, which the application does not name", got)
		}
		d.must(d.keeps(s, "zone", "rack"))
		if got := d.Machines.RequestAttributes("{" + s.app.ID.String() + "}"); fmt.Sprint(got) != "[rack zone]" {
			t.Fatalf("names %q", got)
		}
		must(d.LabelInstance(d.ctx, fleet.LabelInstance{ID: m, Labels: job.Labels{SetAttributes: []job.Attribute{{Name: "zone", Value: "mine"}, {Name: "owner", Value: "ana"}}}}))(t)
		for _, c := range []struct {
			request []string
			want    string
		}{
			{[]string{"rack=3"}, "owner=ana rack=3 zone=mine"},
			{[]string{"rack=3", "zone=eu"}, "owner=ana rack=3 zone=eu"}, // it replaces a person's
			{[]string{"rack=4", "zone=eu"}, "owner=ana rack=4 zone=eu"},
			{[]string{"rack=4"}, "owner=ana rack=4"}, // lost, because it is not sent any more
			{[]string{"rack= a\x00b\x1bc\u202e=d\n"}, "owner=ana rack= abc\u202e=d"},
			{[]string{"rack=\x01\n"}, "owner=ana"},
			{[]string{"rack=" + strings.Repeat("é", 200)}, "owner=ana rack=" + strings.Repeat("é", 128)},
			{[]string{"rack=4", "other=5"}, "owner=ana rack=4"}, // it was removed from the names meanwhile
		} {
			d.sends(s, c.request...)
			if got := d.labels(m); got != c.want {
				t.Errorf("after %q: %q, want %q", c.request, got, c.want)
			}
			through := d.clock()
			d.wait(time.Second)
			d.sends(s, c.request...)
			if row := must(d.store.Reader().Instance.Get(d.ctx, m))(t); c.request[len(c.request)-1] != "other=5" && !row.LastSeenAt.Equal(through) {
				t.Errorf("the same check again was not answered from the idle cache: %q", c.request)
			}
		}
		d.report(s, "m", "2.0.0", rollout.Event{Type: 3, Result: 2})
		if got := d.labels(m); got != "owner=ana rack=4" {
			t.Errorf("after an event without attributes: %q", got)
		}
		filter := machines.Filter{Group: &s.group.ID, Attributes: []job.Attribute{{Name: "rack", Value: "4"}}}
		if n, exact, err := d.View.CountMachines(d.ctx, filter, 100); n != 1 || !exact || err != nil {
			t.Errorf("machines with rack=4: %d %t %v", n, exact, err)
		}
		for _, l := range []job.Labels{{SetAttributes: filter.Attributes}, {RemoveAttributes: []string{"rack"}}} {
			if _, err := d.LabelInstance(d.ctx, fleet.LabelInstance{ID: m, Labels: l}); fault.CodeOf(err) != fault.Conflict {
				t.Errorf("a person changes what the machine sends: %v", err)
			}
		}
		if len(d.audits("updateApplication")) != 1 {
			t.Error("the change of the names is not in the audit")
		}
		d.checkCounters()
	})
}

// Without a name its attributes are deleted: of a silent machine in the background, of
// others with their next check. With the name they come back although the machine sends
// the same as before.
func TestRemovedRequestAttribute(t *testing.T) {
	eachDatabase(t, func(t *testing.T, d *harness) {
		s := d.setup()
		d.must(d.keeps(s, "rack", "zone"))
		d.sends(s, "rack=3", "zone=eu")
		d.must(d.keeps(s, "zone"))
		d.must(d.Upkeep.Work(d.ctx))
		if got := d.labels(s.instance("m")); got != "zone=eu" {
			t.Errorf("after the background work: %q", got)
		}
		if app := must(d.View.Application(d.ctx, s.app.ID, nil))(t); app.RemovedRequestAttributes != "" {
			t.Errorf("left to remove: %q", app.RemovedRequestAttributes)
		}
		d.must(d.keeps(s, "rack", "zone"))
		d.sends(s, "rack=3", "zone=eu")
		if got := d.labels(s.instance("m")); got != "rack=3 zone=eu" {
			t.Errorf("after adding the name again: %q", got)
		}
		d.must(d.keeps(s))
		d.sends(s, "rack=3", "zone=eu") // as parsed before the change
		if got := d.labels(s.instance("m")); got != "" {
			t.Errorf("after a check without names: %q", got)
		}
	})
}

func TestRequestAttributesAreBounded(t *testing.T) {
	eachDatabase(t, func(t *testing.T, d *harness) {
		s := d.setup()
		var names, request []string
		for i := range job.MaxRequestAttributes {
			names = append(names, fmt.Sprint("a", i))
			request = append(request, fmt.Sprint("a", i, "=", strings.Repeat(fmt.Sprint(i), 250)))
		}
		d.must(d.keeps(s, names...))
		d.sends(s, append(request, "a7=x")...)
		got := must(d.View.MachineLabels(d.ctx, []uuid.UUID{s.instance("m")}))(t)[s.instance("m")]
		if len(got) != 5 || got[4].Value != "x" {
			t.Errorf("%d attributes were kept", len(got))
		}
		for _, c := range []struct {
			names []string
			field string
		}{
			{append(names, "b"), "requestAttributes"},
			{[]string{"Rack"}, "requestAttributes[0]"},
			{[]string{"rack", "oem"}, "requestAttributes[1]"},
			{[]string{"bootid"}, "requestAttributes[0]"},
			{[]string{"a,b"}, "requestAttributes[0]"},
			{[]string{""}, "requestAttributes[0]"},
		} {
			refused(t, d.keeps(s, c.names...), fault.Invalid, c.field)
		}
		clone := must(d.CreateApplication(d.ctx, fleet.CreateApplication{Name: "Copy", CloneFrom: &s.app.ID}))(t)
		if fmt.Sprint(clone.RequestAttributes) != fmt.Sprint(names) {
			t.Errorf("the copy keeps %q", clone.RequestAttributes)
		}
	})
}
