package graph_test

import (
	"encoding/json"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/coreroller/coreroller/auth"
	"github.com/coreroller/coreroller/fleet"
	"github.com/coreroller/coreroller/fleet/account"
	"github.com/coreroller/coreroller/fleet/catalog"
	"github.com/coreroller/coreroller/fleet/job"
	"github.com/coreroller/coreroller/fleet/view"
	"github.com/coreroller/coreroller/fleet/view/machines"
	"github.com/coreroller/coreroller/remote/notify"
)

// tenants is a site whose objects belong to the default team, with users of other reach.
type tenants struct {
	*site
	other   uuid.UUID // another team
	machine uuid.UUID // of the group
	users   map[string]uuid.UUID
	jobID   uuid.UUID
	token   uuid.UUID // of the user ana
	rollout uuid.UUID
	waiting uuid.UUID // a proposal

	upstream, upstreamChannel uuid.UUID

	imported           uuid.UUID // a report
	notifier, delivery uuid.UUID
}

func newTenants(t *testing.T, s *site) *tenants {
	t.Helper()
	n := &tenants{site: s, users: map[string]uuid.UUID{}}
	s.check("machine-1", "1.0.0")
	group, err := s.View.Group(s.ctx, s.group, nil)
	s.must(err)
	current, err := s.View.CurrentRollouts(s.ctx, []uuid.UUID{group.ID})
	s.must(err)
	n.rollout = current[group.ID].ID
	n.machine = s.instance("machine-1")
	row, err := s.StartMachineJob(s.ctx, fleet.StartMachineJob{Filter: machines.Filter{Group: &s.group}, Action: job.Order{Action: job.Hold}, Reason: "a job"})
	n.jobID = must(s, row, err).ID
	token, _, err := s.Accounts.CreateToken(s.ctx, account.CreateToken{Username: "ana", Name: "a token", ExpiresAt: s.now().Add(time.Hour)})
	n.token = must(s, token, err).ID
	n.waiting = n.propose()
	up, err := s.CreateUpstream(s.ctx, fleet.CreateUpstream{ApplicationID: n.app, Name: "a mirror", Kind: view.UpstreamOmaha, URL: "https://up.example/"})
	n.upstream = must(s, up, err).ID
	follows, err := s.AddUpstreamChannel(s.ctx, fleet.AddUpstreamChannel{UpstreamID: n.upstream, ChannelID: n.channel})
	n.upstreamChannel = must(s, follows, err).ID
	n.imported = s.importReport(s.now())
	made, err := s.CreateNotifier(s.ctx, fleet.CreateNotifier{Name: "hook", Kind: notify.Webhook, URL: "http://127.0.0.1:1/"}) // it is refused
	n.notifier = must(s, made, err).Notifier.ID
	test, err := s.TestNotifier(s.ctx, n.notifier)
	n.delivery = must(s, test, err).ID
	team, err := s.Accounts.CreateTeam(s.ctx, account.CreateTeam{Name: "other"})
	n.other = must(s, team, err).ID
	for name, grants := range map[string][]auth.Grant{
		"eve":  {{Role: auth.Admin, Team: n.other}},
		"theo": {{Role: auth.Operator, Application: s.app}},
		"gina": {{Role: auth.Operator, Group: s.group}},
	} {
		user, err := s.Accounts.CreateUser(s.ctx, account.CreateUser{Username: name, Password: password, TeamID: n.other, Grants: grants})
		n.users[name] = must(s, user, err).ID
	}
	return n
}

// propose makes a proposal for a channel of its own.
func (n *tenants) propose() uuid.UUID {
	n.t.Helper()
	guard, err := n.Accounts.CreateUser(n.ctx, account.CreateUser{Username: "guard", Password: password, Role: auth.Publisher})
	n.must(err)
	channel, err := n.CreateChannel(n.ctx, fleet.CreateChannel{ApplicationID: n.app, Name: "with approvals"})
	n.must(err)
	_, err = n.UpdateChannel(n.ctx, fleet.UpdateChannel{ID: channel.ID, RequireApproval: new(true)})
	n.must(err)
	ctx := auth.With(n.t.Context(), auth.Principal{UserID: guard.ID, Name: "guard", TeamID: guard.TeamID, Role: auth.Publisher})
	row, err := n.Propose(ctx, fleet.Propose{PromotePackage: &fleet.PromotePackage{ChannelID: channel.ID, PackageID: &n.pkg, Reason: "tested"}})
	n.must(err)
	return row.ID
}

