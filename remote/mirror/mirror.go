// Package mirror asks another update server over Omaha what it offers on one channel,
// as a server that mirrors it. It checks the answer and returns values. It knows no
// database, and it changes nothing.
package mirror

import (
	"fmt"
	"strings"
	"time"
)

// Query is one question to an upstream server.
type Query struct {
	URL       string // of the Omaha endpoint
	App       string // application id that the upstream knows, sent as it is
	Track     string // of the upstream
	Arch      string // amd64 or arm64
	Version   string // that the channel has here, "" = Oldest
	MachineID string // {uuid}: always the same for one channel
	Flatcar   bool   // the application is Flatcar: packages must be payloads for update_engine
}

// Oldest is the version that is sent for a channel without a package: that of the first
// release that updates itself, as other mirrors do.
const Oldest = "766.0.0"

// Answer is what an upstream offers to a mirror.
type Answer struct {
	// Manifests are the versions on the way to the target, in the order of the answer;
	// none if there is nothing newer than the version that was sent.
	Manifests []Manifest
	Target    int   // index in Manifests; -1: none of them is the target
	Bytes     int64 // of the answer

	// State of the upstream's channel; nil unless the upstream is a CoreRoller server
	// that sends it, see docs/mirror.md.
	Channel *Channel
}

// Channel is the state of the upstream's channel.
type Channel struct {
	Version   string // "" = it has no package
	Withdrawn []Withdrawn
}

// Withdrawn is a version that is blacklisted for the upstream's channel.
type Withdrawn struct{ Version, Reason string }

// Manifest is one version.
type Manifest struct {
	Version     string
	Codebase    string // ends with a slash
	Floor       bool
	FloorReason string
	Payload     File
	Extra       []File
	Action      *Action // nil: none
}

// File is a file of a version.
type File struct {
	Name   string
	Size   int64  // bytes
	SHA1   string // base64, "" = not sent
	SHA256 string // lower-case hex, "" = not sent
}

// Action is the postinstall action.
type Action struct {
	DisplayVersion        string
	NeedsAdmin            bool
	IsDelta               bool
	DisablePayloadBackoff bool
	MetadataSignatureRSA  string
	MetadataSize          string
	Deadline              string
}

// Limits of one question.
type Limits struct {
	Size  int64         // bytes of the answer
	Total time.Duration // of the whole question
	Stall time.Duration // without a byte
}

// DefaultLimits fit a slow line: an answer with all extra files has about 10 kB a version.
func DefaultLimits() Limits {
	return Limits{Size: 4 << 20, Total: time.Minute, Stall: 20 * time.Second}
}

// Limits of an answer.
const (
	maxManifests = 100
	maxFiles     = 101 // the payload and 100 others
	maxVersion   = 64
	maxName      = 255
	maxURL       = 2_000
	maxText      = 500
	maxWithdrawn = 100
	maxSize      = 1 << 42 // bytes of one file
)

// Error is why an upstream gives no usable answer, as a message for a person. Any other
// error is that of the context.
type Error struct{ message string }

func (e *Error) Error() string { return e.message }

// errorf takes %w as fmt.Errorf does; only the text is kept.
func errorf(format string, args ...any) *Error { return &Error{fmt.Errorf(format, args...).Error()} }

// quoted returns foreign text for a message: quoted, so that it hides nothing, and short.
func quoted(text string) string {
	const most = 100
	if len(text) > most {
		text = strings.ToValidUTF8(text[:most], "") + "…"
	}
	return fmt.Sprintf("%+q", text)
}
