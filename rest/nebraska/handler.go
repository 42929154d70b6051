// Package nebraska is Nebraska's JSON API for scripts and tools that were written for it:
// the routes, shapes and status codes of Nebraska 4, below /nebraska. It translates to
// fleet's verbs and reads and has no rules of its own. docs/rest.md says what differs.
package nebraska

import (
	"context"
	_ "embed"
	"net/http"
	"slices"
	"strings"

	"github.com/google/uuid"

	"github.com/coreroller/coreroller/fleet/fault"
	"github.com/coreroller/coreroller/rest/endpoint"
)

const (
	// base is in front of every path, so that it is part of the server's URL in tools.
	base = "/nebraska"
	// perPage is the default page size.
	perPage = 10
	// version is the version of Nebraska that has these shapes.
	version = "4.0"
)

// description is the OpenAPI 3.1 description of the API.
//
//go:embed openapi.json
var description []byte

// Handler serves everything below /nebraska/.
type Handler struct{ *endpoint.Server }

// NewHandler returns the API.
func NewHandler(o endpoint.Options) *Handler {
	h := &Handler{endpoint.NewServer(o, endpoint.Dialect{
		Fields: fields, Missing: http.StatusNotFound, Description: description,
		Named: func(ctx context.Context, name string) (uuid.UUID, error) {
			return o.Fleet.View.ApplicationNamed(ctx, name)
		},
	})}
	h.mount()
	return h
}

// ServeHTTP implements http.Handler. As in Nebraska a slash at the end of a path does not
// matter, and the configuration needs no credentials.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if path, cut := strings.CutSuffix(r.URL.Path, "/"); cut {
		r = r.Clone(r.Context())
		r.URL.Path, r.URL.RawPath = path, strings.TrimSuffix(r.URL.RawPath, "/")
	}
	if r.URL.Path == base+"/config" && r.Method == http.MethodGet {
		h.Send(w, r, http.StatusOK, configJSON{NebraskaVersion: version, Title: "CoreRoller", AuthMode: "token"})
		return
	}
	h.Server.ServeHTTP(w, r)
}

// configJSON is what tools ask first.
type configJSON struct {
	AccessManagementURL string `json:"access_management_url"`
	NebraskaVersion     string `json:"nebraska_version"`
	Logo                string `json:"logo"`
	Title               string `json:"title"`
	HeaderStyle         string `json:"header_style"`
	LoginURL            string `json:"login_url"`
	AuthMode            string `json:"auth_mode"`
}

// known refuses parameters that a route does not have: to ignore a filter would return
// more than was asked for.
func known(r *http.Request, names []string) error {
	for name := range r.URL.Query() {
		if !slices.Contains(names, name) {
			return fault.Errorf(fault.Invalid, name, "is not a parameter of this path")
		}
	}
	return nil
}

// one adds a route whose response is one JSON value, with its parameters.
func (h *Handler) one(pattern string, f func(w http.ResponseWriter, r *http.Request) (any, error), params ...string) {
	h.One(route(pattern), func(w http.ResponseWriter, r *http.Request) (any, error) {
		if err := known(r, params); err != nil {
			return nil, err
		}
		return f(w, r)
	})
}

// many adds a route whose response contains a list, with its parameters.
func (h *Handler) many(pattern string, f func(r *http.Request) (endpoint.List, error), params ...string) {
	h.Many(route(pattern), func(r *http.Request) (endpoint.List, error) {
		if err := known(r, params); err != nil {
			return endpoint.List{}, err
		}
		return f(r)
	})
}

func route(pattern string) string {
	method, path, _ := strings.Cut(pattern, " ")
	return method + " " + base + path
}

