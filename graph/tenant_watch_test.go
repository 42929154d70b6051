package graph_test

import (
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/coreroller/coreroller/auth"
	"github.com/coreroller/coreroller/fleet"
	"github.com/coreroller/coreroller/fleet/account"
	"github.com/coreroller/coreroller/fleet/checkin"
	"github.com/coreroller/coreroller/fleet/job"
	"github.com/coreroller/coreroller/fleet/view/machines"
)

// first returns the first message of a subscription, without ids and times.
func (c *caller) first(document string, v vars) string {
	c.t.Helper()
	w := c.dial()
	w.subscribe("1", document, v)
	m := w.read()
	return m.Type + " " + times.ReplaceAllString(anyID.ReplaceAllString(string(m.Payload), "ID"), "TIME")
}

// Every subscription answers a user of another team about what exists in the same way as
// about what does not.
func TestOtherTeamsDoNotExistInSubscriptions(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		n := newTenants(t, s)
		eve, ana := n.as(t, "eve"), n.as(t, "ana")
		all, apart := schema(), 0
		for _, f := range all.Subscription.Fields {
			ask := func(c *caller, id func(argument string) string) (string, bool) {
				document, values := n.call(all, all.Subscription, f, id, 2)
				return c.first(document, values), len(values) > 0
			}
			real := func(argument string) string { return n.real(f.Name, argument).String() }
			missing := func(string) string { return uuid.NewString() }
			exists, hasID := ask(eve, real)
			if not, _ := ask(eve, missing); exists != not {
				t.Errorf("%s of what exists: %s\nof what does not: %s", f.Name, exists, not)
			}
			if !hasID {
				continue
			}
			exists, _ = ask(ana, real)
			if not, _ := ask(ana, missing); exists != not {
				apart++
			}
		}
		if apart < 5 {
			t.Errorf("only %d subscriptions distinguish for an owner what exists", apart)
		}
	})
}

// Changes of one team send no message to users of another.
func TestOtherTeamsSendNoMessages(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		n := newTenants(t, s)
		own, err := s.CreateApplication(s.ctx, fleet.CreateApplication{Name: "own", TeamID: n.other})
		ownID := must(s, own, err).ID
		group, err := s.CreateGroup(s.ctx, fleet.CreateGroup{ApplicationID: ownID, Name: "own group"})
		ownGroup := must(s, group, err).ID
		const (
			activity = `subscription { activityAdded { snapshot activities { kind applicationName } } }`
			fleetDoc = `subscription { fleetChanged { snapshot fleet { total } applications { name groups { name state } } } }`
		)
		eve, ana := n.as(t, "eve"), n.as(t, "ana")
		watch := func(c *caller, document string) *watcher {
			w := c.dial()
			w.subscribe("1", document, nil)
			want(t, w.next(), "snapshot", true)
			return w
		}
		hers := [2]*watcher{watch(eve, activity), watch(eve, fleetDoc)}
		theirs := [2]*watcher{watch(ana, activity), watch(ana, fleetDoc)}

		s.check("machine-2", "1.0.0")
		s.must(second(s.PauseUpdates(s.ctx, fleet.PauseUpdates{GroupID: n.group})))
		for paused := false; !paused; { // the messages about it were sent
			text := marshal(t, theirs[0].next())
			paused = strings.Contains(text, "PAUSED")
		}
		for paused := false; !paused; {
			text := marshal(t, theirs[1].next())
			paused = strings.Contains(text, `"PAUSED"`)
		}
		s.must(second(s.UpdateGroup(s.ctx, fleet.UpdateGroup{ID: ownGroup, Name: new("renamed")})))
		want(t, hers[1].next(), "fleet.total", 0, "applications.0.name", "own", "applications.0.groups.0.name", "renamed")
		s.must(second(s.PauseUpdates(s.ctx, fleet.PauseUpdates{GroupID: ownGroup})))
		want(t, hers[0].next(), "activities.0.applicationName", "own", "activities.0.kind", "PAUSED")
	})
}

// A user with a role on one group reads it, its channel and its package, but no other
// group of the application, and controls it but decides nothing for the application.
func TestUserOfOneGroup(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		n := newTenants(t, s)
		group, err := s.CreateGroup(s.ctx, fleet.CreateGroup{ApplicationID: n.app, Name: "test", ChannelID: &n.channel})
		other := must(s, group, err).ID
		s.must(second(s.Machines.CheckIn(t.Context(), checkin.CheckIn{AppID: n.app.String(), Track: "test", Machine: "machine-9", Version: "1.0.0", UpdateCheck: true})))
		gina := n.as(t, "gina")
		const application = `query($id: ID!) { application(id: $id) {
			permissions numbers { total } groups { id permissions } channels { id package { id } } packages { nodes { id } } } }`
		app := gina.get(application, vars{"id": n.app})
		want(t, app, "numbers.total", 1, "permissions", []string{}, "channels.0.id", n.channel, "channels.0.package.id", n.pkg,
			"packages.nodes.0.id", n.pkg, "groups.0.id", n.group)
		if groups := at(t, app, "groups").([]any); len(groups) != 1 {
			t.Errorf("%d groups", len(groups))
		}
		if all := marshal(t, at(t, app, "groups.0.permissions")); !strings.Contains(all, `"pauseUpdates"`) || strings.Contains(all, `"promotePackage"`) {
			t.Errorf("permissions on the group: %s", all)
		}
		want(t, n.as(t, "ana").get(application, vars{"id": n.app}), "numbers.total", 2)
		for id, there := range map[uuid.UUID]bool{n.group: true, other: false} {
			r := gina.ask(`query($id: ID!) { group(id: $id) { id } }`, vars{"id": id})
			if found := strings.Contains(string(r.Data), id.String()); found != there {
				t.Errorf("group %s: %s", id, r.Data)
			}
		}
		const pause = `mutation($id: ID!) { pauseUpdates(input: {groupId: $id}) { group { state } userErrors { code } } }`
		want(t, gina.get(pause, vars{"id": n.group}), "group.state", "PAUSED", "userErrors", []any{})
		want(t, gina.get(pause, vars{"id": other}), "group", nil, "userErrors.0.code", "NOT_FOUND")
		const promote = `mutation($id: ID!) { promotePackage(input: {channelId: $id, packageId: null}) { channel { id } userErrors { code } } }`
		want(t, gina.get(promote, vars{"id": n.channel}), "channel", nil, "userErrors.0.code", "FORBIDDEN")
	})
}

