package graph_test

import (
	"bytes"
	"encoding/json"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/coreroller/coreroller/rollout/policy"

	"github.com/vektah/gqlparser/v2/ast"
)

func fieldNames(def *ast.Definition) []string {
	var names []string
	for _, f := range def.Fields {
		names = append(names, f.Name)
	}
	slices.Sort(names)
	return names
}

func TestSchemaHasEveryPolicyField(t *testing.T) {
	var want []string
	for _, f := range policy.Fields() {
		want = append(want, f.Name)
	}
	slices.Sort(want)
	for _, name := range []string{"Policy", "PolicyInput"} {
		if got := fieldNames(schema().Types[name]); !slices.Equal(got, want) {
			t.Errorf("%s has the fields %v, the engine %v", name, got, want)
		}
	}
}

// allOf selects all fields of a type.
func allOf(def *ast.Definition) string {
	var b strings.Builder
	b.WriteString("{")
	for _, f := range def.Fields {
		b.WriteString(" " + f.Name)
		if of := schema().Types[f.Type.Name()]; of.Kind == ast.Object {
			b.WriteString(" " + allOf(of))
		}
	}
	return b.String() + " }"
}

func kindOf(t reflect.Type) string {
	switch t.String() {
	case "bool":
		return "switch"
	case "int":
		return "count"
	case "time.Duration":
		return "duration"
	case "float64":
		return "share"
	case "string":
		return "text"
	case "policy.OnDemand":
		return "choice"
	}
	return "list"
}

// The dashboard's tests compare its form with the file: every field and the
// policy of a new group.
func TestDashboardKnowsEveryPolicyField(t *testing.T) {
	s := oneSite(t)
	got := s.ana(t).get(`{ policyPreview(input: {policy: {}}) { policy `+allOf(schema().Types["Policy"])+` } }`, nil)
	initial, _ := got["policy"].(map[string]any)
	type field struct {
		Name    string `json:"name"`
		Kind    string `json:"kind"`
		Initial any    `json:"initial"`
	}
	var fields []field
	for _, f := range policy.Fields() {
		fields = append(fields, field{f.Name, kindOf(f.Type), initial[f.Name]})
	}
	text, err := json.MarshalIndent(fields, "", "  ")
	s.must(err)
	text = append(text, '\n')
	const name = "../frontend/src/lib/policy/fields.json"
	if *update {
		s.must(os.WriteFile(name, text, 0o644))
	}
	if want, err := os.ReadFile(name); err != nil || !bytes.Equal(text, want) {
		t.Errorf("the policy fields differ from %s (%v): run `go test ./graph -run DashboardKnows -update`", name, err)
	}
}
