package graph_test

import (
	"strings"
	"testing"
)

// mutate returns a document with one mutation that selects userErrors.
func mutate(verb, more string) string {
	input := strings.ToUpper(verb[:1]) + verb[1:] + "Input!"
	return "mutation($in: " + input + ") { " + verb + "(input: $in) { " + more + " userErrors { code field message } } }"
}

func TestBadInputNamesItsField(t *testing.T) {
	s := oneSite(t)
	s.check("m", "1.0.0")
	nothing := "00000000-0000-7000-8000-000000000000"
	cases := []struct {
		verb        string
		in          vars
		code, field string
	}{
		{"createApplication", vars{"name": ""}, "INVALID", "name"},
		{"createApplication", vars{"name": "agent"}, "CONFLICT", "name"},
		{"createApplication", vars{"name": "x", "productId": "no dots"}, "INVALID", "productId"},
		{"createApplication", vars{"name": "x", "cloneFrom": nothing}, "NOT_FOUND", "cloneFrom"},
		{"updateApplication", vars{"id": nothing, "name": "x"}, "NOT_FOUND", "id"},
		{"updateApplication", vars{"id": s.app, "versioning": "NUMERIC"}, "CONFLICT", "versioning"},
		{"deleteApplication", vars{"id": nothing}, "NOT_FOUND", "id"},
		{"createPackage", vars{"applicationId": s.app, "type": "OTHER", "version": "1.2", "url": "https://example.com/"}, "INVALID", "version"},
		{"createPackage", vars{"applicationId": s.app, "type": "OTHER", "version": "1.2.3", "url": "no url"}, "INVALID", "url"},
		{"createPackage", vars{"applicationId": s.app, "type": "OTHER", "version": "2.0.0", "url": "https://example.com/"}, "CONFLICT", "version"},
		{"updatePackage", vars{"id": s.pkg, "sha256": "zz"}, "INVALID", "sha256"},
		{"deletePackage", vars{"id": nothing}, "NOT_FOUND", "id"},
		{"createChannel", vars{"applicationId": s.app, "name": "x", "color": "red"}, "INVALID", "color"},
		{"updateChannel", vars{"id": s.channel, "name": ""}, "INVALID", "name"},
		{"promotePackage", vars{"channelId": nothing, "packageId": s.pkg}, "NOT_FOUND", "channelId"},
		{"promotePackage", vars{"channelId": s.channel, "packageId": nothing}, "NOT_FOUND", "packageId"},
		{"promotePackage", vars{"channelId": s.channel, "packageId": nil, "expectedPackageId": nothing}, "CONFLICT", "expectedPackageId"},
		{"blacklistPackage", vars{"channelId": s.channel, "packageId": s.pkg}, "CONFLICT", "packageId"},
		{"createGroup", vars{"applicationId": s.app, "name": "prod"}, "CONFLICT", "name"},
		{"createGroup", vars{"applicationId": s.app, "name": "x", "policy": vars{"maxUpdatesPerPeriod": 0}}, "INVALID", "policy.maxUpdatesPerPeriod"},
		{"updateGroup", vars{"id": s.group, "name": "y", "expectedRevision": 99}, "CONFLICT", "expectedRevision"},
		{"updatePolicy", vars{"groupId": s.group, "policy": vars{"timezone": "Mars/Base"}}, "INVALID", "policy.timezone"},
		{"updatePolicy", vars{"groupId": nothing, "policy": vars{"safeMode": true}}, "NOT_FOUND", "groupId"},
		{"updatePolicy", vars{"groupId": s.group, "policy": vars{"safeMode": true}, "expectedRevision": 99}, "CONFLICT", "expectedRevision"},
		{"pauseUpdates", vars{"groupId": nothing}, "NOT_FOUND", "groupId"},
		{"advanceWave", vars{"groupId": s.group}, "CONFLICT", "groupId"},
		{"holdInstance", vars{"id": nothing}, "NOT_FOUND", "id"},
		{"pinInstance", vars{"id": s.instance("m"), "version": "one"}, "INVALID", "version"},
		{"createUser", vars{"username": "x", "password": "short", "role": "VIEWER"}, "INVALID", "password"},
	}
	for _, c := range cases {
		got := s.ana(t).get(mutate(c.verb, ""), vars{"in": c.in})
		errors := got["userErrors"].([]any)
		if len(errors) == 0 {
			t.Errorf("%s %v: accepted", c.verb, c.in)
			continue
		}
		want(t, errors[0], "code", c.code, "field", c.field)
		if message := at(t, errors[0], "message").(string); message == "" {
			t.Errorf("%s %v: no message", c.verb, c.in)
		}
	}
}

