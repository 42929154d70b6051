package graph_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/coreroller/coreroller/fleet"
	"github.com/coreroller/coreroller/fleet/catalog"
	"github.com/coreroller/coreroller/fleet/checkin"
)

const instancesDocument = `query($f: InstanceFilter, $n: Int, $after: String, $by: InstanceOrder) {
  instances(filter: $f, first: $n, after: $after, orderBy: $by) {
    totalCount totalCountIsExact
    pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
    edges { cursor }
    nodes { machineId version state application { name } }
  }
}`

// walk reads a list page by page and returns the machine ids in order.
func (c *caller) walk(f, by vars, n int) []string {
	c.t.Helper()
	var all []string
	var after any
	for pages := 0; ; pages++ {
		v := vars{"f": f, "n": n, "after": after}
		if by != nil {
			v["by"] = by
		}
		got := c.get(instancesDocument, v)
		for _, node := range got["nodes"].([]any) {
			all = append(all, node.(map[string]any)["machineId"].(string))
		}
		info := got["pageInfo"].(map[string]any)
		if info["hasPreviousPage"] != (pages > 0) {
			c.t.Errorf("page %d: hasPreviousPage %v", pages, info["hasPreviousPage"])
		}
		if info["hasNextPage"] == false {
			return all
		}
		if after = info["endCursor"]; pages > 100 {
			c.t.Fatal("endless")
		}
	}
}

func TestInstancesAreFilteredSortedAndCounted(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		for i := range 7 {
			s.check(fmt.Sprintf("m%d", i), "1.0.0") // two granted, five on hold
		}
		s.check("new", "2.0.0")
		s.check("newer", "3.0.0")
		s.must(second(s.SetInstanceAlias(s.ctx, fleet.SetInstanceAlias{ID: s.instance("m3"), Alias: "web-3"})))
		s.must(second(s.HoldInstance(s.ctx, fleet.HoldInstance{ID: s.instance("m4"), Reason: "db"})))
		ana := s.ana(t)

		everything := []string{"m0", "m1", "m2", "m3", "m4", "m5", "m6", "new", "newer"}
		for _, c := range []struct {
			filter vars
			want   []string
		}{
			{nil, everything},
			{vars{"applicationId": s.app}, everything},
			{vars{"groupId": s.group}, everything},
			{vars{"applicationId": "e96281a6-d1af-4bde-9a0a-97b76e56dc57"}, nil},
			{vars{"groupId": s.group, "states": []any{"GRANTED"}}, []string{"m0", "m1"}},
			{vars{"applicationId": s.app, "states": []any{"GRANTED"}}, []string{"m0", "m1"}},
			{vars{"states": []any{"GRANTED", "ON_HOLD"}, "versions": []any{"1.0.0"}}, everything[:7]},
			{vars{"versions": []any{"2.0.0", "3.0.0"}}, []string{"new", "newer"}},
			{vars{"standings": []any{"OVERRIDDEN"}}, []string{"m4"}},
			{vars{"groupId": s.group, "reasons": []any{"UP_TO_DATE"}}, []string{"new", "newer"}},
			{vars{"search": "web"}, []string{"m3"}},
			{vars{"search": "new"}, []string{"new", "newer"}},
			{vars{"search": "192.0.2"}, everything},
			{vars{"search": "%"}, nil},
			{vars{"oem": "ami"}, nil},
			{vars{"seenAfter": "2020-01-01T00:00:00+02:00"}, everything},
			{vars{"seenBefore": "2020-01-01T00:00:00Z"}, nil},
			{vars{"states": []any{}}, nil},
		} {
			got := ana.get(instancesDocument, vars{"f": c.filter})
			want(t, got, "totalCount", len(c.want), "totalCountIsExact", true, "pageInfo.hasNextPage", false)
			if ids := ana.walk(c.filter, nil, 2); !slices.Equal(ids, c.want) {
				t.Errorf("%v: %v, want %v", c.filter, ids, c.want)
			}
		}

		reversed := slices.Clone(everything)
		slices.Reverse(reversed)
		if ids := ana.walk(nil, vars{"field": "MACHINE_ID", "direction": "DESC"}, 4); !slices.Equal(ids, reversed) {
			t.Errorf("descending: %v", ids)
		}
		byVersion := append([]string{"newer", "new"}, reversed[2:]...)
		if ids := ana.walk(vars{"groupId": s.group}, vars{"field": "VERSION", "direction": "DESC"}, 2); !slices.Equal(ids, byVersion) {
			t.Errorf("by version: %v, want %v", ids, byVersion)
		}
		// new and newer have no state, granted is 2, on hold 8; m4 was held by a person.
		byState := ana.walk(vars{"groupId": s.group, "states": []any{"NONE", "GRANTED"}}, vars{"field": "STATE"}, 1)
		if want := []string{"new", "newer", "m0", "m1"}; !slices.Equal(byState, want) {
			t.Errorf("by state: %v, want %v", byState, want)
		}
		r := ana.ask(instancesDocument, vars{"by": vars{"field": "STATE"}})
		if len(r.Errors) != 1 || r.Errors[0].Extensions.Field != "orderBy.field" {
			t.Errorf("an order without index: %s %+v", r.Data, r.Errors)
		}
		// A cursor of another sort order is refused.
		cursor := at(t, ana.get(instancesDocument, vars{"f": vars{"groupId": s.group}, "n": 1}), "pageInfo.endCursor")
		r = ana.ask(instancesDocument, vars{"f": vars{"groupId": s.group}, "by": vars{"field": "STATE"}, "after": cursor})
		if len(r.Errors) != 1 || r.Errors[0].Extensions.Field != "after" {
			t.Errorf("a foreign cursor: %s %+v", r.Data, r.Errors)
		}
	})
}

