package rest

import _ "embed"

// mount adds all routes. A test compares them with openapi.json.
func (h *Handler) mount() {
	one, many := h.One, h.Many

	groups, channels, packages := h.groupRoutes(), h.channelRoutes(), h.packageRoutes()

	one("PUT /api/password", h.changePassword)

	many("GET /api/apps", h.applications)
	one("POST /api/apps", h.createApplication)
	one("GET /api/apps/{app}", h.application)
	one("PUT /api/apps/{app}", h.updateApplication)
	one("DELETE /api/apps/{app}", h.deleteApplication)

	many("GET /api/apps/{app}/groups", groups.List)
	one("POST /api/apps/{app}/groups", groups.Create)
	one("GET /api/apps/{app}/groups/{group}", groups.Read)
	one("PUT /api/apps/{app}/groups/{group}", groups.Replace)
	one("DELETE /api/apps/{app}/groups/{group}", groups.Remove)

	many("GET /api/apps/{app}/channels", channels.List)
	one("POST /api/apps/{app}/channels", channels.Create)
	one("GET /api/apps/{app}/channels/{channel}", channels.Read)
	one("PUT /api/apps/{app}/channels/{channel}", channels.Replace)
	one("DELETE /api/apps/{app}/channels/{channel}", channels.Remove)

	many("GET /api/apps/{app}/packages", packages.List)
	one("POST /api/apps/{app}/packages", packages.Create)
	one("GET /api/apps/{app}/packages/{package}", packages.Read)
	one("PUT /api/apps/{app}/packages/{package}", packages.Replace)
	one("DELETE /api/apps/{app}/packages/{package}", packages.Remove)

	many("GET /api/apps/{app}/groups/{group}/instances", h.instances)
	many("GET /api/apps/{app}/groups/{group}/instances/{instance}/status_history", h.statusHistory)

	many("GET /api/activity", h.activity)

	h.Describe("GET /api/openapi.json")
}

// description is the OpenAPI 3.1 description of the API.
//
//go:embed openapi.json
var description []byte
