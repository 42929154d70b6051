package graph_test

import (
	"slices"
	"testing"
	"time"

	"github.com/coreroller/coreroller/fleet"
	"github.com/coreroller/coreroller/fleet/checkin"
	"github.com/coreroller/coreroller/rollout/policy"
)

// The filter countedAs lists exactly the machines of each count, although the
// groups have different targets.
func TestCountedAsListsTheMachinesOfEachCount(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		newer := s.release("3.0.0")
		edge, err := s.CreateChannel(s.ctx, fleet.CreateChannel{ApplicationID: s.app, Name: "edge", PackageID: &newer})
		must(s, edge, err)
		policy := policy.Default()
		policy.SafeMode, policy.MaxConcurrentUpdates = false, 1
		other, err := s.CreateGroup(s.ctx, fleet.CreateGroup{ApplicationID: s.app, Name: "edge", Track: "edge", ChannelID: &edge.ID, Policy: &policy})
		must(s, other, err)

		s.unlimited()
		s.check("silent", "2.0.0")
		s.offset.Add(int64(25 * time.Hour))
		s.must(s.Upkeep.Work(s.ctx))
		s.fail("failed", "1.0.0", "", 9)
		s.fail("rolled-back", "1.0.0", "", 44)
		s.check("a-flies", "1.0.0")
		s.check("b-flies", "1.0.0")
		policy.MaxConcurrentUpdates = 2
		s.must(second(s.UpdatePolicy(s.ctx, fleet.UpdatePolicy{GroupID: s.group, Policy: policy})))
		for _, m := range []string{"c-waits", "d-waits", "e-held"} {
			s.check(m, "1.0.0")
		}
		s.check("f-there", "2.0.0")
		s.check("j-builds", "2.0.0+local")
		s.check("k-above", "2.1.0")
		bad := s.release("1.9.0")
		s.must(second(s.BlacklistPackage(s.ctx, fleet.BlacklistPackage{ChannelID: s.channel, PackageID: bad})))
		s.check("l-bad", "1.9.0")
		for _, m := range []string{"g-flies", "h-waits", "i-waits"} {
			_, err := s.Machines.CheckIn(s.ctx, checkin.CheckIn{AppID: s.app.String(), Track: "edge", Machine: m, Version: "2.0.0", UpdateCheck: true})
			s.must(err)
		}
		s.must(second(s.HoldInstance(s.ctx, fleet.HoldInstance{ID: s.instance("e-held"), Reason: "db"})))

		ana := s.ana(t)
		parts := map[string]string{
			"ON_TARGET": "onTarget", "OTHER_BUILD": "otherBuild", "ABOVE_TARGET": "aboveTarget", "BAD_VERSION": "badVersion", "IN_FLIGHT": "inFlight", "WAITING": "waiting", "FAILED": "failed",
			"QUARANTINED": "quarantined", "SILENT": "silent", "OVERRIDDEN": "overridden",
		}
		const numbers = "numbers { onTarget otherBuild aboveTarget badVersion inFlight waiting failed quarantined silent overridden total }"
		for _, scope := range []struct {
			name   string
			filter vars
			got    map[string]any
		}{
			{"group", vars{"groupId": s.group}, at(t, ana.get("query($id: ID!) { group(id: $id) { "+numbers+" } }", vars{"id": s.group}), "numbers").(map[string]any)},
			{"other group", vars{"groupId": other.ID}, at(t, ana.get("query($id: ID!) { group(id: $id) { "+numbers+" } }", vars{"id": other.ID}), "numbers").(map[string]any)},
			{"application", vars{"applicationId": s.app}, at(t, ana.get("query($id: ID!) { application(id: $id) { "+numbers+" } }", vars{"id": s.app}), "numbers").(map[string]any)},
			{"fleet", vars{}, ana.get("{ fleet { onTarget otherBuild aboveTarget badVersion inFlight waiting failed quarantined silent overridden total } }", nil)},
		} {
			var listed []string
			for part, number := range parts {
				scope.filter["countedAs"] = []any{part}
				want(t, ana.get(instancesDocument, vars{"f": scope.filter}), "totalCount", scope.got[number], "totalCountIsExact", true)
				ids := ana.walk(scope.filter, nil, 1)
				if len(ids) != int(scope.got[number].(float64)) {
					t.Errorf("%s, %s: %v, the count is %v", scope.name, number, ids, scope.got[number])
				}
				listed = append(listed, ids...)
			}
			slices.Sort(listed)
			if len(listed) != int(scope.got["total"].(float64)) || len(slices.Compact(listed)) != len(listed) {
				t.Errorf("%s: all lists contain %v, total is %v", scope.name, listed, scope.got["total"])
			}
		}
		for part, ids := range map[string][]string{
			"ON_TARGET": {"f-there"}, "OTHER_BUILD": {"j-builds"}, "ABOVE_TARGET": {"k-above"}, "BAD_VERSION": {"l-bad"}, "IN_FLIGHT": {"a-flies", "b-flies", "g-flies"}, "SILENT": {"silent"},
			"WAITING": {"c-waits", "d-waits", "h-waits", "i-waits"}, "OVERRIDDEN": {"e-held"},
			"FAILED": {"failed"}, "QUARANTINED": {"rolled-back"},
		} {
			if got := ana.walk(vars{"applicationId": s.app, "countedAs": []any{part}}, nil, 2); !slices.Equal(got, ids) {
				t.Errorf("%s: %v, want %v", part, got, ids)
			}
		}
		for _, node := range ana.get("{ instances { nodes { countedAs machineId } } }", nil)["nodes"].([]any) {
			part := at(t, node, "countedAs").(string)
			ids := ana.walk(vars{"countedAs": []any{part}}, nil, 100)
			if id := at(t, node, "machineId").(string); !slices.Contains(ids, id) {
				t.Errorf("%s has countedAs %s, which lists %v", id, part, ids)
			}
		}
		want(t, ana.get(instancesDocument, vars{"f": vars{"countedAs": []any{"ON_TARGET", "OVERRIDDEN"}}}), "totalCount", 2)
		want(t, ana.get(instancesDocument, vars{"f": vars{"countedAs": []any{}}}), "totalCount", 0)
		// While the rollout is halted, its target is a bad version.
		s.must(second(s.HaltRollout(s.ctx, fleet.HaltRollout{GroupID: s.group, Reason: "smoke"})))
		for part, ids := range map[string][]string{"ON_TARGET": nil, "BAD_VERSION": {"f-there", "l-bad"}} {
			if got := ana.walk(vars{"groupId": s.group, "countedAs": []any{part}}, nil, 2); !slices.Equal(got, ids) {
				t.Errorf("halted, %s: %v, want %v", part, got, ids)
			}
		}
		got := ana.get("query($id: ID!) { group(id: $id) { numbers { onTarget badVersion byVersion { version standing } } } }", vars{"id": s.group})
		want(t, got, "numbers.onTarget", 0, "numbers.badVersion", 2, "numbers.byVersion", []any{
			vars{"version": "2.1.0", "standing": "ABOVE_TARGET"}, vars{"version": "2.0.0+local", "standing": "OTHER_BUILD"}, vars{"version": "2.0.0", "standing": "BAD"},
			vars{"version": "1.9.0", "standing": "BAD"}, vars{"version": "1.0.0", "standing": "BELOW_TARGET"},
		})
	})
}
