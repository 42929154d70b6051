package graph_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/coreroller/coreroller/auth"
	"github.com/coreroller/coreroller/fleet/account"
)

// forAll are the mutations that need no role: they concern only the caller.
var forAll = []string{"signIn", "signOut", "changePassword"}

// Every root field shows the role that the table in auth has for it, and every
// mutation has one.
func TestSchemaShowsTheRoles(t *testing.T) {
	all := schema()
	var shown []string
	for _, root := range []*ast.Definition{all.Query, all.Mutation, all.Subscription} {
		for _, f := range root.Fields {
			d := f.Directives.ForName("needs")
			if d == nil {
				if root == all.Mutation && !slices.Contains(forAll, f.Name) {
					t.Errorf("mutation %s needs no role", f.Name)
				}
				continue
			}
			shown = append(shown, f.Name)
			if role := d.Arguments.ForName("role").Value.Raw; !strings.EqualFold(role, auth.Needs(f.Name).String()) {
				t.Errorf("%s shows %s and needs %s", f.Name, role, auth.Needs(f.Name))
			}
		}
	}
	slices.Sort(shown)
	if table := auth.Owner.Permissions(); !slices.Equal(table, shown) {
		t.Errorf("the table has %v, the schema shows %v", table, shown)
	}
}

// Every field of every root type is called by every role. It is refused exactly when
// the role is below the one that the schema shows, before anything else is checked.
func TestEveryRootFieldChecksTheRole(t *testing.T) {
	s := oneSite(t)
	all := schema()
	for _, role := range auth.Roles() {
		s.must(second(s.Accounts.CreateUser(s.ctx, account.CreateUser{Username: "user-" + role.String(), Password: password, Grants: []auth.Grant{{Role: role}}})))
	}
	calls := 0
	for _, root := range []*ast.Definition{all.Mutation, all.Query} { // see TestPayloadInspectionNeedsARole for the subscription
		for _, f := range root.Fields {
			if strings.HasPrefix(f.Name, "__") || slices.Contains(forAll, f.Name) {
				continue
			}
			document, values := callOf(all, root, f)
			for _, role := range auth.Roles() {
				c := &caller{site: s, t: t, prepare: func(r *http.Request) { r.SetBasicAuth("user-"+role.String(), password) }}
				r := c.ask(document, values)
				refused := strings.Contains(string(r.Data), `"FORBIDDEN"`)
				for _, e := range r.Errors {
					refused = refused || e.Extensions.Code == "FORBIDDEN"
					if len(e.Path) == 0 {
						t.Errorf("%s is not a call: %s", document, e.Message)
					}
				}
				if want := role < auth.Needs(f.Name); refused != want {
					t.Errorf("%s, which needs %s, by %s: %s %+v", f.Name, auth.Needs(f.Name), role, r.Data, r.Errors)
				}
				calls++
			}
		}
	}
	if calls < 300 {
		t.Errorf("only %d calls", calls)
	}
}

// callOf returns a document that calls a root field with the required arguments.
func callOf(all *ast.Schema, root *ast.Definition, f *ast.FieldDefinition) (document string, values vars) {
	values = vars{}
	var declared, passed []string
	for _, a := range f.Arguments {
		if a.Type.NonNull && a.DefaultValue == nil {
			declared = append(declared, "$"+a.Name+": "+a.Type.String())
			passed = append(passed, a.Name+": $"+a.Name)
			values[a.Name] = valueOf(all, a.Type)
		}
	}
	call := f.Name
	if len(passed) > 0 {
		call += "(" + strings.Join(passed, ", ") + ")"
	}
	switch t := all.Types[f.Type.Name()]; {
	case t.Fields.ForName("userErrors") != nil:
		call += " { userErrors { code message } }"
	case t.Kind == ast.Object:
		call += " { __typename }"
	}
	operation := strings.ToLower(root.Name)
	if len(declared) > 0 {
		operation += "(" + strings.Join(declared, ", ") + ")"
	}
	return operation + " { " + call + " }", values
}

// valueOf returns a value of an input type; only required fields are set.
func valueOf(all *ast.Schema, t *ast.Type) any {
	if t.Elem != nil {
		return []any{valueOf(all, t.Elem)}
	}
	switch d := all.Types[t.NamedType]; d.Kind {
	case ast.Enum:
		return d.EnumValues[0].Name
	case ast.InputObject:
		out := vars{}
		for _, f := range d.Fields {
			if f.Type.NonNull && f.DefaultValue == nil {
				out[f.Name] = valueOf(all, f.Type)
			}
		}
		return out
	}
	switch t.NamedType {
	case "ID":
		return uuid.NewString()
	case "Int", "Float", "Bytes":
		return 1
	case "Boolean":
		return true
	case "Duration":
		return "PT1H"
	case "Time":
		return "2026-03-02T10:00:00Z"
	}
	return "x"
}
