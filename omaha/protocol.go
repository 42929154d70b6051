package omaha

import (
	"github.com/coreroller/coreroller/fleet/checkin"
	"github.com/coreroller/coreroller/rollout"
)

// Request is the used part of an Omaha <request>. Other elements and attributes are
// ignored, as the protocol requires. The protocol attribute is ignored too, because
// no other XML version has the same root element.
type Request struct {
	OnDemand bool   // installsource "ondemandupdate"
	Syncer   bool   // the version and installsource of Nebraska's syncer
	Arch     string // <os arch>
	Session  string // sessionid
	Apps     []App

	// room is for the Request of the first app, so that it needs no allocation of its own.
	room [maxKept]checkin.RequestAttribute
}

// App is one <app> of a request.
type App struct {
	ID       string // appid; the response repeats it unchanged
	Version  string
	Track    string // track, or else release_channel, or else ap
	Machine  string // machineid
	Board    string
	Boot     string // bootid
	OnDemand bool   // the app's own installsource

	// Nil if the attribute was not sent. An empty text replaces the stored one.
	Alias, OEM, OEMVersion, AlephVersion *string

	Request []checkin.RequestAttribute // that the application keeps, not empty, by name

	Ping            bool
	UpdateCheck     bool
	UpdatesDisabled bool   // updatedisabled: the machine will ignore any offer
	VersionPrefix   string // targetversionprefix: the machine accepts no other versions
	Withdrawals     bool   // withdrawn_ok: a mirror that wants the state of the channel, see docs/mirror.md
	MultiManifest   bool   // multi_manifest_ok, of the app or its updatecheck: a mirror that accepts all steps at once
	Events          []rollout.Event
}

// Values of the status attributes, as in Google's "Omaha Server Protocol V3" and
// go-omaha. error-unknownGroup, error-invalidMachine, error-secret and error-certificate are ours,
// because the protocol allows other values that start with error-.
const (
	statusOK       = "ok"
	statusNoUpdate = "noupdate"

	statusUnknownApplication = "error-unknownApplication"
	statusInvalidAppID       = "error-invalidAppId"
	statusInvalidVersion     = "error-invalidVersion"
	statusInternal           = "error-internal"
	statusUnknownGroup       = "error-unknownGroup"
	statusInvalidMachine     = "error-invalidMachine"
	statusInvalidRequest     = "error-invalidRequest"
	statusSecret             = "error-secret"
	statusCertificate        = "error-certificate"
)

// infoTooManyNewMachines is no rollout.Reason, because the engine is not asked.
const infoTooManyNewMachines = "too_many_new_machines"
