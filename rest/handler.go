// Package rest is the JSON API of CoreRoller 1.0, kept for existing scripts: its
// routes, JSON shapes and status codes. It translates to fleet's verbs and reads
// and has no rules of its own. docs/rest.md is its manual.
package rest

import (
	"net/http"

	"github.com/coreroller/coreroller/rest/endpoint"
)

// perPage is the default page size.
const perPage = 500

// Handler serves everything below /api/.
type Handler struct{ *endpoint.Server }

// NewHandler returns the API.
func NewHandler(o endpoint.Options) *Handler {
	h := &Handler{endpoint.NewServer(o, dialect())}
	h.mount()
	return h
}

func dialect() endpoint.Dialect {
	return endpoint.Dialect{Fields: fields, Foreign: nebraskas(), Missing: http.StatusBadRequest, Description: description}
}

// nebraskas are the fields that Nebraska added to these objects. To ignore one would change
// what machines get: the payload of one architecture would go to another.
func nebraskas() map[string]string {
	all := map[string]string{}
	for _, name := range []string{"arch", "extra_files", "flatcar_action", "product_id", "track"} {
		all[name] = name + " is a field of Nebraska; this API is that of CoreRoller 1.0, which has none: use /nebraska/api or GraphQL for it"
	}
	return all
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