func (n *tenants) as(t testing.TB, name string) *caller {
	return &caller{site: n.site, t: t, prepare: func(r *http.Request) { r.SetBasicAuth(name, password) }}
}

// real returns the value of an argument with an id: that of an object of the default team.
func (n *tenants) real(field, argument string) uuid.UUID {
	field = strings.ToLower(field)
	if argument == "id" || argument == "ids" {
		argument = field
	}
	argument = strings.ToLower(argument)
	for _, known := range []struct {
		word string
		id   uuid.UUID
	}{
		{"import", n.imported}, {"upstreamchannel", n.upstreamChannel}, {"upstream", n.upstream}, {"notifier", n.notifier}, {"deliver", n.delivery}, {"token", n.token}, {"session", n.token}, {"job", n.jobID}, {"proposal", n.waiting}, {"propose", n.group}, {"instance", n.machine}, {"machine", n.machine}, {"rollout", n.rollout}, {"group", n.group}, {"channel", n.channel},
		{"package", n.pkg}, {"team", catalog.DefaultTeamID()}, {"user", n.userID("ana")}, {"application", n.app}, {"clonefrom", n.app}, {"object", n.group},
	} {
		if strings.Contains(argument, known.word) {
			return known.id
		}
	}
	n.t.Fatalf("no object for %s(%s)", field, argument)
	return uuid.Nil
}

func (n *tenants) userID(name string) uuid.UUID {
	row, err := n.Accounts.User(n.ctx, name)
	n.must(err)
	return row.ID
}

var anyID = regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}`)

// Every query and mutation answers a user of another team about what exists in the same
// way as about what does not, and no answer has an id of it.
func TestOtherTeamsDoNotExist(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		n := newTenants(t, s)
		eve, ana := n.as(t, "eve"), n.as(t, "ana")
		secrets := map[string]string{}
		for what, id := range map[string]uuid.UUID{
			"the application": n.app, "the channel": n.channel, "the group": n.group, "the package": n.pkg, "a machine": n.machine,
			"a rollout": n.rollout, "a job": n.jobID, "a proposal": n.waiting, "a mirror": n.upstream, "a channel of a mirror": n.upstreamChannel, "an import": n.imported, "a notifier": n.notifier, "a delivery": n.delivery, "a token": n.token, "a user": n.userID("ana"), "the team": catalog.DefaultTeamID(),
		} {
			secrets[what] = id.String()
		}
		all, apart := schema(), 0
		for _, root := range []*ast.Definition{all.Query, all.Mutation} {
			for _, f := range root.Fields {
				if strings.HasPrefix(f.Name, "__") || f.Name == "signIn" || f.Name == "signOut" || f.Name == "changePassword" {
					continue
				}
				ask := func(c *caller, id func(argument string) string) (string, bool) {
					r, values := n.deepest(c, all, root, f, id)
					text := string(r.Data) + "\n" + marshal(t, r.Errors)
					for what, id := range secrets {
						if c == eve && strings.Contains(string(r.Data), id) {
							t.Errorf("%s shows %s: %s", f.Name, what, text)
						}
					}
					return times.ReplaceAllString(anyID.ReplaceAllString(text, "ID"), "TIME"), len(values) > 0
				}
				exists, hasID := ask(eve, func(argument string) string { return n.real(f.Name, argument).String() })
				not, _ := ask(eve, func(string) string { return uuid.NewString() })
				if exists != not && f.Name != "serverHealth" { // its times differ
					t.Errorf("%s of what exists: %s\nof what does not: %s", f.Name, exists, not)
				}
				if hasID && root == all.Query {
					exists, _ := ask(ana, func(argument string) string { return n.real(f.Name, argument).String() })
					not, _ := ask(ana, func(string) string { return uuid.NewString() })
					if exists != not {
						apart++
					}
				}
			}
		}
		if apart < 10 {
			t.Errorf("only %d queries distinguish for an owner what exists", apart)
		}
	})
}

// A job without an application concerns the machines of the caller's team, and only the
// team sees it.
func TestJobsOnAllMachinesKeepToTheTeam(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		n := newTenants(t, s)
		s.must(second(s.Accounts.CreateUser(s.ctx, account.CreateUser{Username: "toni", Password: password, Role: auth.Operator})))
		r := n.as(t, "toni").ask(`mutation { startMachineJob(input: {filter: {}, action: {kind: RELEASE}, reason: "all"}) {
			job { id machines } userErrors { code field message } } }`, nil)
		var out struct {
			StartMachineJob struct{ Job struct{ ID string } }
		}
		if err := json.Unmarshal(r.Data, &out); err != nil || out.StartMachineJob.Job.ID == "" {
			t.Fatalf("an operator of the team: %s %+v", r.Data, r.Errors)
		}
		for name, sees := range map[string]bool{"toni": true, "ana": true, "eve": false, "theo": false, "gina": false} {
			r := n.as(t, name).ask(`query($id: ID!) { machineJob(id: $id) { id } }`, vars{"id": out.StartMachineJob.Job.ID})
			if strings.Contains(string(r.Data), out.StartMachineJob.Job.ID) != sees {
				t.Errorf("%s sees the job: %v; %s", name, !sees, r.Data)
			}
		}
		for _, name := range []string{"theo", "gina"} {
			if r := n.as(t, name).ask(`mutation { startMachineJob(input: {filter: {}, action: {kind: RELEASE}, reason: "all"}) { userErrors { code } } }`, nil); !strings.Contains(string(r.Data), `"code":"`) {
				t.Errorf("%s, who has a role on a part, runs a job on all: %s", name, r.Data)
			}
		}
	})
}

