package checkin

import (
	"crypto/x509"
	"time"

	"github.com/coreroller/coreroller/fleet/catalog"
	"github.com/coreroller/coreroller/rollout"
)

// CheckIn is what one machine reports and asks about one application in one
// request. It is applied in this order: events, ping, update check. White space and
// one pair of quotes around track, machine, version and alias are ignored.
type CheckIn struct {
	AppID   string // application id (any case, with or without braces) or product id
	Track   string // group: its track, its id, or a well-known group id; "" = none
	Machine string // opaque machine id
	Version string // running version as sent; "" and "ForcedUpdate" mean none

	Board string // "amd64-usr", "arm64-usr"; wins over Arch
	Arch  string // os arch, "" = amd64

	Secret      catalog.SecretHash // of the machine secret, zero: none was sent
	Certificate *x509.Certificate  // of the client, signed by the CA for machines; nil: none

	Attributes
	rollout.Check // what the update check demands

	Events        []rollout.Event
	Ping          bool
	UpdateCheck   bool
	MultiManifest bool // a mirror that accepts several manifests in one answer
	Syncer        bool // a mirror, if the machine id is a UUID in braces
	Withdrawals   bool // a mirror that also wants the state of the channel
}

// Attributes of a machine are stored with it. A nil pointer was not sent and
// keeps the stored value; an empty text replaces it.
type Attributes struct {
	Alias, OEM, OEMVersion, AlephVersion *string

	Address string // of the client, resolved through trusted proxies

	// Request are those that the application names, sorted by name. An update check
	// replaces all stored ones. The check-in may change the values.
	Request []RequestAttribute
}

// RequestAttribute is an attribute of the request that the application names.
type RequestAttribute struct{ Name, Value string }

// Answer is the answer to a check-in. It is on disk before it is returned.
type Answer struct {
	Verdict  catalog.Verdict
	Decision rollout.Decision // of the update check, if there was one
	// Offers holds one manifest for a grant, all steps in order for a mirror,
	// none otherwise. The values are shared and must not be changed.
	Offers       []catalog.Offer
	PollInterval time.Duration // 0 = not sent
	Refused      bool          // a new machine that was not registered, because of a quota

	Channel *ChannelState // for a mirror that asked for it, else nil
}

// ChannelState is what a mirror of ours is sent besides the offers.
type ChannelState struct {
	Track, Arch string // as the mirror named them, if the group has them
	Version     string // of the channel's package, "" = none
	Withdrawn   []catalog.Blacklisted
}