// Values that a scalar cannot parse fail before the mutation runs, with code and
// field.
func TestUnreadableScalarsNameTheirField(t *testing.T) {
	s := oneSite(t)
	for _, c := range []struct {
		verb  string
		in    vars
		field string
	}{
		{"pauseUpdates", vars{"groupId": "abc"}, "groupId"},
		{"updatePolicy", vars{"groupId": s.group, "policy": vars{"periodInterval": "abc"}}, "policy.periodInterval"},
		{"updatePolicy", vars{"groupId": s.group, "policy": vars{"windows": []any{vars{"days": []any{"MONDAY"}, "start": "25:00", "end": "1:00"}}}}, "policy.windows[0].start"},
		{"holdInstance", vars{"id": s.group, "until": "tomorrow"}, "until"},
		{"updatePackage", vars{"id": s.pkg, "size": "big"}, "size"},
	} {
		r := s.ana(t).ask(mutate(c.verb, ""), vars{"in": c.in})
		if len(r.Errors) != 1 || r.Errors[0].Extensions.Code != "INVALID" || r.Errors[0].Extensions.Field != c.field {
			t.Errorf("%s %v: %s %+v", c.verb, c.in, r.Data, r.Errors)
		}
	}
	r := s.ana(t).ask(`{ instances(after: "nonsense") { nodes { id } } }`, nil)
	if len(r.Errors) != 1 || r.Errors[0].Extensions.Code != "INVALID" || r.Errors[0].Extensions.Field != "after" {
		t.Errorf("cursor: %s %+v", r.Data, r.Errors)
	}
}

