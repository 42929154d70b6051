package fleet_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/coreroller/coreroller/ent/db"
	"github.com/coreroller/coreroller/fleet"
	"github.com/coreroller/coreroller/fleet/fault"
	"github.com/coreroller/coreroller/fleet/job"
	"github.com/coreroller/coreroller/fleet/view/machines"
	"github.com/coreroller/coreroller/rollout"
)

// labels returns the attributes and tags of a machine as text.
func (d *harness) labels(id uuid.UUID) string {
	d.t.Helper()
	found := must(d.View.MachineLabels(d.ctx, []uuid.UUID{id}))(d.t)
	var all []string
	for _, row := range found[id] {
		if row.Tag {
			all = append(all, "#"+row.Name)
		} else {
			all = append(all, row.Name+"="+row.Value)
		}
	}
	return strings.Join(all, " ")
}

func TestLabelsOfAMachine(t *testing.T) {
	eachDatabase(t, func(t *testing.T, d *harness) {
		s := d.setup()
		d.check(s, "m", "2.0.0")
		id := s.instance("m")
		change := func(l job.Labels) error {
			_, err := d.LabelInstance(d.ctx, fleet.LabelInstance{ID: id, Labels: l, Reason: "moved"})
			return err
		}
		set := func(name, value string) []job.Attribute { return []job.Attribute{{Name: name, Value: value}} }
		for _, c := range []struct {
			change job.Labels
			want   string
		}{
			{job.Labels{SetAttributes: set("rack", " 3 "), AddTags: []string{"canary", "b-1"}}, "rack=3 #b-1 #canary"},
			{job.Labels{SetAttributes: set("rack", "4"), RemoveTags: []string{"b-1"}}, "rack=4 #canary"},
			{job.Labels{SetAttributes: set("rack", "4"), RemoveAttributes: []string{"none"}}, "rack=4 #canary"}, // nothing to change
			{job.Labels{RemoveAttributes: []string{"rack"}, RemoveTags: []string{"canary"}}, ""},
		} {
			if err := change(c.change); err != nil {
				t.Fatalf("%+v: %v", c.change, err)
			}
			if got := d.labels(id); got != c.want {
				t.Errorf("after %+v: %q, want %q", c.change, got, c.want)
			}
		}
		a := d.audits("labelInstance")
		if len(a) != 3 || !slices.ContainsFunc(a, func(row *db.Audit) bool {
			return strings.Contains(row.Before, `"rack":"3"`) && strings.Contains(row.After, `"rack":"4"`)
		}) {
			t.Errorf("audit: %+v", a)
		}
		noted := d.activities(rollout.ActivityMachinesLabeled)
		if len(noted) != 3 || !slices.ContainsFunc(noted, func(row *db.Activity) bool { return strings.Contains(row.Detail, "rack=3, tag canary") }) {
			t.Errorf("activities: %+v", noted)
		}
		for _, c := range []struct {
			change job.Labels
			field  string
		}{
			{job.Labels{}, "labels"},
			{job.Labels{SetAttributes: set("Rack", "3")}, "labels.setAttributes[0].name"},
			{job.Labels{SetAttributes: set("oem", "ami")}, "labels.setAttributes[0].name"},
			{job.Labels{SetAttributes: set("rack", "")}, "labels.setAttributes[0].value"},
			{job.Labels{SetAttributes: set("rack", strings.Repeat("x", job.MaxValue+1))}, "labels.setAttributes[0].value"},
			{job.Labels{SetAttributes: set("rack", "a\nb")}, "labels.setAttributes[0].value"},
			{job.Labels{SetAttributes: set("rack", "1"), RemoveAttributes: []string{"rack"}}, "labels.removeAttributes[0]"},
			{job.Labels{AddTags: []string{"a b"}}, "labels.addTags[0]"},
			{job.Labels{AddTags: make([]string, job.MaxLabels+1)}, "labels.addTags"},
		} {
			if err := change(c.change); fault.CodeOf(err) != fault.Invalid || fault.All(err)[0].Field != c.field {
				t.Errorf("%+v: %v, want a problem of %s", c.change, err, c.field)
			}
		}
		tags := make([]string, job.MaxLabels)
		for i := range tags {
			tags[i] = fmt.Sprint("t", i)
		}
		if err := change(job.Labels{AddTags: tags}); err != nil {
			t.Fatal(err)
		}
		if err := change(job.Labels{AddTags: []string{"one-more"}}); fault.CodeOf(err) != fault.Conflict {
			t.Errorf("more tags than allowed: %v", err)
		}
		// The database deletes them with the machine.
		if err := d.ForgetInstance(d.ctx, fleet.ForgetInstance{ID: id}); err != nil {
			t.Fatal(err)
		}
		if got := d.labels(id); got != "" {
			t.Errorf("the forgotten machine has %q", got)
		}
		d.checkCounters()
	})
}

