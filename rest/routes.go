package rest

import (
	_ "embed"
	"net/http"
)

// mount adds all routes. A test compares them with openapi.json.
func (h *Handler) mount() {
	one := func(pattern string, f func(w http.ResponseWriter, r *http.Request) (any, error)) {
		h.routes.Handle(pattern, h.answer(f))
	}
	many := func(pattern string, f func(r *http.Request) (list, error)) { h.routes.Handle(pattern, h.stream(f)) }

	groups, channels, packages := h.groupRoutes(), h.channelRoutes(), h.packageRoutes()

	one("PUT /api/password", h.changePassword)

	many("GET /api/apps", h.applications)
	one("POST /api/apps", h.createApplication)
	one("GET /api/apps/{app}", h.application)
	one("PUT /api/apps/{app}", h.updateApplication)
	one("DELETE /api/apps/{app}", h.deleteApplication)

	many("GET /api/apps/{app}/groups", groups.list)
	one("POST /api/apps/{app}/groups", groups.create)
	one("GET /api/apps/{app}/groups/{group}", groups.read)
	one("PUT /api/apps/{app}/groups/{group}", groups.replace)
	one("DELETE /api/apps/{app}/groups/{group}", groups.remove)

	many("GET /api/apps/{app}/channels", channels.list)
	one("POST /api/apps/{app}/channels", channels.create)
	one("GET /api/apps/{app}/channels/{channel}", channels.read)
	one("PUT /api/apps/{app}/channels/{channel}", channels.replace)
	one("DELETE /api/apps/{app}/channels/{channel}", channels.remove)

	many("GET /api/apps/{app}/packages", packages.list)
	one("POST /api/apps/{app}/packages", packages.create)
	one("GET /api/apps/{app}/packages/{package}", packages.read)
	one("PUT /api/apps/{app}/packages/{package}", packages.replace)
	one("DELETE /api/apps/{app}/packages/{package}", packages.remove)

	many("GET /api/apps/{app}/groups/{group}/instances", h.instances)
	many("GET /api/apps/{app}/groups/{group}/instances/{instance}/status_history", h.statusHistory)

	many("GET /api/activity", h.activity)

	h.routes.HandleFunc("GET /api/openapi.json", describe)
}

// description is the OpenAPI 3.1 description of the API.
//
//go:embed openapi.json
var description []byte

func describe(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(description)
}
