package catalog

import (
	"sync/atomic"

	"github.com/coreroller/coreroller/rollout"
)

// Verdict says whether the application and group of a check-in could be resolved.
type Verdict uint8

// The verdicts.
const (
	VerdictOK Verdict = iota
	VerdictUnknownApplication
	VerdictUnknownGroup   // also: unknown architecture
	VerdictInvalidVersion // the version cannot be compared
	VerdictInvalidMachine // the machine id is empty, too long or not printable
	VerdictSecretMissing  // the group requires a machine secret
	VerdictSecretUnknown  // also: of another application or group
	VerdictSecretRevoked
	VerdictSecretExpired
	VerdictCertificateMissing // the group requires a client certificate
	VerdictCertificateExpired // since its connection began
	VerdictCertificateOther   // it names other machines
)

// Secret reports whether the request has no right secret.
func (v Verdict) Secret() bool { return v >= VerdictSecretMissing && v <= VerdictSecretExpired }

// Certificate reports whether the request has no certificate of its machine.
func (v Verdict) Certificate() bool {
	return v >= VerdictCertificateMissing && v <= VerdictCertificateOther
}

// Offer is one manifest of a channel.
type Offer struct {
	Package     *Package
	Floor       bool // machines may not skip this version
	FloorReason string
	Target      bool // the package the channel points to
}

// Package is a version as it is sent to machines.
type Package struct {
	ID          rollout.ID
	Version     string
	URL         string // codebase
	File        File   // the payload
	Extra       []File
	Action      *Action // for operating systems
	Reboots     bool
	Description string

	rendered atomic.Pointer[[]byte]
}

// Rendered returns the package in the form of a protocol: the result of render,
// cached for the life of the package, which is one catalog revision. The bytes
// must not be changed.
func (p *Package) Rendered(render func(*Package) []byte) []byte {
	if cached := p.rendered.Load(); cached != nil {
		return *cached
	}
	text := render(p)
	p.rendered.Store(&text)
	return text
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
