package graph_test

import "testing"

func TestAttributesAndTags(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		s.on("ami", "m1", "2.0.0")
		s.check("m2", "2.0.0")
		ana := s.ana(t)
		const label = `mutation($in: LabelInstanceInput!) { labelInstance(input: $in) { userErrors { code field }
			instance { attributes { name value source setBy setAt } tags { name setBy setAt } } } }`
		w := ana.dial() // as the page of the machine
		w.subscribe("1", `subscription($id: ID!) { instanceChanged(id: $id) { snapshot instance { tags { name } } } }`, vars{"id": s.instance("m1")})
		want(t, w.next(), "snapshot", true, "instance.tags", []any{})
		got := ana.get(label, vars{"in": vars{"id": s.instance("m1"), "labels": vars{
			"setAttributes": []any{vars{"name": "rack", "value": "3"}}, "addTags": []any{"canary"}}}})
		want(t, got, "userErrors", []any{}, "instance.tags.0.name", "canary", "instance.tags.0.setBy", "ana",
			"instance.attributes.0.name", "arch", "instance.attributes.0.source", "MACHINE", "instance.attributes.0.setAt", nil,
			"instance.attributes.1.name", "oem", "instance.attributes.1.value", "ami",
			"instance.attributes.2.name", "rack", "instance.attributes.2.value", "3", "instance.attributes.2.source", "USER", "instance.attributes.2.setBy", "ana")
		want(t, w.next(), "snapshot", false, "instance.tags.0.name", "canary")
		got = ana.get(label, vars{"in": vars{"id": s.instance("m1"), "labels": vars{"addTags": []any{"Canary"}}}})
		want(t, got, "instance", nil, "userErrors.0.code", "INVALID", "userErrors.0.field", "labels.addTags[0]")

		const list = `query($f: InstanceFilter) { instances(filter: $f) { nodes { machineId tags { name } } totalCount totalCountIsExact } }`
		rack := func(value string) []any { return []any{vars{"name": "rack", "value": value}} }
		for _, c := range []struct {
			filter vars
			n      int
		}{
			{vars{"tags": []any{"canary"}}, 1},
			{vars{"groupId": s.group, "attributes": rack("3"), "tags": []any{"canary"}}, 1},
			{vars{"attributes": rack("4")}, 0},
			{vars{"attributes": rack("3"), "oem": "ami", "states": []any{"COMPLETE", "NONE"}}, 1},
			{vars{"tags": []any{"canary"}, "search": "m2"}, 0},
			{vars{"tags": []any{"canary"}, "search": "m1"}, 1},
		} {
			got := ana.get(list, vars{"f": c.filter})
			want(t, got, "totalCount", c.n, "totalCountIsExact", true)
			if c.n > 0 {
				want(t, got, "nodes.0.machineId", "m1", "nodes.0.tags.0.name", "canary")
			}
		}
		r := ana.ask(list, vars{"f": vars{"attributes": []any{vars{"name": "oem", "value": "ami"}}}})
		if len(r.Errors) != 1 || r.Errors[0].Extensions.Code != "INVALID" {
			t.Errorf("filter by what machines send: %s %+v", r.Data, r.Errors)
		}

		got = ana.get(startJobDocument, vars{"in": vars{"filter": vars{"tags": []any{"canary"}}, "action": vars{"kind": "LABEL", "labels": vars{"removeTags": []any{"canary"}}}}})
		want(t, got, "userErrors", []any{}, "job.machines", 1, "job.selection", "tag canary")
		id := at(t, got, "job.id")
		s.must(s.WorkJobs(s.ctx))
		want(t, ana.get(`query($id: ID!) { machineJob(id: $id) { labels done action } }`, vars{"id": id}), "labels", "no tag canary", "done", 1, "action", "LABEL")
		want(t, ana.get(list, vars{"f": vars{"tags": []any{"canary"}}}), "totalCount", 0)
	})
}
