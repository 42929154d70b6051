package graph_test

import (
	"maps"
	"strings"
	"testing"

	"github.com/google/uuid"
)

// An input above its maximum is refused with its field, not cut.
func TestInputAboveItsMaximumIsRefused(t *testing.T) {
	s := oneSite(t)
	s.check("m", "1.0.0")
	long := func(most int) string { return strings.Repeat("a", most+1) }
	ids := make([]uuid.UUID, 1001)
	for i := range ids {
		ids[i] = uuid.New()
	}
	many := func(one any, most int) []any {
		all := make([]any, most+1)
		for i := range all {
			all[i] = one
		}
		return all
	}
	aliases := make([]string, 51)
	for i := range aliases {
		aliases[i] = uuid.NewString()
	}
	files := many(nil, 100)
	for i := range files {
		files[i] = vars{"name": uuid.NewString()}
	}
	of := func(extra vars) vars {
		in := vars{"applicationId": s.app, "type": "OTHER", "version": "9.0.0", "url": "https://example.com/"}
		maps.Copy(in, extra)
		return in
	}
	job := at(t, s.ana(t).get(mutate("startMachineJob", "job { id }"), vars{"in": vars{"filter": vars{"groupId": s.group}, "action": vars{"kind": "ENROLL"}}}), "job.id")
	machine, reason := s.instance("m"), long(1000)
	for _, c := range []struct {
		verb, field string
		in          vars
	}{
		{"createApplication", "name", vars{"name": long(200)}},
		{"createApplication", "description", vars{"name": "x", "description": long(10_000)}},
		{"updateApplication", "name", vars{"id": s.app, "name": long(200)}},
		{"updateApplication", "description", vars{"id": s.app, "description": long(10_000)}},
		{"createPackage", "version", of(vars{"version": "1.0.0-" + long(58)})},
		{"createPackage", "url", of(vars{"url": "https://example.com/" + long(1980)})},
		{"createPackage", "filename", of(vars{"filename": long(255)})},
		{"createPackage", "description", of(vars{"description": long(10_000)})},
		{"createPackage", "files", of(vars{"files": files})},
		{"updatePackage", "description", vars{"id": s.pkg, "description": long(10_000)}},
		{"createChannel", "name", vars{"applicationId": s.app, "name": long(200)}},
		{"updateChannel", "name", vars{"id": s.channel, "name": long(200)}},
		{"createGroup", "name", vars{"applicationId": s.app, "name": long(200)}},
		{"createGroup", "track", vars{"applicationId": s.app, "name": "x", "track": long(256)}},
		{"createGroup", "description", vars{"applicationId": s.app, "name": "x", "description": long(10_000)}},
		{"updateGroup", "name", vars{"id": s.group, "name": long(200)}},
		{"updateGroup", "track", vars{"id": s.group, "track": long(256)}},
		{"updateGroup", "description", vars{"id": s.group, "description": long(10_000)}},
		{"updateGroup", "aliases", vars{"id": s.group, "aliases": aliases}},
		{"setInstanceAlias", "alias", vars{"id": machine, "alias": long(200)}},
		{"enrollInstances", "machineIds", vars{"applicationId": s.app, "machineIds": many("x", 1000)}},
		{"startMachineJob", "requestId", vars{"filter": vars{"groupId": s.group}, "action": vars{"kind": "HOLD"}, "requestId": long(200)}},
		{"startMachineJob", "filter.ids", vars{"filter": vars{"ids": ids}, "action": vars{"kind": "HOLD"}}},
		{"startMachineJob", "reason", vars{"filter": vars{"groupId": s.group}, "action": vars{"kind": "HOLD"}, "reason": reason}},
		{"stopMachineJob", "reason", vars{"id": job, "reason": reason}},
		{"retryMachineJob", "reason", vars{"id": job, "reason": reason}},
		{"retryMachineJob", "instanceIds", vars{"id": job, "instanceIds": ids}},
		{"promotePackage", "reason", vars{"channelId": s.channel, "packageId": s.pkg, "reason": reason}},
		{"rollBack", "reason", vars{"channelId": s.channel, "toPackageId": s.pkg, "reason": reason}},
		{"blacklistPackage", "reason", vars{"channelId": s.channel, "packageId": s.pkg, "reason": reason}},
		{"pauseUpdates", "reason", vars{"groupId": s.group, "reason": reason}},
		{"resumeUpdates", "reason", vars{"groupId": s.group, "reason": reason}},
		{"haltRollout", "reason", vars{"groupId": s.group, "reason": reason}},
		{"advanceWave", "reason", vars{"groupId": s.group, "reason": reason}},
		{"updatePolicy", "reason", vars{"groupId": s.group, "policy": vars{"safeMode": true}, "reason": reason}},
		{"holdInstance", "reason", vars{"id": machine, "reason": reason}},
		{"pinInstance", "reason", vars{"id": machine, "version": "1.0.0", "reason": reason}},
		{"releaseInstance", "reason", vars{"id": machine, "reason": reason}},
	} {
		got := s.ana(t).get(mutate(c.verb, ""), vars{"in": c.in})
		if errors, _ := got["userErrors"].([]any); len(errors) != 1 || at(t, errors[0], "code") != "INVALID" || at(t, errors[0], "field") != c.field {
			t.Errorf("%s with a %s above the maximum: %v", c.verb, c.field, errors)
		}
	}
	for _, c := range []struct {
		document, field string
		in              vars
	}{
		{`query($in: Int) { instances(first: $in) { nodes { id } } }`, "first", vars{"in": 501}},
		{`query($in: Int) { activities(first: $in) { nodes { id } } }`, "first", vars{"in": 501}},
		{`query($in: Int) { audits(first: $in) { nodes { id } } }`, "first", vars{"in": 501}},
		{`query($in: Int) { machineJobs(first: $in) { nodes { id } } }`, "first", vars{"in": 501}},
		{`query($in: [ID!]) { instances(filter: {ids: $in}) { nodes { id } } }`, "filter.ids", vars{"in": ids}},
		{`query($in: [String!]) { instances(filter: {versions: $in}) { nodes { id } } }`, "filter.versions", vars{"in": many("1.0.0", 1000)}},
		{`query($in: [InstanceState!]) { instances(filter: {states: $in}) { totalCount } }`, "filter.states", vars{"in": many("ON_HOLD", 1000)}},
		{`query($in: [ID!]) { machineJobImpact(filter: {ids: $in}, action: {kind: HOLD}) { sentence } }`, "filter.ids", vars{"in": ids}},
	} {
		r := s.ana(t).ask(c.document, c.in)
		if len(r.Errors) != 1 || r.Errors[0].Extensions.Code != "INVALID" || r.Errors[0].Extensions.Field != c.field {
			t.Errorf("%s: %s %+v", c.document, r.Data, r.Errors)
		}
	}
}
