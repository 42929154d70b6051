package omaha

import (
	"github.com/coreroller/coreroller/fleet"
	"github.com/coreroller/coreroller/rollout"
)

// reply is the response for one application.
type reply struct {
	app    *App
	status string         // of the app element
	reason rollout.Reason // for info, if the status is an error
	answer fleet.Answer   // if the status is ok
}

// replyFor converts an answer of the fleet.
func replyFor(app *App, a fleet.Answer) reply {
	status, reason := statusOf(a.Verdict)
	return reply{app: app, status: status, reason: reason, answer: a}
}

// invalidReply is the reply to an invalid request.
func invalidReply(app *App, status string) reply {
	return reply{app: app, status: status, reason: rollout.ReasonInvalidRequest}
}

// failed reports whether the check-in failed by a server fault.
func (r *reply) failed() bool { return r.status == statusInternal }

// statusOf returns the app status of a verdict and the reason for info.
func statusOf(v fleet.Verdict) (string, rollout.Reason) {
	switch v {
	case fleet.VerdictOK:
		return statusOK, rollout.ReasonNone
	case fleet.VerdictUnknownApplication:
		return statusUnknownApplication, rollout.ReasonUnknownApplication
	case fleet.VerdictUnknownGroup:
		return statusUnknownGroup, rollout.ReasonUnknownGroup
	case fleet.VerdictInvalidVersion:
		return statusInvalidVersion, rollout.ReasonInvalidRequest
	case fleet.VerdictInvalidMachine:
		return statusInvalidMachine, rollout.ReasonInvalidRequest
	}
	return statusInternal, rollout.ReasonNone
}

// updateStatus returns the status and info of the updatecheck element.
func (r *reply) updateStatus() (status, info string) {
	switch {
	case r.failed():
		return statusInternal, ""
	case r.status != statusOK:
		return statusNoUpdate, r.reason.String()
	case r.app.UpdatesDisabled:
		return statusNoUpdate, infoDisabledByClient
	case len(r.answer.Offers) > 0:
		return statusOK, ""
	}
	return statusNoUpdate, r.answer.Decision.Reason.String()
}
