package graph_test

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"testing"

	"github.com/google/uuid"

	"github.com/coreroller/coreroller/ent/db/attempt"
	"github.com/coreroller/coreroller/fleet"
	"github.com/coreroller/coreroller/fleet/checkin"
	"github.com/coreroller/coreroller/rollout"
)

const slicesDocument = `query($id: ID!, $name: String, $first: Int) { group(id: $id) { rollout {
	failuresByAttribute(name: $name, first: $first) { attempts slices { name value tag attempts standsOut } } } } }`

// slice is a FailureSlice.
type slice struct {
	name, value string
	tag         bool
	attempts    int
	standsOut   bool
}

func (s *site) slices(t *testing.T, in vars) (attempts int, all []slice) {
	t.Helper()
	in["id"] = s.group
	got := at(t, s.ana(t).get(slicesDocument, in), "rollout.failuresByAttribute")
	for _, one := range at(t, got, "slices").([]any) {
		all = append(all, slice{at(t, one, "name").(string), at(t, one, "value").(string), at(t, one, "tag").(bool),
			int(at(t, one, "attempts").(float64)), at(t, one, "standsOut").(bool)})
	}
	return int(at(t, got, "attempts").(float64)), all
}

// Slices equal a recount of the failed attempts and of the labels of their machines, and
// the list with the filter of each has as many entries. Attributes that machines send
// count as those that people set.
func TestFailureSlicesEqualARecount(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		s.unlimited()
		s.must(second(s.UpdateApplication(s.ctx, fleet.UpdateApplication{ID: s.app, RequestAttributes: []string{"region"}})))
		if attempts, all := s.slices(t, vars{}); attempts != 0 || all != nil {
			t.Errorf("without failures: %d attempts, %v", attempts, all)
		}
		ana, hostile := s.ana(t), "\u202e<b>eu%_"
		var failed []string
		for i := range 12 {
			machine, oem, aleph := fmt.Sprint("m", i), []string{"azure", "azure", "ec2", ""}[i%4], fmt.Sprint("1.", i%2)
			in := checkin.CheckIn{AppID: s.app.String(), Track: "prod", Machine: machine, Version: fmt.Sprint("1.0.", i%5), UpdateCheck: true,
				Attributes: checkin.Attributes{OEM: &oem, AlephVersion: &aleph, Request: []checkin.RequestAttribute{{Name: "region", Value: []string{hostile, "us"}[i/8]}}}}
			s.must(second(s.Machines.CheckIn(context.Background(), in)))
			labels := vars{"addTags": []any{fmt.Sprint("t", i%3)}}
			if i%2 == 0 {
				labels["setAttributes"] = []any{vars{"name": "rack", "value": fmt.Sprint(i / 6)}, vars{"name": "t0", "value": "x"}}
			}
			labeled := ana.get(`mutation($in: LabelInstanceInput!) { labelInstance(input: $in) { userErrors { code } } }`, vars{"in": vars{"id": s.instance(machine), "labels": labels}})
			want(t, labeled, "userErrors", []any{})
			if i < 11 {
				failed = append(failed, machine)
				in.UpdateCheck, in.Events = false, []rollout.Event{{Type: 3, Result: 0, Code: i}}
				s.must(second(s.Machines.CheckIn(context.Background(), in)))
			}
		}
		attempts, got := s.slices(t, vars{"first": 100})
		counted := s.recountSlices(t)
		if attempts != len(failed) || !reflect.DeepEqual(got, counted) {
			t.Errorf("%d attempts, slices\n%v\nwant %d,\n%v", attempts, got, len(failed), counted)
		}
		if !slices.Contains(got, slice{"region", hostile, false, 8, true}) {
			t.Errorf("the region does not stand out: %v", got)
		}
		for _, one := range got {
			filter := vars{"attribute": vars{"name": one.name, "value": one.value}}
			if one.tag {
				filter = vars{"tag": one.name}
			}
			if total, nodes := s.failedAttempts(t, filter, 4); int(total) != one.attempts || len(nodes) != one.attempts {
				t.Errorf("%v: the list has %d entries, totalCount %v", one, len(nodes), total)
			}
		}
		if _, some := s.slices(t, vars{"first": 3}); !reflect.DeepEqual(some, counted[:3]) {
			t.Errorf("the first 3: %v", some)
		}
		if _, named := s.slices(t, vars{"name": "t0"}); len(named) != 2 || named[0].tag || !named[1].tag {
			t.Errorf("only t0: %v", named)
		}
		for _, bad := range []vars{{"first": 0}, {"first": 101}, {"name": "a\x00"}} {
			bad["id"] = s.group
			if r := ana.ask(slicesDocument, bad); len(r.Errors) != 1 || r.Errors[0].Extensions.Code != "INVALID" {
				t.Errorf("%v: %s %+v", bad, r.Data, r.Errors)
			}
		}
	})
}

// recountSlices counts slices from the rows of attempts and machines, one by one.
func (s *site) recountSlices(t *testing.T) (all []slice) {
	t.Helper()
	type key struct {
		name, value string
		tag         bool
	}
	sums := map[key]int{}
	rows := must2(s.store.Reader().Attempt.Query().Where(attempt.Failed(true)).All(s.ctx))(s)
	for _, row := range rows {
		m := must2(s.store.Reader().Instance.Get(s.ctx, row.InstanceID))(s)
		has := map[key]bool{{"oem", row.Oem, false}: true, {"version", row.FromVersion, false}: true, {"aleph_version", m.AlephVersion, false}: true}
		for _, l := range must2(s.View.MachineLabels(s.ctx, []uuid.UUID{m.ID}))(s)[m.ID] {
			has[key{l.Name, l.Value, l.Tag}] = true
		}
		for k := range maps.Keys(has) {
			if k.value != "" || k.tag {
				sums[k]++
			}
		}
	}
	for k, n := range sums {
		all = append(all, slice{k.name, k.value, k.tag, n, n >= 3 && 2*n >= len(rows) && n < len(rows)})
	}
	slices.SortFunc(all, func(a, b slice) int {
		return cmp.Or(cmp.Compare(b.attempts, a.attempts), cmp.Compare(a.name, b.name), cmp.Compare(fmt.Sprint(a.tag), fmt.Sprint(b.tag)), cmp.Compare(a.value, b.value))
	})
	return all
}