// mount adds all routes. A test compares them with openapi.json.
func (h *Handler) mount() {
	const force = "force"
	groups, channels, packages := h.groupRoutes(), h.channelRoutes(), h.packageRoutes()

	h.many("GET /api/apps", h.applications, "page", "perpage")
	h.one("POST /api/apps", h.createApplication, "clone_from")
	h.one("GET /api/apps/{app}", h.application)
	h.one("PUT /api/apps/{app}", h.updateApplication)
	h.one("DELETE /api/apps/{app}", h.deleteApplication, force)

	h.many("GET /api/apps/{app}/groups", groups.List, "page", "perpage")
	h.one("POST /api/apps/{app}/groups", groups.Create)
	h.one("GET /api/apps/{app}/groups/{group}", groups.Read)
	h.one("PUT /api/apps/{app}/groups/{group}", groups.Replace)
	h.one("DELETE /api/apps/{app}/groups/{group}", groups.Remove, force)
	h.one("GET /api/apps/{app}/groups/{group}/version_timeline", h.versionTimeline, "duration")
	h.one("GET /api/apps/{app}/groups/{group}/status_timeline", h.statusTimeline, "duration")
	h.one("GET /api/apps/{app}/groups/{group}/instances_stats", h.stats, "duration")
	h.one("GET /api/apps/{app}/groups/{group}/version_breakdown", h.breakdown)

	h.many("GET /api/apps/{app}/channels", channels.List, "page", "perpage")
	h.one("POST /api/apps/{app}/channels", channels.Create)
	h.one("GET /api/apps/{app}/channels/{channel}", channels.Read)
	h.one("PUT /api/apps/{app}/channels/{channel}", channels.Replace)
	h.one("DELETE /api/apps/{app}/channels/{channel}", channels.Remove, force)

	h.many("GET /api/channels/{channel}/floors", h.floors, "page", "perpage")
	h.one("PUT /api/channels/{channel}/floors/{package}", h.setFloor)
	h.one("DELETE /api/channels/{channel}/floors/{package}", h.removeFloor)

	h.many("GET /api/apps/{app}/packages", h.packages, "page", "perpage", "searchVersion")
	h.one("POST /api/apps/{app}/packages", packages.Create)
	h.one("GET /api/apps/{app}/packages/{package}", packages.Read)
	h.one("PUT /api/apps/{app}/packages/{package}", packages.Replace, force)
	h.one("DELETE /api/apps/{app}/packages/{package}", packages.Remove, force)
	h.many("GET /api/apps/{app}/packages/{package}/floor-channels", h.floorChannels)

	h.many("GET /api/apps/{app}/groups/{group}/instances", h.instances, "status", "page", "perpage", "sortFilter", "sortOrder", "searchFilter", "searchValue", "duration", "version")
	h.one("GET /api/apps/{app}/groups/{group}/instancescount", h.instanceCount, "duration")
	h.one("GET /api/apps/{app}/groups/{group}/instances/{instance}", h.instance)
	h.many("GET /api/apps/{app}/groups/{group}/instances/{instance}/status_history", h.statusHistory, "limit")
	h.one("PUT /api/instances/{instance}", h.updateInstance)

	h.many("GET /api/activity", h.activity, "appIDorProductID", "groupID", "channelID", "instanceID", "version", "severity", "start", "end", "page", "perpage")

	h.Describe(route("GET /api/openapi.json"))
}

// counted is the envelope of a page: the list, its length, and the length of all pages.
func counted(name string, total int) *endpoint.Envelope {
	return &endpoint.Envelope{Name: name, End: func(count int) map[string]any { return map[string]any{"count": count, "totalCount": total} }}
}

// of returns the tail of a noun's lists.
func of(name string) func(total int) *endpoint.Envelope {
	return func(total int) *endpoint.Envelope { return counted(name, total) }
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
	"sha1":                        "hash",
	"sha256":                      "flatcar_action.sha256",
	"action":                      "flatcar_action",
	"action.sha256":               "flatcar_action.sha256",
	"action.chromeosVersion":      "flatcar_action.chromeos_version",
	"action.metadataSignatureRsa": "flatcar_action.metadata_signature_rsa",
	"action.metadataSize":         "flatcar_action.metadata_size",
	"action.deadline":             "flatcar_action.deadline",
	"files":                       "extra_files",
	"blacklistedChannelIds":       "channels_blacklist",
	"reason":                      "floor_reason",
	"policy.periodInterval":       "policy_period_interval",
	"policy.maxUpdatesPerPeriod":  "policy_max_updates_per_period",
	"policy.maxConcurrentUpdates": "policy_max_updates_per_period",
	"policy.updateTimeout":        "policy_update_timeout",
	"policy.officeHours":          "policy_office_hours",
	"policy.timezone":             "policy_timezone",
}
