package graph

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"github.com/coreroller/coreroller/auth"
	"github.com/coreroller/coreroller/graph/model"
)

// operationTimeout limits a query or mutation, so that one expensive document
// does not occupy the database for long.
const operationTimeout = 20 * time.Second

// public are the root fields that need no sign-in.
var public = []string{"me", "serverInfo", "signIn", "signOut", "__typename"}

// authorizeOperation is the operation middleware. It refuses a whole operation of
// a caller without sign-in with 401 if one of its root fields is not public, joins shared
// subscriptions and limits the time of other operations.
func (r *Resolver) authorizeOperation(ctx context.Context, next graphql.OperationHandler) graphql.ResponseHandler {
	op := graphql.GetOperationContext(ctx)
	if c := socketOf(ctx); c != nil { // the caller's rights may have changed since it connected
		p, err := r.Guard.Again(ctx)
		if err != nil {
			c.code.Store(closeUnauthorized)
			c.cancel()
			return graphql.OneShot(&graphql.Response{Data: []byte("null"), Errors: gqlerror.List{r.present(ctx, err)}})
		}
		ctx = auth.With(ctx, p)
	}
	if _, err := auth.Require(ctx, auth.Viewer); err != nil {
		caller, signedIn := auth.From(ctx)
		for _, f := range rootFields(op) {
			if !r.isPublic(f.Name) && (!caller.PasswordOnly || f.Name != "changePassword") {
				if !signedIn {
					r.Guard.Challenge(ctx)
				}
				return graphql.OneShot(&graphql.Response{
					Data:   []byte("null"),
					Errors: gqlerror.List{r.present(ctx, err)},
				})
			}
		}
		op.DisableIntrospection = r.Introspection != IntrospectionAnyone
	} else {
		op.DisableIntrospection = r.Introspection == IntrospectionNone
	}
	if uploads(ctx) { // it takes as long as the connection needs, which is no work of the server
		if err := onlyUpload(op); err != nil {
			return graphql.OneShot(&graphql.Response{Data: []byte("null"), Errors: gqlerror.List{err}})
		}
		return next(ctx)
	}
	if op.Operation.Operation == ast.Subscription {
		r.subscriptions.Add(1)
		context.AfterFunc(ctx, func() { r.subscriptions.Add(-1) })
		if key, ok := shareable(ctx, op); ok {
			return r.executions.join(ctx, r, key, next)
		}
		return next(ctx)
	}
	spending, err := r.Budgets.Begin(ctx)
	if over, ok := errors.AsType[*auth.OverBudget](err); ok {
		over.Refuse(ctx)
		refused := refusal(model.ErrorCodeRateLimited, "%s", over.Error())
		refused.Extensions["retryAfter"] = over.Seconds()
		return graphql.OneShot(&graphql.Response{Data: []byte("null"), Errors: gqlerror.List{refused}})
	}
	ctx, cancel := context.WithTimeout(ctx, operationTimeout)
	respond := next(ctx)
	return func(ctx context.Context) *graphql.Response {
		defer cancel()
		response := respond(ctx)
		if response == nil {
			spending.End(0)
			return nil
		}
		if left := spending.End(len(response.Data)); op.Extensions["budget"] == true {
			response.Extensions = map[string]any{"budget": left}
		}
		return response
	}
}

// isPublic reports whether a root field needs no sign-in.
func (r *Resolver) isPublic(field string) bool {
	return slices.Contains(public, field) || r.Introspection == IntrospectionAnyone && strings.HasPrefix(field, "__")
}

func rootFields(op *graphql.OperationContext) []graphql.CollectedField {
	root := strings.ToUpper(string(op.Operation.Operation[:1])) + string(op.Operation.Operation[1:])
	return graphql.CollectFields(op, op.Operation.SelectionSet, []string{root})
}

// addLoaders gives each response, and each message of a subscription, its own
// loaders, so that no message contains values cached for an earlier one.
func (r *Resolver) addLoaders(ctx context.Context, next graphql.ResponseHandler) *graphql.Response {
	return limitValues(withLoaders(ctx, r), r, next)
}

// depthLimit refuses documents with a deeper nesting of fields.
type depthLimit int

// ExtensionName implements graphql.HandlerExtension.
func (depthLimit) ExtensionName() string { return "DepthLimit" }

// Validate implements graphql.HandlerExtension.
func (depthLimit) Validate(graphql.ExecutableSchema) error { return nil }

// MutateOperationContext implements graphql.OperationContextMutator.
func (d depthLimit) MutateOperationContext(_ context.Context, op *graphql.OperationContext) *gqlerror.Error {
	if exceedsDepth(op.Operation.SelectionSet, int(d)) {
		return refusal(model.ErrorCodeInvalid, "the document nests deeper than %d fields", d)
	}
	return nil
}

// exceedsDepth reports whether a selection nests deeper than limit fields. It
// ignores introspection, whose depth the validator limits: tools nest it deeply.
func exceedsDepth(set ast.SelectionSet, limit int) bool {
	for _, s := range set {
		var inner ast.SelectionSet
		rest := limit
		switch s := s.(type) {
		case *ast.Field:
			if s.Name == "__schema" || s.Name == "__type" {
				continue
			}
			if limit == 0 {
				return true
			}
			inner, rest = s.SelectionSet, limit-1
		case *ast.InlineFragment:
			inner = s.SelectionSet
		case *ast.FragmentSpread:
			inner = s.Definition.SelectionSet
		}
		if exceedsDepth(inner, rest) {
			return true
		}
	}
	return false
}
