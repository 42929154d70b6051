package graph

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"strings"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"github.com/coreroller/coreroller/auth"
	"github.com/coreroller/coreroller/fleet/fault"
	"github.com/coreroller/coreroller/graph/model"
)

// This file is the only one that translates errors for the API.

// userErrors splits the error of a mutation. Errors that the caller caused go
// into the payload; any other error is returned.
func userErrors(err error) ([]*model.UserError, error) {
	if err == nil {
		return []*model.UserError{}, nil
	}
	var out []*model.UserError
	for _, e := range fault.All(err) {
		u := &model.UserError{Code: code(e.Code), Message: e.Message}
		if e.Field != "" {
			u.Field = &e.Field
		}
		out = append(out, u)
	}
	if many, ok := errors.AsType[*auth.TooManyTries](err); ok {
		out = append(out, &model.UserError{Code: model.ErrorCodeUnavailable, Message: many.Error()})
	}
	if out == nil {
		return nil, err
	}
	return out, nil
}

func code(c fault.Code) model.ErrorCode { return model.ErrorCode(strings.ToUpper(string(c))) }

// refusal returns an error that the caller caused.
func refusal(c model.ErrorCode, format string, args ...any) *gqlerror.Error {
	return &gqlerror.Error{Message: fmt.Sprintf(format, args...), Extensions: map[string]any{"code": c}}
}

// present converts an error for the response. Expected errors get a code and a
// field. Any other error is logged and sent as INTERNAL with the request id.
func (r *Resolver) present(ctx context.Context, err error) *gqlerror.Error {
	out := &gqlerror.Error{Path: graphql.GetPath(ctx)}
	if e, ok := errors.AsType[*gqlerror.Error](err); ok {
		if e.Path != nil {
			out.Path = e.Path
		}
		out.Locations = e.Locations
	}
	c, message := r.classify(ctx, err)
	out.Message, out.Extensions = message, map[string]any{"code": c}
	if c == model.ErrorCodeInternal {
		out.Extensions["requestId"] = r.RequestID(ctx)
	}
	if field := fieldOf(err, out.Path); field != "" {
		out.Extensions["field"] = field
	}
	return out
}

// classify returns the code of an error and a message for the caller.
func (r *Resolver) classify(ctx context.Context, err error) (model.ErrorCode, string) {
	if e, ok := errors.AsType[*gqlerror.Error](err); ok && e.Err == nil {
		if c, ok := e.Extensions["code"].(model.ErrorCode); ok {
			return c, e.Message // created by refusal
		}
		return model.ErrorCodeInvalid, e.Message // created by the GraphQL library: the document is wrong
	}
	switch all := fault.All(err); {
	case len(all) > 0:
		messages := make([]string, len(all))
		for i, e := range all {
			messages[i] = e.Message
		}
		return code(all[0].Code), strings.Join(messages, "; ")
	case errors.As(err, new(*model.InputError)):
		return model.ErrorCodeInvalid, err.Error()
	case errors.Is(err, auth.ErrUnauthenticated):
		return model.ErrorCodeUnauthenticated, auth.ErrUnauthenticated.Error()
	case errors.Is(err, auth.ErrChangePassword):
		return model.ErrorCodeForbidden, auth.ErrChangePassword.Error()
	case errors.Is(err, auth.ErrForbidden):
		return model.ErrorCodeForbidden, auth.ErrForbidden.Error()
	case errors.Is(err, context.DeadlineExceeded):
		return model.ErrorCodeUnavailable, "the request took too long; request less data or retry"
	case errors.Is(err, context.Canceled):
		return model.ErrorCodeUnavailable, "the request was canceled"
	}
	r.Log.ErrorContext(ctx, "graphql field failed", "request", r.RequestID(ctx), "path", graphql.GetPath(ctx).String(), "err", err)
	return model.ErrorCodeInternal, "internal error"
}

// fieldOf returns the input field an error is about: the one the fleet names,
// else the path below the argument that could not be parsed. "" means none.
func fieldOf(err error, path ast.Path) string {
	for _, e := range fault.All(err) {
		if e.Field != "" {
			return e.Field
		}
	}
	if !errors.As(err, new(*model.InputError)) || len(path) < 2 {
		return ""
	}
	path = path[1:]
	if path[0] == ast.PathName("input") && len(path) > 1 {
		path = path[1:]
	}
	return path.String()
}

// recovered converts a panic of a resolver into an error and logs its stack.
func (r *Resolver) recovered(ctx context.Context, p any) error {
	r.Log.ErrorContext(ctx, "graphql resolver panicked", "request", r.RequestID(ctx), "panic", p, "stack", string(debug.Stack()))
	return refusal(model.ErrorCodeInternal, "internal error")
}
