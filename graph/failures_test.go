package graph_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/coreroller/coreroller/fleet"
	"github.com/coreroller/coreroller/fleet/checkin"
	"github.com/coreroller/coreroller/rollout"
	"github.com/coreroller/coreroller/rollout/policy"
)

// fail lets a machine receive a grant and report an error, or time out for code 0.
func (s *site) fail(machine, version, oem string, code int) {
	s.t.Helper()
	s.failFrom("", machine, version, oem, code)
}

func (s *site) failFrom(address, machine, version, oem string, code int) {
	s.t.Helper()
	in := checkin.CheckIn{AppID: s.app.String(), Track: "prod", Machine: machine, Version: version, Attributes: checkin.Attributes{OEM: &oem, Address: address}, UpdateCheck: true}
	answer, err := s.Machines.CheckIn(context.Background(), in)
	if must(s, answer, err).Decision.Reason != rollout.ReasonGranted {
		s.t.Fatalf("%s got the answer %s, want a grant", machine, answer.Decision.Reason)
	}
	if code == 0 {
		s.offset.Add(int64(2 * time.Hour))
		s.must(s.Upkeep.Work(context.Background()))
		return
	}
	in.UpdateCheck, in.Events = false, []rollout.Event{{Type: 3, Result: 0, Code: code}}
	s.must(second(s.Machines.CheckIn(context.Background(), in)))
}

// unlimited removes the limits and the halt rule of the group.
func (s *site) unlimited() {
	s.t.Helper()
	policy := policy.Default()
	policy.SafeMode, policy.HaltFailureShare, policy.MaxUpdatesPerPeriod, policy.MaxConcurrentUpdates = false, 0, 1000, 1000
	s.must(second(s.UpdatePolicy(s.ctx, fleet.UpdatePolicy{GroupID: s.group, Policy: policy})))
}

const failuresDocument = `query($id: ID!) { group(id: $id) { rollout {
	attempts { failed timedOut rolledBack }
	failures { outcome code description attempts } failuresByOem { value attempts } failuresByVersion { value attempts }
	failuresByAddressBlock { value attempts } } } }`

