package omaha

import (
	"github.com/coreroller/coreroller/fleet/catalog"
	"github.com/coreroller/coreroller/fleet/checkin"
	"github.com/coreroller/coreroller/rollout"
)

// reply is what is said about one application of a request.
type reply struct {
	app    *App
	status string         // of the app element
	reason rollout.Reason // of a refusal, for info
	answer checkin.Answer // when the status is ok
}

// replyFor turns the fleet's answer into a reply.
func replyFor(app *App, a checkin.Answer) reply {
	status, reason := statusOf(a.Verdict)
	return reply{app: app, status: status, reason: reason, answer: a}
}

// refusal is a reply without an answer of the fleet.
func refusal(app *App, status string) reply {
	return reply{app: app, status: status, reason: rollout.ReasonInvalidRequest}
}

// failed reports whether the fleet had no answer although it should have.
func (r *reply) failed() bool { return r.status == statusInternal }

// statusOf is the app status of a verdict and the reason that goes with it.
func statusOf(v catalog.Verdict) (string, rollout.Reason) {
	switch v {
	case catalog.VerdictOK:
		return statusOK, rollout.ReasonNone
	case catalog.VerdictUnknownApplication:
		return statusUnknownApplication, rollout.ReasonUnknownApplication
	case catalog.VerdictUnknownGroup:
		return statusUnknownGroup, rollout.ReasonUnknownGroup
	case catalog.VerdictInvalidVersion:
		return statusInvalidVersion, rollout.ReasonInvalidRequest
	case catalog.VerdictInvalidMachine:
		return statusInvalidMachine, rollout.ReasonInvalidRequest
	}
	return statusInternal, rollout.ReasonNone
}

// updateStatus is the status and info of the updatecheck element.
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