// A change of attributes and tags costs a machine one check through the lane. Further
// checks are answered from the idle cache, and write as little as before.
func TestLabeledMachineIsIdleAgain(t *testing.T) {
	eachDatabase(t, func(t *testing.T, d *harness) {
		s := d.setup()
		seen := func() time.Time {
			t.Helper()
			return must(d.store.Reader().Instance.Get(d.ctx, s.instance("m")))(t).LastSeenAt
		}
		d.check(s, "m", "2.0.0")
		must(d.LabelInstance(d.ctx, fleet.LabelInstance{ID: s.instance("m"), Labels: job.Labels{AddTags: []string{"canary"}}}))(t)
		d.wait(time.Second)
		d.check(s, "m", "2.0.0")
		through := d.clock()
		if !seen().Equal(through) {
			t.Fatalf("the first check after the change was not written: %v", seen())
		}
		d.wait(time.Second)
		d.check(s, "m", "2.0.0")
		if !seen().Equal(through) {
			t.Error("a further check was not answered from the idle cache")
		}
		if got := d.labels(s.instance("m")); got != "#canary" {
			t.Errorf("check-ins changed the labels to %q", got)
		}
	})
}

func TestJobLabelsMachines(t *testing.T) {
	eachDatabase(t, func(t *testing.T, d *harness) {
		s := d.setup()
		for i := range 3 {
			d.check(s, fmt.Sprint("m", i), "2.0.0")
		}
		must(d.LabelInstance(d.ctx, fleet.LabelInstance{ID: s.instance("m1"), Labels: job.Labels{AddTags: []string{"canary"}}}))(t)
		all := machines.Filter{Group: &s.group.ID}
		order := job.Order{Action: job.Label, Labels: &job.Labels{AddTags: []string{"canary"}}}
		if i := must(d.View.JobImpact(d.ctx, all, order))(t); i.Now != 2 || i.Skipped != 1 {
			t.Errorf("preview: %s", i.Sentence)
		}
		row := must(d.StartMachineJob(d.ctx, fleet.StartMachineJob{Filter: all, Action: order}))(t)
		if err := d.WorkJobs(d.ctx); err != nil {
			t.Fatal(err)
		}
		if row = must(d.View.MachineJob(d.ctx, row.ID))(t); row.Done != 2 || row.Skipped != 1 || row.State != string(job.Finished) {
			t.Errorf("job: %+v", row)
		}
		tagged := machines.Filter{Group: &s.group.ID, Tags: []string{"canary"}}
		if n, exact, err := d.View.CountMachines(d.ctx, tagged, 100); n != 3 || !exact || err != nil {
			t.Errorf("machines with the tag: %d %t %v", n, exact, err)
		}
		if a := d.activities(rollout.ActivityMachinesLabeled); len(a) != 2 {
			t.Errorf("activities: %+v", a)
		}
		for _, bad := range []job.Order{{Action: job.Label}, {Action: job.Hold, Labels: order.Labels}} {
			if _, err := d.StartMachineJob(d.ctx, fleet.StartMachineJob{Filter: all, Action: bad}); fault.CodeOf(err) != fault.Invalid {
				t.Errorf("%+v: %v", bad, err)
			}
		}
		for name, field := range map[string]string{"oem": "filter.oem", "arch": "no condition"} {
			_, err := d.View.Machines(d.ctx, machines.List{Filter: machines.Filter{Attributes: []job.Attribute{{Name: name, Value: "x"}}}, Limit: 1}, nil)
			if err == nil || !strings.Contains(err.Error(), field) {
				t.Errorf("filter by %s: %v", name, err)
			}
		}
		d.checkCounters()
	})
}