// Runs all mutations of an operator through the API, one after the other.
func TestMutationsOfAnOperator(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		ana := s.ana(t)
		do := func(verb, more string, in vars, pairs ...any) map[string]any {
			t.Helper()
			got := ana.get(mutate(verb, more), vars{"in": in})
			want(t, got, append([]any{"userErrors", []any{}}, pairs...)...)
			return got
		}
		app := do("createApplication", "application { id name productId }", vars{"name": "edge", "productId": "com.example.edge", "cloneFrom": s.app},
			"application.productId", "com.example.edge")
		id := at(t, app, "application.id")
		cloned := ana.get(`query($id: ID!) { application(id: $id) { groups { name } channels { name package { id } } packages { totalCount } } }`, vars{"id": id})
		want(t, cloned, "groups.0.name", "prod", "channels.0.name", "stable", "channels.0.package", nil, "packages.totalCount", 0)

		pkg := do("createPackage", "package { id version type size files { name } action { sha256 } }", vars{
			"applicationId": id, "type": "OPERATING_SYSTEM", "version": "4152.1.1", "url": "https://example.com/", "filename": "update.gz",
			"size": 3_000_000_000, "sha256": strings.Repeat("ab", 32), "files": []any{vars{"name": "extra.raw"}},
		}, "package.size", 3_000_000_000, "package.type", "OPERATING_SYSTEM", "package.files.0.name", "extra.raw")
		pkgID := at(t, pkg, "package.id")
		do("updatePackage", "package { description files { name } }", vars{"id": pkgID, "description": "new", "files": []any{}}, "package.description", "new", "package.files", []any{})
		ch := do("createChannel", "channel { id color arch }", vars{"applicationId": id, "name": "beta", "color": "#fc7f33"}, "channel.arch", "amd64")
		channel := at(t, ch, "channel.id")
		do("promotePackage", "channel { package { version } promotedBy }", vars{"channelId": channel, "packageId": pkgID, "reason": "go"},
			"channel.package.version", "4152.1.1", "channel.promotedBy", "ana")

		gr := do("createGroup", "group { id revision track policy { maxConcurrentUpdates periodInterval waves { share } } }", vars{
			"applicationId": id, "name": "canaries", "channelId": channel,
			"policy": vars{"maxUpdatesPerPeriod": 7, "periodInterval": "15 minutes", "waves": []any{vars{"share": 0.1, "soak": "2 h", "approval": true}, vars{"share": 1}}},
		}, "group.track", "canaries", "group.policy.maxConcurrentUpdates", 7, "group.policy.periodInterval", "PT15M", "group.policy.waves.1.share", 1)
		group := at(t, gr, "group.id")
		do("updatePolicy", "group { policy { maxUpdatesPerPeriod safeMode pollInterval waves { soak } windows { days start end } } }", vars{
			"groupId": group, "expectedRevision": at(t, gr, "group.revision"), "reason": "calm",
			"policy": vars{"safeMode": false, "pollInterval": "30m", "windows": []any{vars{"days": []any{"MONDAY"}, "start": "22:00", "end": "06:00"}}},
		}, "group.policy.maxUpdatesPerPeriod", 7, "group.policy.safeMode", false, "group.policy.pollInterval", "PT30M",
			"group.policy.waves.0.soak", "PT2H", "group.policy.windows.0.start", "22:00")
		do("updatePolicy", "group { policy { pollInterval windows { start } } }", vars{"groupId": group, "policy": vars{"pollInterval": nil, "windows": []any{}}},
			"group.policy.pollInterval", nil, "group.policy.windows", []any{})

		do("pauseUpdates", "group { state pause { by reason } }", vars{"groupId": group, "reason": "mirror overloaded"},
			"group.state", "PAUSED", "group.pause.by", "ana", "group.pause.reason", "mirror overloaded")
		do("resumeUpdates", "group { state pause { by } }", vars{"groupId": group, "reason": "back"}, "group.state", "ROLLING_OUT", "group.pause", nil)
		do("advanceWave", "group { rollout { currentWave waves { state gate { satisfied } } } }", vars{"groupId": group, "reason": "looks good"},
			"group.rollout.currentWave", 2, "group.rollout.waves.0.state", "DONE", "group.rollout.waves.1.state", "CURRENT", "group.rollout.waves.1.gate", nil)
		do("haltRollout", "group { state rollout { state halt { rule by reason sentence failure { code } } } }", vars{"groupId": group, "reason": "smoke"},
			"group.state", "HALTED", "group.rollout.halt.rule", "PERSON", "group.rollout.halt.by", "ana", "group.rollout.halt.reason", "smoke", "group.rollout.halt.failure", nil)
		do("updateGroup", "group { name channel { id } state }", vars{"id": group, "name": "early", "channelId": nil},
			"group.name", "early", "group.channel", nil, "group.state", "NO_PACKAGE")
		do("updateGroup", "group { name channel { id } }", vars{"id": group, "description": "kept"}, "group.channel", nil)
		do("updateGroup", "group { channel { id } }", vars{"id": group, "channelId": channel}, "group.channel.id", channel)

		other := do("createPackage", "package { id }", vars{"applicationId": id, "type": "OTHER", "version": "1.0.0", "url": "https://example.com/"})
		otherID := at(t, other, "package.id")
		do("blacklistPackage", "channel { blacklistings { reason package { version } } }", vars{"channelId": channel, "packageId": otherID, "reason": "bad"},
			"channel.blacklistings.0.package.version", "1.0.0", "channel.blacklistings.0.reason", "bad")
		do("unblacklistPackage", "channel { blacklistings { id } }", vars{"channelId": channel, "packageId": otherID}, "channel.blacklistings", []any{})
		do("addFloor", "channel { floors { reason createdBy package { version } } }", vars{"channelId": channel, "packageId": otherID, "reason": "migration"},
			"channel.floors.0.createdBy", "ana")
		do("removeFloor", "channel { floors { id } }", vars{"channelId": channel, "packageId": otherID}, "channel.floors", []any{})

		impact := ana.get(`query($c: ID!) { deletionImpact(channelId: $c) { groups machines sentence } }`, vars{"c": channel})
		want(t, impact, "groups", 1, "machines", 0)
		do("deleteGroup", "deletedId", vars{"id": group}, "deletedId", group)
		do("deleteChannel", "deletedId", vars{"id": channel}, "deletedId", channel)
		do("deletePackage", "deletedId", vars{"id": pkgID}, "deletedId", pkgID)
		do("deleteApplication", "deletedId", vars{"id": id, "reason": "done"}, "deletedId", id)
		audits := ana.get(`query($id: ID!) { audits(filter: {applicationId: $id}, first: 100) { totalCount nodes { action actor credential objectType reason after } } }`, vars{"id": id})
		want(t, audits, "nodes.0.action", "deleteApplication", "nodes.0.actor", "ana", "nodes.0.credential", "basic", "nodes.0.reason", "done")
		if n := at(t, audits, "totalCount").(float64); n < 20 {
			t.Errorf("%v audits", n)
		}
	})
}
