package endpoint

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"strings"

	"github.com/coreroller/coreroller/fleet/fault"
)

// Only this file converts errors to responses.

// problem is the response body of an error.
type problem struct {
	Code    string `json:"code"`
	Field   string `json:"field"`
	Message string `json:"message"`
}

// errTooLarge refuses a body larger than maxBody.
var errTooLarge = errors.New("the request body is larger than 1 MiB")

// refuse writes an error. Both APIs have 400 for errors of the client, and 404 for
// missing objects in reads.
func (s *Server) refuse(w http.ResponseWriter, r *http.Request, err error) {
	if errors.Is(err, context.Canceled) && r.Context().Err() != nil {
		return // the client is gone
	}
	status, p := s.classify(r, err)
	if status == http.StatusServiceUnavailable {
		w.Header().Set("Retry-After", "5")
	}
	s.Send(w, r, status, p)
}

func (s *Server) classify(r *http.Request, err error) (status int, p problem) {
	all := fault.All(err)
	switch {
	case errors.Is(err, errTooLarge):
		return http.StatusRequestEntityTooLarge, problem{Code: string(fault.Invalid), Message: errTooLarge.Error()}
	case len(all) > 0:
		return s.statusOf(r, all[0]), s.combine(all)
	case errors.Is(err, context.DeadlineExceeded):
		return http.StatusServiceUnavailable, problem{Code: string(fault.Unavailable), Message: "the request took too long; request less or try again"}
	}
	s.Log.ErrorContext(r.Context(), "rest request failed", "request", s.RequestID(r.Context()), "route", r.Pattern, "err", err)
	return http.StatusInternalServerError, problem{Code: "internal", Message: "internal error, request id " + s.RequestID(r.Context())}
}

func (s *Server) statusOf(r *http.Request, e *fault.Error) int {
	switch e.Code {
	case fault.NotFound:
		if r.Method == http.MethodGet || r.Method == http.MethodHead {
			return http.StatusNotFound
		}
		if e.Field == "id" {
			return s.Missing
		}
	case fault.Forbidden, fault.ApprovalRequired:
		return http.StatusForbidden
	case fault.Unauthenticated:
		return http.StatusUnauthorized
	case fault.Unavailable:
		return http.StatusServiceUnavailable
	case fault.RateLimited:
		return http.StatusTooManyRequests
	case fault.Invalid, fault.Conflict:
	}
	return http.StatusBadRequest
}

// combine returns the first expected failure, with the others in its message.
func (d *Dialect) combine(all []*fault.Error) problem {
	p := problem{Code: string(all[0].Code), Field: d.fieldOf(all[0].Field), Message: all[0].Message}
	seen := map[fault.Error]bool{{Field: p.Field, Message: p.Message}: true}
	for _, e := range all[1:] {
		one := fault.Error{Field: d.fieldOf(e.Field), Message: e.Message} // several fields of a verb may be one field of this API
		if !seen[one] {
			p.Message += "; " + one.Error()
		}
		seen[one] = true
	}
	return p
}

// fieldOf returns the name of this API for a field of a verb's input.
func (d *Dialect) fieldOf(field string) string {
	head, _, _ := strings.Cut(field, "[")
	return cmp.Or(d.Fields[head], head) + field[len(head):]
}
