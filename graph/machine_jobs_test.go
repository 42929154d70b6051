package graph_test

import (
	"fmt"
	"testing"
)

const (
	startJobDocument = `mutation($in: StartMachineJobInput!) { startMachineJob(input: $in) {
		job { id action state machines pending selection reason createdBy } userErrors { code field message } } }`
	jobItemsDocument = `query($id: ID!, $r: MachineJobResult, $after: String) { machineJob(id: $id) {
		state done afterUpdate skipped failed pending until version groupId replace changedAt stoppedBy
		items(result: $r, first: 2, after: $after) { nodes { machineId instance { version } instanceId applicationId result detail endedAt } pageInfo { hasNextPage endCursor } } } }`
)

func TestMachineJob(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		for i := range 3 {
			s.check(fmt.Sprint("m", i), "2.0.0")
		}
		ana := s.ana(t)
		filter := vars{"groupId": s.group}
		const impact = `query($f: InstanceFilter!, $a: MachineActionInput!) { machineJobImpact(filter: $f, action: $a) {
			machines isExact counted now afterUpdate skipped failing selection sentence outcomes { result text machines } } }`
		want(t, ana.get(impact, vars{"f": filter, "a": vars{"kind": "HOLD"}}), "machines", 3, "isExact", true, "counted", 3, "now", 3, "afterUpdate", 0,
			"selection", "group prod of agent", "sentence", "reaches 3 machines: 3 are held at once", "outcomes.0.result", "DONE", "outcomes.0.text", "are held at once")
		r := ana.ask(impact, vars{"f": filter, "a": vars{"kind": "MOVE", "groupId": s.app}})
		if len(r.Errors) != 1 || r.Errors[0].Extensions.Code != "NOT_FOUND" || r.Errors[0].Extensions.Field != "action.groupId" {
			t.Errorf("unknown group: %s %+v", r.Data, r.Errors)
		}

		in := vars{"filter": filter, "action": vars{"kind": "HOLD"}, "reason": "rack 7", "expectedCount": 3, "requestId": "r"}
		got := ana.get(startJobDocument, vars{"in": in})
		want(t, got, "userErrors", []any{}, "job.action", "HOLD", "job.state", "RUNNING", "job.machines", 3, "job.pending", 3, "job.createdBy", "ana", "job.reason", "rack 7")
		id := at(t, got, "job.id")
		want(t, ana.get(startJobDocument, vars{"in": in}), "job.id", id)
		in["requestId"], in["expectedCount"] = "", 2
		want(t, ana.get(startJobDocument, vars{"in": in}), "job", nil, "userErrors.0.code", "CONFLICT", "userErrors.0.field", "expectedCount")

		w := ana.dial()
		w.subscribe("1", `subscription($id: ID!) { machineJobChanged(id: $id) { snapshot job { state done pending } } }`, vars{"id": id})
		want(t, w.next(), "snapshot", true, "job.state", "RUNNING", "job.pending", 3)
		s.must(s.WorkJobs(s.ctx))
		want(t, w.until("job.state", "FINISHED"), "snapshot", false, "job.done", 3, "job.pending", 0)

		page := ana.get(jobItemsDocument, vars{"id": id})
		want(t, page, "done", 3, "items.nodes.0.machineId", "m0", "items.nodes.0.result", "DONE", "items.nodes.0.detail", "held", "items.nodes.0.instance.version", "2.0.0",
			"items.nodes.0.instanceId", s.instance("m0").String(), "items.pageInfo.hasNextPage", true)
		page = ana.get(jobItemsDocument, vars{"id": id, "after": at(t, page, "items.pageInfo.endCursor")})
		want(t, page, "items.nodes.0.machineId", "m2", "items.pageInfo.hasNextPage", false)
		want(t, ana.get(jobItemsDocument, vars{"id": id, "r": "FAILED"}), "items.nodes", []any{})
		r = ana.ask(jobItemsDocument, vars{"id": id, "after": "x"})
		if len(r.Errors) != 1 || r.Errors[0].Extensions.Code != "INVALID" {
			t.Errorf("bad cursor: %s %+v", r.Data, r.Errors)
		}

		for _, document := range []string{
			`mutation($id: ID!) { stopMachineJob(input: {id: $id}) { job { state } userErrors { code } } }`,
			`mutation($id: ID!) { retryMachineJob(input: {id: $id, instanceIds: []}) { job { state } userErrors { code } } }`,
		} {
			want(t, ana.get(document, vars{"id": id}), "job.state", "FINISHED", "userErrors", []any{})
			want(t, ana.get(document, vars{"id": s.app}), "job", nil, "userErrors.0.code", "NOT_FOUND")
		}
		want(t, ana.get(`{ machineJobs(first: 5) { totalCount nodes { id } } }`, nil), "totalCount", 1, "nodes.0.id", id)
		want(t, ana.get(`query($id: ID!) { audits(filter: {objectId: $id}) { nodes { action objectType after } } }`, vars{"id": id}),
			"nodes.0.action", "startMachineJob", "nodes.0.objectType", "machineJob",
			"nodes.0.after", `{"action":"HOLD","selection":"group prod of agent","machines":3}`)
	})
}

func TestInstanceByMachineID(t *testing.T) {
	s := oneSite(t)
	s.check("m1", "2.0.0")
	const document = `query($a: ID!, $m: String!) { i: instanceByMachineId(applicationId: $a, machineId: $m) { id machineId group { name } } }`
	want(t, s.ana(t).get(document, vars{"a": s.app, "m": "m1"}), "id", s.instance("m1").String(), "machineId", "m1", "group.name", "prod")
	for _, v := range []vars{{"a": s.app, "m": "M1"}, {"a": s.group, "m": "m1"}} {
		if r := s.ana(t).ask(document, v); string(r.Data) != `{"i":null}` || len(r.Errors) > 0 {
			t.Errorf("%v: %s %+v", v, r.Data, r.Errors)
		}
	}
}

// Chosen rows combine with every other condition of the list.
func TestInstancesByID(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		for i := range 4 {
			s.check(fmt.Sprint("m", i), "2.0.0")
		}
		chosen := []any{s.instance("m2"), s.instance("m1"), s.app}
		for _, f := range []vars{{"ids": chosen}, {"ids": chosen, "groupId": s.group}, {"ids": chosen, "countedAs": []any{"ON_TARGET"}}} {
			got := s.ana(t).walk(f, nil, 1)
			if fmt.Sprint(got) != "[m1 m2]" {
				t.Errorf("%v: %v", f, got)
			}
		}
		many := make([]any, 1001)
		for i := range many {
			many[i] = s.app
		}
		r := s.ana(t).ask(instancesDocument, vars{"f": vars{"ids": many}, "n": 1})
		if len(r.Errors) != 1 || r.Errors[0].Extensions.Code != "INVALID" || r.Errors[0].Extensions.Field != "filter.ids" {
			t.Errorf("1001 ids: %+v", r.Errors)
		}
	})
}