// deepest calls a root field and selects as much below it as the limits allow.
func (n *tenants) deepest(c *caller, all *ast.Schema, root *ast.Definition, f *ast.FieldDefinition, id func(string) string) (reply, vars) {
	c.t.Helper()
	for depth := 3; ; depth-- {
		document, values := n.call(all, root, f, id, depth)
		r := c.ask(document, values)
		if len(r.Errors) == 0 || len(r.Errors[0].Path) > 0 {
			return r, values
		}
		if depth == 1 || !strings.Contains(r.Errors[0].Message, "limit") {
			c.t.Fatalf("%s is not a call: %s", document, r.Errors[0].Message)
		}
	}
}

var times = regexp.MustCompile(`\d{4}-\d{2}-\d{2}T[0-9:.]+Z|req_\w+`)

func marshal(t testing.TB, v any) string {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// call returns a document that calls a root field with all ids and selects what it returns.
func (n *tenants) call(all *ast.Schema, root *ast.Definition, f *ast.FieldDefinition, id func(string) string, depth int) (string, vars) {
	values := vars{}
	var declared, passed []string
	for _, a := range f.Arguments {
		v := n.value(all, a.Name, a.Type, id)
		if v == nil {
			continue
		}
		declared = append(declared, "$"+a.Name+": "+a.Type.String())
		passed = append(passed, a.Name+": $"+a.Name)
		values[a.Name] = v
	}
	call, operation := f.Name, strings.ToLower(root.Name)
	if len(passed) > 0 {
		call += "(" + strings.Join(passed, ", ") + ")"
		operation += "(" + strings.Join(declared, ", ") + ")"
	}
	return operation + " { " + call + selectAll(all, all.Types[f.Type.Name()], depth) + " }", values
}

// value returns a value of an argument, nil for an optional one without ids.
func (n *tenants) value(all *ast.Schema, name string, t *ast.Type, id func(string) string) any {
	d := all.Types[t.Name()]
	switch {
	case t.Name() == "ID" && t.Elem != nil:
		return []any{id(name)}
	case t.Name() == "ID":
		return id(name)
	case t.Name() == "String" && name == "username":
		return map[bool]string{true: "ana", false: "not-ana"}[id("userId") == n.userID("ana").String()]
	case d.Kind == ast.InputObject && t.Elem == nil:
		out := vars{}
		for _, f := range d.Fields {
			if v := n.value(all, f.Name, f.Type, id); v != nil {
				out[f.Name] = v
			}
		}
		if len(out) == 0 && !t.NonNull {
			return nil
		}
		return out
	case t.NonNull:
		return valueOf(all, t)
	}
	return nil
}

// selectAll selects the fields of a type that need no arguments, to a depth.
func selectAll(all *ast.Schema, d *ast.Definition, depth int) string {
	if d.Kind != ast.Object {
		return ""
	}
	fields := []string{"__typename"}
	for _, f := range d.Fields {
		required := false
		for _, a := range f.Arguments {
			required = required || a.Type.NonNull && a.DefaultValue == nil
		}
		of := all.Types[f.Type.Name()]
		if required || strings.HasPrefix(f.Name, "__") || of.Kind == ast.Object && depth == 1 || f.Name == "edges" {
			continue
		}
		arguments := ""
		if f.Arguments.ForName("first") != nil {
			arguments = "(first: 1)"
		}
		fields = append(fields, f.Name+arguments+selectAll(all, of, depth-1))
	}
	return " { " + strings.Join(fields, " ") + " }"
}
