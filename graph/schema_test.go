package graph_test

import (
	"bytes"
	"flag"
	"os"
	"strings"
	"testing"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/formatter"

	"coreroller/graph/generated"
)

var update = flag.Bool("update", false, "rewrite testdata")

func schema() *ast.Schema { return generated.NewExecutableSchema(generated.Config{}).Schema() }

// Every change of the API is seen in review.
func TestSchemaIsTheReviewedOne(t *testing.T) {
	var b bytes.Buffer
	formatter.NewFormatter(&b, formatter.WithIndent("  ")).FormatSchema(schema())
	const name = "testdata/schema.graphql"
	if *update {
		if err := os.WriteFile(name, b.Bytes(), 0o644); err != nil { //nolint:gosec // a test's own file
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(name)
	if err != nil || !bytes.Equal(b.Bytes(), want) {
		t.Errorf("the schema differs from %s (%v): run `go test ./graph -run TestSchema -update` and look at the difference", name, err)
	}
}

// The schema is the manual.
func TestEverythingIsDescribed(t *testing.T) {
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
		t.Errorf("%s is described %q: want a sentence", what, text)
	}
}
