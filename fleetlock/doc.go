// Package fleetlock is the endpoint of the FleetLock protocol (Zincati, the Flatcar
// client): POST /v1/pre-reboot takes a reboot slot, POST /v1/steady-state gives it back.
// It has limits, parsing and answers; the rules are in rollout, reached through
// fleet/reboot.
//
// Clients treat every status of 2xx as permission to reboot, so a client that must wait
// gets 409. Every failure has a body with two texts: kind, of the fixed set below,
// because clients use it as the label of a metric, and value, for the client's log.
package fleetlock

import "net/http"

// kind is the stable code of a failure.
type kind string

// The kinds of the endpoint itself. Those of refused slots are the reasons of
// rollout.RebootReason.
const (
	kindBadRequest    kind = "bad_request"
	kindInvalidGroup  kind = "invalid_group"
	kindMissingHeader kind = "missing_header"
	kindUnknownGroup  kind = "unknown_group"
	kindForbidden     kind = "forbidden"
	kindNotFound      kind = "not_found"
	kindMethod        kind = "method_not_allowed"
	kindTooLarge      kind = "too_large"
	kindUnavailable   kind = "unavailable"
	kindInternal      kind = "internal_error"
)

// failure is a request that is answered with an error.
type failure struct {
	status int
	kind   kind
	text   string
}

var (
	errHeader  = failure{http.StatusBadRequest, kindMissingHeader, "the request needs the header fleet-lock-protocol with the value true"}
	errTooBig  = failure{http.StatusRequestEntityTooLarge, kindTooLarge, "the request is too large"}
	errRead    = failure{http.StatusBadRequest, kindBadRequest, "could not read the request"}
	errBusy    = failure{http.StatusServiceUnavailable, kindUnavailable, "too many requests are in progress: try again later"}
	errMethod  = failure{http.StatusMethodNotAllowed, kindMethod, "method not allowed: use POST"}
	errSite    = failure{http.StatusForbidden, kindForbidden, "the request comes from a page of another site"}
	errNoPath  = failure{http.StatusNotFound, kindNotFound, "no such path: the URL misses the secret of the server, or has a wrong one"}
	errFailed  = failure{http.StatusInternalServerError, kindInternal, "the server failed; its log has the reason"}
	errGroup   = failure{http.StatusBadRequest, kindInvalidGroup, "client_params.group must be letters, digits, dots and dashes: the track, name or id of a group"}
	errClient  = failure{http.StatusBadRequest, kindBadRequest, "client_params.id must be printable text of 1 to 253 bytes"}
	errNotJSON = failure{http.StatusBadRequest, kindBadRequest, "the body must be a JSON object with client_params, and that an object with the texts id and group"}
)
