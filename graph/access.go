package graph

import (
	"context"
	"strings"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"github.com/coreroller/coreroller/auth"
	"github.com/coreroller/coreroller/graph/model"
)

// answerTime bounds a query or mutation: a page that takes longer was asked
// for too much, and the database has other callers.
const answerTime = 20 * time.Second

// forStrangers reports whether a field of the root types may be asked for
// without being signed in. Everything else is closed, also what is added later.
func forStrangers(field string) bool {
	switch field {
	case "me", "serverInfo", "signIn", "signOut", "__typename":
		return true
	}
	return false
}

// admit is the operation middleware: strangers are refused as a whole when they
// ask for anything that is closed to them, and nothing runs for ever.
func (r *Resolver) admit(ctx context.Context, next graphql.OperationHandler) graphql.ResponseHandler {
	op := graphql.GetOperationContext(ctx)
	if _, err := auth.Require(ctx, auth.Read); err != nil {
		for _, f := range rootFields(op) {
			if !forStrangers(f.Name) {
				return graphql.OneShot(&graphql.Response{
					Data:   []byte("null"),
					Errors: gqlerror.List{r.present(ctx, err)},
				})
			}
		}
	} else {
		op.DisableIntrospection = false
	}
	if op.Operation.Operation == ast.Subscription {
		r.subscriptions.Add(1)
		context.AfterFunc(ctx, func() { r.subscriptions.Add(-1) })
		if key, ok := shareable(ctx, op); ok {
			return r.shares.join(ctx, r, key, next)
		}
		return next(ctx)
	}
	ctx, cancel := context.WithTimeout(ctx, answerTime)
	answer := next(ctx)
	return func(ctx context.Context) *graphql.Response {
		defer cancel()
		return answer(ctx)
	}
}

func rootFields(op *graphql.OperationContext) []graphql.CollectedField {
	root := strings.ToUpper(string(op.Operation.Operation[:1])) + string(op.Operation.Operation[1:])
	return graphql.CollectFields(op, op.Operation.SelectionSet, []string{root})
}

// perResponse gives each answer, and each message of a subscription, its own
// loaders: what they read is as fresh as the message.
func (r *Resolver) perResponse(ctx context.Context, next graphql.ResponseHandler) *graphql.Response {
	return next(withLoaders(ctx, r))
}

// depthLimit refuses documents that nest too deep.
type depthLimit int

// ExtensionName implements graphql.HandlerExtension.
func (depthLimit) ExtensionName() string { return "DepthLimit" }

// Validate implements graphql.HandlerExtension.
func (depthLimit) Validate(graphql.ExecutableSchema) error { return nil }

// MutateOperationContext implements graphql.OperationContextMutator.
func (d depthLimit) MutateOperationContext(_ context.Context, op *graphql.OperationContext) *gqlerror.Error {
	if deeper(op.Operation.SelectionSet, int(d)) {
		return refusal(model.ErrorCodeInvalid, "the document nests deeper than %d fields", d)
	}
	return nil
}

// deeper reports whether a selection nests deeper than limit fields.
// Introspection is left out: its own depth is limited by the validator, and
// the documents of tools go deep.
func deeper(set ast.SelectionSet, limit int) bool {
	for _, s := range set {
		switch s := s.(type) {
		case *ast.Field:
			if s.Name == "__schema" || s.Name == "__type" {
				continue
			}
			if limit == 0 || deeper(s.SelectionSet, limit-1) {
				return true
			}
		case *ast.InlineFragment:
			if deeper(s.SelectionSet, limit) {
				return true
			}
		case *ast.FragmentSpread:
			if deeper(s.Definition.SelectionSet, limit) {
				return true
			}
		}
	}
	return false
}
