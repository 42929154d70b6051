package omaha

import "github.com/coreroller/coreroller/rollout"

// Request is what is read of an Omaha <request>. Elements and attributes that
// are not named here are ignored, as the protocol asks for. The protocol
// attribute is not looked at either: there is no other version in XML with the
// same root element.
type Request struct {
	OnDemand bool   // installsource "ondemandupdate"
	Arch     string // <os arch>
	Apps     []App
}

// App is one <app> of a request.
type App struct {
	ID       string // appid, echoed byte for byte
	Version  string
	Track    string // track, else release_channel, else ap
	Machine  string // machineid
	Board    string
	OnDemand bool // the app's own installsource

	// Nil when the attribute was not sent. An empty one was sent: it replaces
	// what is stored.
	Alias, OEM, OEMVersion, AlephVersion *string

	Ping            bool
	UpdateCheck     bool
	UpdatesDisabled bool // updatedisabled: the machine will ignore any offer
	MultiManifest   bool // multi_manifest_ok: a mirror that takes all steps at once
	Events          []rollout.Event
}

// The values of the status attributes, as Google's "Omaha Server Protocol V3"
// and go-omaha spell them. error-unknownGroup and error-invalidMachine are
// ours: the protocol leaves "other error-*" open.
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
)

// infoDisabledByClient is the only info that is not a rollout.Reason: the fleet
// is not asked for an update that the machine said it will ignore.
const infoDisabledByClient = "disabled_by_client"
