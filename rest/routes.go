package rest

import "net/http"

// mount adds all routes. A test compares them with openapi.json.
func (h *Handler) mount() {
	one := func(pattern string, f func(w http.ResponseWriter, r *http.Request) (any, error)) {
		h.routes.Handle(pattern, h.answer(f))
	}
	many := func(pattern string, f func(r *http.Request) (list, error)) { h.routes.Handle(pattern, h.stream(f)) }

	one("PUT /api/password", h.changePassword)

	many("GET /api/apps", h.applications)
	one("POST /api/apps", h.createApplication)
	one("GET /api/apps/{app}", h.application)
	one("PUT /api/apps/{app}", h.updateApplication)
	one("DELETE /api/apps/{app}", h.deleteApplication)

	many("GET /api/apps/{app}/groups", h.groups)
	one("POST /api/apps/{app}/groups", h.createGroup)
	one("GET /api/apps/{app}/groups/{group}", h.group)
	one("PUT /api/apps/{app}/groups/{group}", h.updateGroup)
	one("DELETE /api/apps/{app}/groups/{group}", h.deleteGroup)

	many("GET /api/apps/{app}/channels", h.channels)
	one("POST /api/apps/{app}/channels", h.createChannel)
	one("GET /api/apps/{app}/channels/{channel}", h.channel)
	one("PUT /api/apps/{app}/channels/{channel}", h.updateChannel)
	one("DELETE /api/apps/{app}/channels/{channel}", h.deleteChannel)

	many("GET /api/apps/{app}/packages", h.packages)
	one("POST /api/apps/{app}/packages", h.createPackage)
	one("GET /api/apps/{app}/packages/{package}", h.release)
	one("PUT /api/apps/{app}/packages/{package}", h.updatePackage)
	one("DELETE /api/apps/{app}/packages/{package}", h.deletePackage)

	many("GET /api/apps/{app}/groups/{group}/instances", h.instances)
	many("GET /api/apps/{app}/groups/{group}/instances/{instance}/status_history", h.statusHistory)

	many("GET /api/activity", h.activity)

	h.routes.HandleFunc("GET /api/openapi.json", describe)
}