// Each count of failures equals the length of the list with its filter.
func TestFailureCountsMatchTheirLists(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		s.unlimited()
		s.failFrom("192.0.2.1", "m1", "1.0.0", "azure", 7)
		s.failFrom("192.0.3.1", "m1", "1.0.0", "azure", 9) // replaces the result before
		s.failFrom("192.0.2.2", "m2", "1.0.0", "azure", 44)
		s.fail("m3", "1.5.0", "", 9)
		s.failFrom("2001:db8:1::1", "m8", "1.5.0", "ec2", 9)
		s.failFrom("192.0.2.4", "m4", "1.0.0", "ec2", 999)
		s.fail("m5", "1.0.0", "ec2", 0)
		s.check("m6", "1.0.0") // in flight
		s.check("m7", "1.0.0")
		s.check("m7", "2.0.0") // a success
		got := at(t, s.ana(t).get(failuresDocument, vars{"id": s.group}), "rollout").(map[string]any)
		want(t, got, "attempts", vars{"failed": 6, "timedOut": 1, "rolledBack": 1},
			"failures.0", vars{"outcome": "FAILED", "code": 9, "description": "download failed", "attempts": 3},
			"failures.1", vars{"outcome": "FAILED", "code": 999, "description": "unknown code", "attempts": 1},
			"failures.2", vars{"outcome": "ROLLED_BACK", "code": 44, "description": "rolled back", "attempts": 1},
			"failures.3", vars{"outcome": "TIMED_OUT", "code": 0, "description": "no report within the lease", "attempts": 1},
			"failuresByOem", []any{vars{"value": "ec2", "attempts": 3}, vars{"value": "azure", "attempts": 2}, vars{"value": "", "attempts": 1}},
			"failuresByVersion", []any{vars{"value": "1.0.0", "attempts": 4}, vars{"value": "1.5.0", "attempts": 2}},
			"failuresByAddressBlock", []any{vars{"value": "", "attempts": 2}, vars{"value": "192.0.2.0/24", "attempts": 2},
				vars{"value": "192.0.3.0/24", "attempts": 1}, vars{"value": "2001:db8:1::/48", "attempts": 1}})

		type numbered struct {
			filter vars
			n      float64
		}
		lists := []numbered{{nil, 6}, {vars{"outcome": "TIMED_OUT"}, 1}, {vars{"outcome": "ROLLED_BACK"}, 1}, {vars{"outcome": "FAILED"}, 4},
			{vars{"outcome": "SUCCEEDED"}, 0}, {vars{"code": 9}, 3}, {vars{"code": 1}, 0}, {vars{"oem": "unknown"}, 0},
			{vars{"oem": "ec2", "code": 9}, 1}, {vars{"oem": "ec2", "fromVersion": "1.0.0"}, 2},
			{vars{"addressBlock": "192.0.2.0/24", "oem": "azure"}, 1}, {vars{"addressBlock": "192.0.2.0/24", "outcome": "TIMED_OUT"}, 0},
			{vars{"addressBlock": "192.0.4.0/24"}, 0}}
		for _, f := range got["failures"].([]any) {
			lists = append(lists, numbered{vars{"outcome": at(t, f, "outcome"), "code": at(t, f, "code")}, at(t, f, "attempts").(float64)})
		}
		for _, f := range got["failuresByOem"].([]any) {
			lists = append(lists, numbered{vars{"oem": at(t, f, "value")}, at(t, f, "attempts").(float64)})
		}
		for _, f := range got["failuresByVersion"].([]any) {
			lists = append(lists, numbered{vars{"fromVersion": at(t, f, "value")}, at(t, f, "attempts").(float64)})
		}
		for _, f := range got["failuresByAddressBlock"].([]any) {
			lists = append(lists, numbered{vars{"addressBlock": at(t, f, "value")}, at(t, f, "attempts").(float64)})
		}
		for _, l := range lists {
			total, nodes := s.failedAttempts(t, l.filter, 2)
			if total != l.n || float64(len(nodes)) != l.n {
				t.Errorf("%v: the count is %v, totalCount %v, the list has %d entries", l.filter, l.n, total, len(nodes))
			}
			for i := 1; i < len(nodes); i++ {
				if a, b := at(t, nodes[i-1], "endedAt").(string), at(t, nodes[i], "endedAt").(string); a < b {
					t.Errorf("%v: %s is listed before %s", l.filter, a, b)
				}
			}
		}
		if _, nodes := s.failedAttempts(t, vars{"code": 44}, 2); at(t, nodes[0], "instance.machineId") != "m2" || at(t, nodes[0], "instance.group.name") != "prod" {
			t.Errorf("attempts with code 44: %v", nodes)
		}
		found := s.ana(t).get(`query($s: String!) { instances(filter: {search: $s}) { nodes { id } } }`, vars{"s": "m2"})
		machine := at(t, found, "nodes.0.id")
		known := s.ana(t).get(mutate("enrollInstances", "enrolled { machines new }"), vars{"in": vars{"applicationId": s.app, "machineIds": []any{"m2", "unseen"}}})
		want(t, known, "userErrors", []any{}, "enrolled", vars{"machines": 2, "new": 1})
		unseen := s.ana(t).get(`{ instances(filter: {search: "unseen"}) { nodes { enrolled arch version standing group { id } } } }`, nil)
		want(t, unseen, "nodes.0", vars{"enrolled": true, "arch": "", "version": "", "standing": "SILENT", "group": nil})
		gone := s.ana(t).get(mutate("forgetInstance", "deletedId"), vars{"in": vars{"id": machine, "reason": "sold"}})
		want(t, gone, "userErrors", []any{}, "deletedId", machine)
		if _, nodes := s.failedAttempts(t, vars{"code": 44}, 2); len(nodes) != 1 || at(t, nodes[0], "instance") != nil {
			t.Errorf("attempts with code 44 of a forgotten machine: %v", nodes)
		}
		all := s.ana(t).get(mutate("forgetInstances", "forgotten { machines more }"), vars{"in": vars{"filter": vars{"groupId": s.group, "oem": "azure"}}})
		want(t, all, "userErrors", []any{}, "forgotten.more", false)
		if total, nodes := s.failedAttempts(t, vars{"oem": "azure"}, 2); total != 2 || at(t, nodes[0], "instance") != nil {
			t.Errorf("attempts of forgotten machines: %v", nodes)
		}
		for _, d := range must2(s.store.Recount(t.Context()))(s) {
			t.Errorf("%s: counter %d, recount %d", d.Counter, d.Kept, d.Counted)
		}
	})
}

