package graph_test

import (
	"bytes"
	"flag"
	"os"
	"strings"
	"testing"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/formatter"

	"github.com/coreroller/coreroller/fleet/catalog"
	"github.com/coreroller/coreroller/fleet/notice"
	"github.com/coreroller/coreroller/fleet/view"
	"github.com/coreroller/coreroller/graph/generated"
	"github.com/coreroller/coreroller/graph/model"
	"github.com/coreroller/coreroller/rollout"
)

var update = flag.Bool("update", false, "rewrite testdata")

func schema() *ast.Schema { return generated.NewExecutableSchema(generated.Config{}).Schema() }

// The snapshot makes every change of the API visible in a review.
func TestSchemaMatchesSnapshot(t *testing.T) {
	var b bytes.Buffer
	formatter.NewFormatter(&b, formatter.WithIndent("  ")).FormatSchema(schema())
	const name = "testdata/schema.graphql"
	if *update {
		if err := os.WriteFile(name, b.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(name)
	if err != nil || !bytes.Equal(b.Bytes(), want) {
		t.Errorf("the schema differs from %s (%v): run `go test ./graph -run TestSchema -update` and review the difference", name, err)
	}
}

func TestSchemaHasDescriptions(t *testing.T) {
	for name, def := range schema().Types {
		if def.BuiltIn || strings.HasPrefix(name, "__") {
			continue
		}
		described(t, name, def.Description)
		for _, f := range def.Fields {
			if strings.HasPrefix(f.Name, "__") {
				continue
			}
			described(t, name+"."+f.Name, f.Description)
			for _, a := range f.Arguments {
				described(t, name+"."+f.Name+"("+a.Name+")", a.Description)
			}
		}
		for _, v := range def.EnumValues {
			described(t, name+"."+v.Name, v.Description)
		}
	}
}

func described(t *testing.T, what, text string) {
	t.Helper()
	if text == "" || !strings.ContainsAny(text[len(text)-1:], ".:`)") {
		t.Errorf("%s has the description %q, want a sentence", what, text)
	}
}

// Each value of the engine has a name in the schema, and each name a value.
func TestEnumerationsAreComplete(t *testing.T) {
	check := func(name string, values int, read func(any) error) {
		t.Helper()
		names := schema().Types[name].EnumValues
		if len(names) != values {
			t.Errorf("%s has %d names for %d values", name, len(names), values)
		}
		for _, w := range names {
			if err := read(w.Name); err != nil {
				t.Errorf("%s.%s: %v", name, w.Name, err)
			}
		}
	}
	check("Reason", int(rollout.ReasonGranted)+1, reads(model.UnmarshalReason))
	check("InstanceState", int(rollout.StateOnHold)+1, reads(model.UnmarshalInstanceState))
	check("Standing", int(rollout.StandingQuarantined)+1, reads(model.UnmarshalStanding))
	check("RolloutState", int(rollout.RolloutSuperseded)+1, reads(model.UnmarshalRolloutState))
	check("Outcome", int(rollout.OutcomeLooping), reads(model.UnmarshalOutcome))
	check("ActivityKind", int(rollout.ActivityMachinesLabeled), reads(model.UnmarshalActivityKind))
	check("Severity", int(rollout.SeverityError), reads(model.UnmarshalSeverity))
	check("OverrideKind", int(rollout.OverridePin), reads(model.UnmarshalOverrideKind))
	check("PackageType", int(catalog.PackageOther), reads(model.UnmarshalPackageType))
	check("Weekday", 7, reads(model.UnmarshalWeekday))
	check("HaltRule", 4, reads(model.UnmarshalHaltRule))
	check("OnDemand", 3, reads(model.UnmarshalOnDemand))
}

// Messages to other servers say what to do about each kind.
func TestMessagesKnowEveryKind(t *testing.T) {
	for _, k := range schema().Types["AttentionKind"].EnumValues {
		if notice.NextAction(view.AttentionKind(k.Name)) == "" {
			t.Errorf("no next action for %s", k.Name)
		}
	}
	for _, k := range schema().Types["ActivityKind"].EnumValues {
		kind, err := model.UnmarshalActivityKind(k.Name)
		if err != nil || notice.TypeOf(kind) == "other" {
			t.Errorf("no type of message for %s: %v", k.Name, err)
		}
	}
}

func reads[T any](f func(any) (T, error)) func(any) error {
	return func(v any) error { return second(f(v)) }
}
