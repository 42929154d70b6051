package fleet_test

import (
	"fmt"
	"testing"

	"github.com/coreroller/coreroller/fleet"
	"github.com/coreroller/coreroller/fleet/fault"
	"github.com/coreroller/coreroller/fleet/job"
	"github.com/coreroller/coreroller/fleet/view"
	"github.com/coreroller/coreroller/fleet/view/machines"
)

func TestMachinesAreCountedByAttribute(t *testing.T) {
	eachDatabase(t, func(t *testing.T, d *harness) {
		s := d.setup()
		for i, oem := range []string{"azure", "azure", "gce", ""} {
			id := fmt.Sprint("m", i)
			d.from(s, id, oem)
			labels := job.Labels{AddTags: []string{"all"}}
			if i < 2 {
				labels = job.Labels{AddTags: []string{"all", "canary"}, SetAttributes: []job.Attribute{{Name: "rack", Value: fmt.Sprint(i)}}}
			}
			must(d.LabelInstance(d.ctx, fleet.LabelInstance{ID: s.instance(id), Labels: labels}))(t)
		}
		d.sent(s, "m3", "") // at 1.0.0, below the target
		by := func(attribute string, first int) *view.Breakdown {
			t.Helper()
			return must(d.View.Breakdown(d.ctx, machines.Filter{Group: &s.group.ID}, attribute, first))(t)
		}
		for attribute, want := range map[string]string{
			"oem":     "[{azure 2 2 0} { 1 0 0} {gce 1 1 0}]",
			"tags":    "[{all 4 3 0} {canary 2 2 0}]",
			"rack":    "[{ 2 1 0} {0 1 1 0} {1 1 1 0}]",
			"version": "[{2.0.0 3 3 0} {1.0.0 1 0 0}]",
		} {
			if b := by(attribute, 20); fmt.Sprint(b.Values) != want || !b.Complete || b.Machines != 4 || b.Others != 0 {
				t.Errorf("%s: %+v, want %s", attribute, b, want)
			}
		}
		if b := by("rack", 1); len(b.Values) != 1 || b.Others != 2 {
			t.Errorf("with one value listed: %+v", b)
		}
		for attribute, first := range map[string]int{" ": 20, "oem": 0, "rack": view.MaxBreakdownValues + 1} {
			if _, err := d.View.Breakdown(d.ctx, machines.Filter{}, attribute, first); fault.CodeOf(err) != fault.Invalid {
				t.Errorf("%q, %d: %v", attribute, first, err)
			}
		}
	})
}
