package omaha

import (
	"github.com/coreroller/coreroller/fleet/catalog"
	"github.com/coreroller/coreroller/fleet/checkin"
	"github.com/coreroller/coreroller/rollout"
)

// reply is the response for one application.
type reply struct {
	app    *App
	status string         // of the app element
	reason rollout.Reason // for info, if the status is an error
	answer checkin.Answer // if the status is ok
}

// replyFor converts an answer of the fleet.
func replyFor(app *App, a checkin.Answer) reply {
	status, reason := statusOf(a.Verdict)
	return reply{app: app, status: status, reason: reason, answer: a}
}

// invalidReply is the reply to an invalid request.
func invalidReply(app *App, status string) reply {
	return reply{app: app, status: status, reason: rollout.ReasonInvalidRequest}
}

// unproven returns why a request is forbidden: none of its applications was served,
// because each needs another machine secret or certificate. It returns "" otherwise.
func unproven(replies []reply) (why string) {
	for i := range replies {
		switch v := replies[i].answer.Verdict; {
		case v.Secret():
			why = "the request needs a machine secret that is right for its application and group"
		case v.Certificate():
			why = "the connection needs a client certificate that names the machine of the request"
		default:
			return ""
		}
	}
	return why
}

// failed reports whether the check-in failed by a server fault.
func (r *reply) failed() bool { return r.status == statusInternal }

// statusOf returns the app status of a verdict and the reason for info.
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
	case catalog.VerdictSecretMissing, catalog.VerdictSecretUnknown, catalog.VerdictSecretRevoked, catalog.VerdictSecretExpired:
		return statusSecret, rollout.ReasonInvalidRequest
	case catalog.VerdictCertificateMissing, catalog.VerdictCertificateExpired, catalog.VerdictCertificateOther:
		return statusCertificate, rollout.ReasonInvalidRequest
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
	case r.answer.Refused:
		return statusNoUpdate, infoTooManyNewMachines
	case len(r.answer.Offers) > 0:
		return statusOK, ""
	}
	return statusNoUpdate, r.answer.Decision.Reason.String()
}