func must2[T any](v T, err error) func(s *site) T { return func(s *site) T { return must(s, v, err) } }

// failedAttempts reads the whole list of a filter, page by page.
func (s *site) failedAttempts(t *testing.T, filter vars, first int) (total float64, nodes []any) {
	t.Helper()
	const document = `query($id: ID!, $f: FailureFilter, $n: Int, $after: String) { group(id: $id) { rollout {
		failedAttempts(filter: $f, first: $n, after: $after) { totalCount pageInfo { hasNextPage endCursor }
			nodes { id endedAt outcome code instance { machineId group { name } } } } } } }`
	var after any
	for range 20 {
		page := at(t, s.ana(t).get(document, vars{"id": s.group, "f": filter, "n": first, "after": after}), "rollout.failedAttempts")
		total = at(t, page, "totalCount").(float64)
		nodes = append(nodes, at(t, page, "nodes").([]any)...)
		if at(t, page, "pageInfo.hasNextPage") != true {
			return total, nodes
		}
		after = at(t, page, "pageInfo.endCursor")
	}
	t.Fatal("more than 20 pages")
	return 0, nil
}

// Machines may report any code, platform and version, from many addresses; the lists stay bounded.
func TestFailureListsAreBounded(t *testing.T) {
	s := oneSite(t)
	s.unlimited()
	const n = 120
	for i := range n {
		s.failFrom(fmt.Sprintf("10.0.%d.1", i), fmt.Sprint("m", i), fmt.Sprintf("1.0.%d", i), fmt.Sprint("oem", i), 100+i)
	}
	s.failFrom("10.0.5.9", "last", "1.0.5", "oem5", 105)
	got := at(t, s.ana(t).get(failuresDocument, vars{"id": s.group}), "rollout")
	want(t, got, "attempts.failed", n+1, "failures.0.code", 105, "failuresByOem.0", vars{"value": "oem5", "attempts": 2},
		"failuresByVersion.0", vars{"value": "1.0.5", "attempts": 2}, "failuresByAddressBlock.0", vars{"value": "10.0.5.0/24", "attempts": 2})
	for _, list := range []string{"failures", "failuresByOem", "failuresByVersion", "failuresByAddressBlock"} {
		if n := len(at(t, got, list).([]any)); n != 100 {
			t.Errorf("%s has %d entries, want 100", list, n)
		}
	}
}

// The number of statements does not depend on the number of attempts.
func TestFailedAttemptsReadMachinesWithOneStatement(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		s.unlimited()
		count := s.statements()
		costs := func() int64 {
			s.ana(t).ask("{ me { id } }", nil)
			count()
			s.failedAttempts(t, nil, 100)
			return count()
		}
		s.fail("m0", "1.0.0", "a", 9)
		one := costs()
		for i := range 5 {
			s.fail(fmt.Sprint("n", i), "1.0.0", "a", 9)
		}
		if many := costs(); many != one {
			t.Errorf("%d statements for one machine, %d for six", one, many)
		}
		for _, field := range []string{"oem", "fromVersion", "addressBlock"} {
			r := s.ana(t).ask(`query($id: ID!, $f: FailureFilter) { group(id: $id) { rollout { failedAttempts(filter: $f) { nodes { id } } } } }`,
				vars{"id": s.group, "f": vars{field: "a\x00"}})
			if len(r.Errors) != 1 || r.Errors[0].Extensions.Code != "INVALID" || r.Errors[0].Extensions.Field != "filter."+field {
				t.Errorf("NUL in %s: %s %+v", field, r.Data, r.Errors)
			}
		}
	})
}
