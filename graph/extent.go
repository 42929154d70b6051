package graph

import (
	"context"
	"reflect"
	"sync/atomic"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"github.com/coreroller/coreroller/graph/model"
)

// extentLimit refuses documents that select too much, before any other limit looks at
// them: a few fragments that spread each other twice select more fields than a
// processor can count.
type extentLimit struct{}

// ExtensionName implements graphql.HandlerExtension.
func (extentLimit) ExtensionName() string { return "ExtentLimit" }

// Validate implements graphql.HandlerExtension.
func (extentLimit) Validate(graphql.ExecutableSchema) error { return nil }

// MutateOperationParameters implements graphql.OperationParameterMutator.
func (extentLimit) MutateOperationParameters(_ context.Context, p *graphql.RawParams) *gqlerror.Error {
	if len(p.Query) > maxText {
		return refusal(model.ErrorCodeInvalid, "the document is longer than %d KiB; send values as variables", maxText>>10)
	}
	return nil
}

// MutateOperationContext implements graphql.OperationContextMutator.
func (extentLimit) MutateOperationContext(_ context.Context, op *graphql.OperationContext) *gqlerror.Error {
	set := op.Operation.SelectionSet
	if fields := (counter{}).fields(set); fields > maxFields {
		return refusal(model.ErrorCodeInvalid, "the document selects more than %d fields", maxFields)
	}
	if roots := countRoots(set); roots > maxRootFields {
		return refusal(model.ErrorCodeInvalid, "the document has %d root fields, and at most %d are allowed", roots, maxRootFields)
	}
	return nil
}

// counter has the number of fields of each fragment that was counted.
type counter map[*ast.FragmentDefinition]int

// fields is the number of fields that a selection has after its fragments are
// expanded, at most maxFields + 1. It visits each fragment once.
func (c counter) fields(set ast.SelectionSet) int {
	n := 0
	for _, s := range set {
		switch s := s.(type) {
		case *ast.Field:
			n += 1 + c.fields(s.SelectionSet)
		case *ast.InlineFragment:
			n += 1 + c.fields(s.SelectionSet)
		case *ast.FragmentSpread:
			inner, known := c[s.Definition]
			if !known {
				inner = 1 + c.fields(s.Definition.SelectionSet)
				c[s.Definition] = inner
			}
			n += inner
		}
		n = min(n, maxFields+1)
	}
	return n
}

// countRoots is the number of fields of the first level, after counter bounded it.
func countRoots(set ast.SelectionSet) (n int) {
	for _, s := range set {
		switch s := s.(type) {
		case *ast.Field:
			n++
		case *ast.InlineFragment:
			n += countRoots(s.SelectionSet)
		case *ast.FragmentSpread:
			n += countRoots(s.Definition.SelectionSet)
		}
	}
	return n
}

// costed gives a cost to lists without one of their own, so that no list is forgotten.
type costed struct{ graphql.ExecutableSchema }

// Complexity implements graphql.ExecutableSchema.
func (s costed) Complexity(ctx context.Context, typeName, field string, child int, args map[string]any) (int, bool) {
	if cost, ok := s.ExecutableSchema.Complexity(ctx, typeName, field, child, args); ok {
		return cost, true
	}
	def := s.Schema().Types[typeName].Fields.ForName(field)
	if def == nil || def.Type.Elem == nil || field == "nodes" || field == "edges" { // a connection costs its page
		return 0, false
	}
	return 1 + max(child, 1)*listed, true
}

// values counts the values of one answer. Complexity is an estimate from before; this
// is what the lists really have.
type values struct{ n atomic.Int64 }

type valuesKey struct{}

func withValues(ctx context.Context) (context.Context, *values) {
	v := &values{}
	return context.WithValue(ctx, valuesKey{}, v), v
}

// errTooManyValues ends an answer that grows too large.
var errTooManyValues = refusal(model.ErrorCodeInvalid,
	"the answer has more than %d values: select fewer fields or objects, or read lists in pages", maxValues)

// countValues is the field middleware that counts what lists return. Above the limit
// nothing more is read or encoded.
func countValues(ctx context.Context, next graphql.Resolver) (any, error) {
	v, ok := ctx.Value(valuesKey{}).(*values)
	if ok && v.n.Load() > maxValues {
		return nil, errTooManyValues
	}
	result, err := next(ctx)
	fc := graphql.GetFieldContext(ctx)
	if !ok || err != nil || fc.Field.Field == nil || fc.Field.Definition.Type.Elem == nil {
		return result, err
	}
	list := reflect.ValueOf(result)
	if list.Kind() != reflect.Slice || list.Len() == 0 {
		return result, nil
	}
	if v.n.Add(int64(list.Len())*int64(max(width(fc.Field.SelectionSet), 1))) > maxValues {
		return nil, errTooManyValues
	}
	return result, nil
}

// width is the number of fields of one entry of a list, without those of lists in it.
func width(set ast.SelectionSet) (n int) {
	for _, s := range set {
		switch s := s.(type) {
		case *ast.Field:
			n++
			if s.Definition.Type.Elem == nil {
				n += width(s.SelectionSet)
			}
		case *ast.InlineFragment:
			n += width(s.SelectionSet)
		case *ast.FragmentSpread:
			n += width(s.Definition.SelectionSet)
		}
	}
	return n
}

// limitValues replaces an answer that became too large by its error.
func limitValues(ctx context.Context, r *Resolver, next graphql.ResponseHandler) *graphql.Response {
	ctx, v := withValues(ctx)
	response := next(ctx)
	if response == nil || v.n.Load() <= maxValues {
		return response
	}
	response.Data, response.Errors = []byte("null"), gqlerror.List{r.present(ctx, errTooManyValues)}
	return response
}
