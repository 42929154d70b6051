package graph

import (
	"context"
	"log/slog"
	"os"
	"slices"
	"strings"
	"testing"

	cost "github.com/99designs/gqlgen/complexity"
	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/validator/rules"

	"github.com/coreroller/coreroller/auth"
	"github.com/coreroller/coreroller/graph/generated"
	"github.com/coreroller/coreroller/graph/model"
	"github.com/coreroller/coreroller/simulate/load"
)

// Every operation of the dashboard stays within the limits, with room to grow.
func TestDashboardStaysWithinTheLimits(t *testing.T) {
	documents, err := load.ReadDocuments(os.DirFS("../frontend/src"))
	if err != nil {
		t.Fatal(err)
	}
	schema := costed{generated.NewExecutableSchema(generated.Config{Complexity: complexity()})}
	memory, operations := 0, 0
	for name, text := range documents {
		if strings.HasPrefix(strings.TrimSpace(text), "fragment") {
			continue
		}
		document, err := documents.Operation(name)
		if err != nil {
			t.Logf("%s: %v", name, err) // composed of parts in the page
			continue
		}
		parsed, errs := gqlparser.LoadQueryWithRules(schema.Schema(), document, rules.NewDefaultRules())
		if errs != nil {
			t.Errorf("%s: %v", name, errs)
			continue
		}
		operations++
		memory += documentSize(document)
		set := parsed.Operations[0].SelectionSet
		total := cost.Calculate(t.Context(), schema, parsed.Operations[0], map[string]any{"first": int64(100)})
		if fields := (counter{}).fields(set); fields > maxFields/2 || countRoots(set) > maxRootFields/2 || len(document) > maxText/4 || total > maxComplexity*3/4 {
			t.Errorf("%s: %d fields, %d root fields, %d bytes, complexity %d", name, fields, countRoots(set), len(document), total)
		}
	}
	if operations < 40 || memory > documentMemory/2 {
		t.Errorf("%d operations take %d bytes of the cache", operations, memory)
	}
}

// Every list that has no pages costs more than one entry of it.
func TestEveryListHasACost(t *testing.T) {
	schema := costed{generated.NewExecutableSchema(generated.Config{Complexity: complexity()})}
	for _, typ := range schema.Schema().Types {
		for _, f := range typ.Fields {
			if f.Type.Elem == nil || strings.HasPrefix(typ.Name, "__") || slices.Contains([]string{"nodes", "edges"}, f.Name) {
				continue
			}
			least := 3 * listed
			if strings.HasSuffix(strings.ToLower(f.Name), "windows") && typ.Name == "Policy" {
				least = 3 * listedFew // countValues bounds the policies that have many
			}
			if cost, _ := schema.Complexity(t.Context(), typ.Name, f.Name, 3, nil); cost < least {
				t.Errorf("%s.%s: a list of objects with 3 fields costs %d", typ.Name, f.Name, cost)
			}
		}
	}
}

// Documents of callers without credentials are not kept, and those of users only up
// to the limit.
func TestCacheOfDocumentsIsBounded(t *testing.T) {
	c := newDocumentCache(10_000)
	text := func(i int) string { return "{ me { id } } #" + strings.Repeat("x", 1000+i) }
	for i := range 50 {
		c.Add(t.Context(), text(i), nil)
	}
	if c.used != 0 || c.texts.Len() != 0 {
		t.Fatalf("callers without credentials fill %d bytes", c.used)
	}
	user := auth.With(t.Context(), auth.Principal{Name: "ana"})
	c.Add(user, strings.Repeat("{ me { id } } ", 1000), nil)
	for i := range 50 {
		c.Add(user, text(i), nil)
		c.Add(user, text(i), nil)
		if c.used > c.limit || c.used < c.texts.Len()*1000 {
			t.Fatalf("%d documents use %d bytes", c.texts.Len(), c.used)
		}
	}
	if _, ok := c.Get(t.Context(), text(49)); !ok || c.texts.Len() < 2 {
		t.Errorf("the newest document is not among the %d kept", c.texts.Len())
	}
}

// What lists really return is counted while an answer is built: a field above the
// limit is an error, and later fields are not even read.
func TestAnswersAreBounded(t *testing.T) {
	field := graphql.CollectedField{Field: &ast.Field{
		Definition:   &ast.FieldDefinition{Type: ast.ListType(ast.NamedType("Group", nil), nil)},
		SelectionSet: ast.SelectionSet{&ast.Field{Definition: &ast.FieldDefinition{Type: ast.NamedType("ID", nil)}}},
	}}
	r := &Resolver{Options: Options{Log: slog.New(slog.DiscardHandler)}}
	read, errs := 0, []error{}
	response := limitValues(t.Context(), r, func(ctx context.Context) *graphql.Response {
		ctx = graphql.WithFieldContext(ctx, &graphql.FieldContext{Field: field})
		for range 5 {
			_, err := countValues(ctx, func(context.Context) (any, error) {
				read++
				return make([]int, maxValues/2), nil
			})
			errs = append(errs, err)
		}
		return &graphql.Response{Data: []byte(`{"groups": []}`)}
	})
	if read != 3 || errs[1] != nil || errs[2] == nil || errs[4] == nil {
		t.Errorf("%d lists were read: %v", read, errs)
	}
	if string(response.Data) != "null" || len(response.Errors) != 1 || response.Errors[0].Extensions["code"] != model.ErrorCodeInvalid {
		t.Errorf("answered %s %v", response.Data, response.Errors)
	}
}