// The package of another team does not exist below the own application either.
func TestPackagesOfOtherTeamsDoNotExist(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		n := newTenants(t, s)
		app, err := s.CreateApplication(s.ctx, fleet.CreateApplication{Name: "own", TeamID: n.other})
		channel, err := s.CreateChannel(s.ctx, fleet.CreateChannel{ApplicationID: must(s, app, err).ID, Name: "own"})
		own := must(s, channel, err).ID
		all, verbs := schema(), 0
		for _, f := range all.Mutation.Fields {
			in := f.Arguments.ForName("input")
			if in == nil || !has(all, in.Type, "channelId") || !has(all, in.Type, "packageId") && f.Name != "rollBack" {
				continue
			}
			verbs++
			ask := func(pkg string) string {
				document, values := n.call(all, all.Mutation, f, func(argument string) string {
					if argument == "channelId" {
						return own.String()
					}
					return pkg
				}, 2)
				r := n.as(t, "eve").ask(document, values)
				return times.ReplaceAllString(anyID.ReplaceAllString(string(r.Data)+marshal(t, r.Errors), "ID"), "TIME")
			}
			if exists, not := ask(n.pkg.String()), ask(uuid.NewString()); exists != not {
				t.Errorf("%s of what exists: %s\nof what does not: %s", f.Name, exists, not)
			}
		}
		if verbs < 4 {
			t.Errorf("only %d verbs have a channel and a package", verbs)
		}
	})
}

func has(all *ast.Schema, t *ast.Type, field string) bool {
	return all.Types[t.Name()].Fields.ForName(field) != nil
}

// The permissions on a job are those on all that it concerns, and a job that forgets
// machines is not for those who may not forget them.
func TestPermissionsOnAJob(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		n := newTenants(t, s)
		start := func(f machines.Filter, o job.Order) uuid.UUID {
			t.Helper()
			row, err := s.StartMachineJob(s.ctx, fleet.StartMachineJob{Filter: f, Action: o})
			return must(s, row, err).ID
		}
		group, err := s.CreateGroup(s.ctx, fleet.CreateGroup{ApplicationID: n.app, Name: "test", ChannelID: &n.channel})
		to := must(s, group, err).ID
		app := machines.Filter{Application: &n.app}
		ofApp := start(app, job.Order{Action: job.Release})
		ofAll := start(machines.Filter{}, job.Order{Action: job.Release})
		moves := start(machines.Filter{Group: &n.group}, job.Order{Action: job.Move, GroupID: &to})
		forgets := start(app, job.Order{Action: job.Forget})
		both, err := s.Accounts.CreateUser(s.ctx, account.CreateUser{Username: "vera", Password: password, TeamID: n.other, Grants: []auth.Grant{
			{Role: auth.Viewer, Application: n.app}, {Role: auth.Operator, Group: n.group},
		}})
		must(s, both, err)
		for _, c := range []struct {
			user     string
			job      uuid.UUID
			controls bool
		}{
			{"ana", n.jobID, true}, {"ana", ofAll, true}, {"ana", forgets, true},
			{"theo", n.jobID, true}, {"theo", ofApp, true}, {"theo", moves, true}, {"theo", forgets, false},
			{"gina", n.jobID, true}, {"gina", moves, false},
			{"vera", n.jobID, true}, {"vera", ofApp, false}, {"vera", moves, false},
		} {
			row := n.as(t, c.user).get(`query($id: ID!) { machineJob(id: $id) { permissions } }`, vars{"id": c.job})
			all := marshal(t, at(t, row, "permissions").([]any))
			for _, verb := range []string{`"stopMachineJob"`, `"retryMachineJob"`} {
				if strings.Contains(all, verb) != c.controls {
					t.Errorf("%s on %s: %s", c.user, c.job, all)
				}
			}
			stopped := n.as(t, c.user).get(`mutation($id: ID!) { stopMachineJob(input: {id: $id}) { userErrors { code } } }`, vars{"id": c.job})
			if allowed := len(at(t, stopped, "userErrors").([]any)) == 0; allowed != c.controls {
				t.Errorf("%s stops %s: %v", c.user, c.job, stopped)
			}
		}
	})
}
