package graph_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/vektah/gqlparser/v2/ast"

	"github.com/coreroller/coreroller/fleet"
	"github.com/coreroller/coreroller/remote/notify"
)

// notStored are the text inputs that are compared and not stored or shown, and passwords.
// They may have any characters.
var notStored = []string{
	"signIn.username", "signIn.password", "changePassword.currentPassword", "changePassword.newPassword", "createUser.password",
	"setPassword.username", "setPassword.newPassword",
	"startMachineJob.filter.search", "startMachineJob.filter.oem", "startMachineJob.filter.versions[0]",
	"startMachineJob.filter.attributes[0].name", "startMachineJob.filter.attributes[0].value", "startMachineJob.filter.tags[0]",
	"forgetInstances.filter.attributes[0].name", "forgetInstances.filter.attributes[0].value", "forgetInstances.filter.tags[0]",
	"forgetInstances.filter.search", "forgetInstances.filter.oem", "forgetInstances.filter.versions[0]",
}

// texts calls f with every text below an input type: its path, as errors name it, and a
// function that sets it in a value of the input.
func texts(all *ast.Schema, t *ast.Type, path string, into func(v any) any, f func(path string, with func(text string) any)) {
	if t.Elem != nil {
		texts(all, t.Elem, path+"[0]", func(v any) any { return into([]any{v}) }, f)
		return
	}
	if t.NamedType == "String" {
		f(path, func(text string) any { return into(text) })
		return
	}
	d := all.Types[t.NamedType]
	if d.Kind != ast.InputObject {
		return
	}
	for _, field := range d.Fields {
		at := field.Name
		if path != "" {
			at = path + "." + field.Name
		}
		texts(all, field.Type, at, func(v any) any {
			object := valueOf(all, t).(vars)
			object[field.Name] = v
			return into(object)
		}, f)
	}
}

// Every text that a person can enter is refused when a part of it would be shown in
// another order, and the error names the field.
func TestEveryTextInputRefusesDeceptiveCharacters(t *testing.T) {
	s := oneSite(t)
	ana := s.ana(t)
	all := schema()
	s.check("m", "1.0.0")
	made, err := s.CreateNotifier(s.ctx, fleet.CreateNotifier{Name: "hook", Kind: notify.Webhook, URL: "https://example.com/"})
	notifier := must(s, made, err).Notifier.ID
	ids := vars{"applicationId": s.app, "channelId": s.channel, "packageId": s.pkg, "groupId": s.group}
	more := map[string]vars{ // what is missing for a call that reaches the check
		"rollBack": {"groupId": s.group}, "pinInstance": {"id": s.instance("m")}, "forgetInstances": {"filter": vars{"search": "m"}},
		"createMachineSecret": {"applicationId": s.app}, "updatePackage": {"id": s.pkg, "type": "OPERATING_SYSTEM"},
		"updateNotifier": {"id": notifier},
	}
	reasons := map[string]vars{ // also what reaches the check of the reason
		"labelInstance": {"labels": vars{"addTags": []any{"t"}}},
	}
	tried := 0
	for _, m := range all.Mutation.Fields {
		if len(m.Arguments) != 1 || m.Name == "propose" { // each of its changes is a mutation of its own
			continue
		}
		input := m.Arguments[0]
		document := fmt.Sprintf("mutation($in: %s) { %s(%s: $in) { userErrors { code field message } } }", input.Type, m.Name, input.Name)
		texts(all, input.Type, "", func(v any) any { return v }, func(path string, with func(string) any) {
			if slices.Contains(notStored, m.Name+"."+path) {
				return
			}
			tried++
			value := with("a\u202eb").(vars)
			for name, id := range ids {
				if _, ok := value[name]; ok {
					value[name] = id
				}
			}
			maps.Copy(value, more[m.Name])
			if path == "reason" {
				maps.Copy(value, reasons[m.Name])
			}
			r := ana.ask(document, vars{"in": value})
			answer := string(r.Data) + fmt.Sprintf("%+v", r.Errors)
			named := strings.Contains(answer, `"field":"`+path+`"`) || strings.Contains(answer, "Field:"+path+" ") ||
				strings.Contains(answer, `"field":"`+strings.TrimSuffix(path, "[0]")+`"`)
			if !strings.Contains(answer, "INVALID") || !named {
				t.Errorf("%s.%s: %s", m.Name, path, answer)
			}
		})
	}
	if tried < 60 {
		t.Errorf("only %d texts", tried)
	}
}

// A new name that looks like that of a sibling is a conflict, also when an object gets it
// later. What keeps its name can be changed.
func TestNamesLookUnlikeTheirSiblings(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		ana := s.ana(t)
		do := func(verb string, in vars, code, field string) {
			t.Helper()
			r := ana.ask(mutate(verb, ""), vars{"in": in})
			answer := string(r.Data)
			if len(r.Errors) > 0 || (code == "") != strings.Contains(answer, `"userErrors":[]`) || code != "" && !strings.Contains(answer, fmt.Sprintf(`"code":%q,"field":%q`, code, field)) {
				t.Errorf("%s %v: %s %+v, not %s", verb, in, answer, r.Errors, code)
			}
		}
		expires := time.Now().Add(24 * time.Hour).UTC().Format(time.RFC3339)
		for _, c := range []struct {
			verb, field string
			in          vars
		}{
			{"createApplication", "name", nil},
			{"createChannel", "name", vars{"applicationId": s.app}},
			{"createGroup", "name", vars{"applicationId": s.app}},
			{"createTeam", "name", nil},
			{"createUser", "username", vars{"password": password, "role": "VIEWER"}},
			{"createToken", "name", vars{"expiresAt": expires}},
			{"createMachineSecret", "name", vars{"applicationId": s.app}},
			{"createNotifier", "name", vars{"kind": "SLACK", "url": "https://example.com/"}},
		} {
			create := func(name, code string) {
				in := vars{c.field: name}
				maps.Copy(in, c.in)
				do(c.verb, in, code, c.field)
			}
			create("web-1", "")
			create("web-2", "")
			create("web-l", "CONFLICT")
			create("WEB-1", "CONFLICT")
		}
		do("createGroup", vars{"applicationId": s.app, "name": "other", "track": "web-l"}, "CONFLICT", "track")
		do("createGroup", vars{"applicationId": s.app, "name": "other", "aliases": []any{"free", "web-l"}}, "CONFLICT", "aliases")
		do("updateGroup", vars{"id": s.group, "name": "web-l"}, "CONFLICT", "name")
		do("updateGroup", vars{"id": s.group, "name": "prod", "description": "kept"}, "", "")
		do("updateChannel", vars{"id": s.channel, "name": "web-l"}, "CONFLICT", "name")
		do("updateChannel", vars{"id": s.channel, "name": "stable", "color": "#fc7f33"}, "", "")
		do("updateApplication", vars{"id": s.app, "name": "web-l"}, "CONFLICT", "name")
		do("updateApplication", vars{"id": s.app, "name": "agent", "description": "kept"}, "", "")
		do("updateApplication", vars{"id": s.app, "name": "Agent"}, "", "")
	})
}
