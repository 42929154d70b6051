package rest

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

// refuse writes an error. CoreRoller 1.0 used 400 for errors of the client and 404
// for missing objects in reads.
func (h *Handler) refuse(w http.ResponseWriter, r *http.Request, err error) {
	if errors.Is(err, context.Canceled) && r.Context().Err() != nil {
		return // the client is gone
	}
	status, p := h.classify(r, err)
	if status == http.StatusServiceUnavailable {
		w.Header().Set("Retry-After", "5")
	}
	h.send(w, r, status, p)
}

func (h *Handler) classify(r *http.Request, err error) (status int, p problem) {
	all := fault.All(err)
	switch {
	case errors.Is(err, errTooLarge):
		return http.StatusRequestEntityTooLarge, problem{Code: string(fault.Invalid), Message: errTooLarge.Error()}
	case len(all) > 0:
		return statusOf(r, all[0].Code), combine(all)
	case errors.Is(err, context.DeadlineExceeded):
		return http.StatusServiceUnavailable, problem{Code: string(fault.Unavailable), Message: "the request took too long; request less or try again"}
	}
	h.Log.ErrorContext(r.Context(), "rest request failed", "request", h.RequestID(r.Context()), "route", r.Pattern, "err", err)
	return http.StatusInternalServerError, problem{Code: "internal", Message: "internal error, request id " + h.RequestID(r.Context())}
}

func statusOf(r *http.Request, c fault.Code) int {
	switch c {
	case fault.NotFound:
		if r.Method == http.MethodGet || r.Method == http.MethodHead {
			return http.StatusNotFound
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
func combine(all []*fault.Error) problem {
	p := problem{Code: string(all[0].Code), Field: fieldOf(all[0].Field), Message: all[0].Message}
	seen := map[fault.Error]bool{{Field: p.Field, Message: p.Message}: true}
	for _, e := range all[1:] {
		one := fault.Error{Field: fieldOf(e.Field), Message: e.Message} // several fields of a verb may be one field of this API
		if !seen[one] {
			p.Message += "; " + one.Error()
		}
		seen[one] = true
	}
	return p
}

// fields are the names of this API for fields of a verb's input that have another
// name there.
var fields = map[string]string{
	"productId":                   "product_id",
	"cloneFrom":                   "clone_from",
	"applicationId":               "application_id",
	"groupId":                     "group_id",
	"channelId":                   "channel_id",
	"packageId":                   "package_id",
	"newPassword":                 "password",
	"currentPassword":             "current_password",
	"sha1":                        "hash",
	"sha256":                      "coreos_action.sha256",
	"action":                      "coreos_action.sha256",
	"action.sha256":               "coreos_action.sha256",
	"action.chromeosVersion":      "coreos_action.chromeos_version",
	"action.metadataSignatureRsa": "coreos_action.metadata_signature_rsa",
	"action.metadataSize":         "coreos_action.metadata_size",
	"action.deadline":             "coreos_action.deadline",
	"blacklistedChannelIds":       "channels_blacklist",
	"policy.periodInterval":       "policy_period_interval",
	"policy.maxUpdatesPerPeriod":  "policy_max_updates_per_period",
	"policy.maxConcurrentUpdates": "policy_max_updates_per_period",
	"policy.updateTimeout":        "policy_update_timeout",
	"policy.officeHours":          "policy_office_hours",
	"policy.timezone":             "policy_timezone",
	"track":                       "name", // new groups use their name as track
}

// fieldOf returns the name of this API for a field of a verb's input.
func fieldOf(field string) string {
	head, _, _ := strings.Cut(field, "[")
	return cmp.Or(fields[head], head) + field[len(head):]
}