// A list over two applications contains each machine once, in index order.
func TestInstancesOfTheFleetArePagedAcrossApplications(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		for i := range 3 {
			s.check(fmt.Sprintf("m%d", i), "1.0.0")
			_, err := s.Machines.CheckIn(t.Context(), checkin.CheckIn{
				AppID: catalog.FlatcarID().String(), Track: "stable", Machine: fmt.Sprintf("m%d", i), Version: "1.0.0", UpdateCheck: true,
			})
			s.must(err)
		}
		ids := s.ana(t).walk(nil, nil, 1)
		if want := []string{"m0", "m1", "m2", "m0", "m1", "m2"}; !slices.Equal(ids, want) {
			t.Errorf("%v, want %v", ids, want)
		}
		// Machines without a group are still counted and listed.
		s.must(s.DeleteGroup(s.ctx, fleet.DeleteGroup{ID: s.group, Force: true}))
		got := s.ana(t).get(instancesDocument, vars{"f": vars{"applicationId": s.app, "versions": []any{"1.0.0"}}})
		want(t, got, "totalCount", 3, "nodes.2.machineId", "m2")
	})
}

func TestHistoryAndAttemptsAreNewestFirst(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		s.check("m1", "1.0.0")
		s.check("m1", "2.0.0") // complete
		const document = `query($id: ID!, $after: String) { instance(id: $id) {
			state version grant { version }
			attempts { totalCount nodes { version fromVersion outcome number wave description } }
			history(first: 1, after: $after) { totalCount pageInfo { hasNextPage endCursor } nodes { state } }
		} }`
		got := s.ana(t).get(document, vars{"id": s.instance("m1")})
		want(t, got, "state", "COMPLETE", "version", "2.0.0", "grant", nil, "attempts.totalCount", 1, "attempts.nodes.0.outcome", "SUCCEEDED",
			"attempts.nodes.0.fromVersion", "1.0.0", "attempts.nodes.0.number", 1, "attempts.nodes.0.wave", 1, "attempts.nodes.0.description", "",
			"history.nodes.0.state", "COMPLETE", "history.pageInfo.hasNextPage", true)
		got = s.ana(t).get(document, vars{"id": s.instance("m1"), "after": at(t, got, "history.pageInfo.endCursor")})
		want(t, got, "history.nodes.0.state", "GRANTED", "history.pageInfo.hasNextPage", false)
	})
}
