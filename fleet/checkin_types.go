package fleet

import (
	"sync/atomic"
	"time"

	"github.com/coreroller/coreroller/rollout"
)

// CheckIn is what one machine says about one application in one request, in
// the order it is applied: events, then ping, then update check.
type CheckIn struct {
	AppID   string // application id (any case, with or without braces) or product id
	Track   string // group: its track, its id, or a well-known group id; "" = none
	Machine string // opaque machine id
	Version string // running version as sent; "" and "ForcedUpdate" mean none

	Board string // "amd64-usr", "arm64-usr"; wins over Arch
	Arch  string // os arch, "" = amd64

	// What is kept with the machine. A nil pointer was not sent: what is
	// stored stays. Empty text replaces.
	Alias, OEM, OEMVersion, AlephVersion *string

	Address  string // of the client, already resolved through trusted proxies
	OnDemand bool   // installsource "ondemandupdate"

	Events        []rollout.Event
	Ping          bool
	UpdateCheck   bool
	MultiManifest bool // a mirror that takes all manifests at once
}

// Verdict is what is said about the application itself.
type Verdict uint8

// The verdicts of a check-in.
const (
	VerdictOK Verdict = iota
	VerdictUnknownApplication
	VerdictUnknownGroup   // also: unknown architecture
	VerdictInvalidVersion // the version cannot be compared
	VerdictInvalidMachine // the machine id is empty, too long or not printable
)

// Answer is what the machine is told. It is on disk before it is returned.
type Answer struct {
	Verdict  Verdict
	Decision rollout.Decision // of the update check, when one was asked
	// Offers is one manifest for a grant, all steps in order for a mirror,
	// none otherwise. The values are shared and must not be changed.
	Offers       []Offer
	PollInterval time.Duration // 0 = say nothing
}

// Offer is one manifest.
type Offer struct {
	Package     *Package
	Floor       bool // a version no machine may skip
	FloorReason string
	Target      bool // the channel's package itself
}

// Package is a version as the catalog keeps it, ready to be sent.
type Package struct {
	ID          rollout.ID
	Version     string
	URL         string // codebase
	File        File   // the payload
	Extra       []File
	Action      *Action // for operating systems
	Reboots     bool
	Description string

	form atomic.Pointer[[]byte]
}

// Form is a package in the words of the protocol that machines speak, made when
// it is asked for first and kept as long as the package: until the catalog has
// another revision. The bytes must not be changed.
func (p *Package) Form(render func(*Package) []byte) []byte {
	if kept := p.form.Load(); kept != nil {
		return *kept
	}
	form := render(p)
	p.form.Store(&form)
	return form
}

// File is one file of a package.
type File struct {
	Name       string
	Size       int64  // bytes
	SHA1Base64 string // "" = not known
	SHA256Hex  string // lower case, "" = not known
}

// Action is the postinstall action that the OS daemon needs.
type Action struct {
	Event                 string // "postinstall"
	SHA256                string // base64 of the payload's SHA-256
	ChromeOSVersion       string
	NeedsAdmin            bool
	IsDelta               bool
	DisablePayloadBackoff bool
	MetadataSignatureRSA  string
	MetadataSize          string
	Deadline              string
}
