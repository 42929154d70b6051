package omaha

import (
	"bytes"
	"strings"

	"github.com/coreroller/coreroller/fleet/fault"
)

// Limits of a request. A request of update_engine has less than 1 kB, one app, one
// event and a depth of three. One of Google's client with a dozen apps has some kB.
const (
	maxBody       = 64 << 10 // bytes; larger requests get 413
	maxDepth      = 16       // of nested elements
	maxElements   = 2048     // in total
	maxAttributes = 64       // per element
	maxApps       = 32
	maxEvents     = 64 // per app
	maxKept       = 8  // attributes that an application names

	// maxText limits texts that are stored unchecked (alias, OEM …). Longer ones
	// are truncated. The fleet checks ids and versions.
	maxText = 256 // bytes

	maxMessage = 200 // bytes of an error message in a response
)

// Parse parses one request. It accepts well-formed XML without a document type
// declaration, so the only entities are XML's five and character references.
// Invalid numbers count as 0. Every error is a *fault.Error with code invalid. The
// result does not reference body. kept returns the names of the further attributes of
// <app> that an application keeps, by appid.
//
// A one-pass parser handles what machines usually send. It leaves everything else,
// including every error, to a parser based on encoding/xml. The two agree on every
// text that the first accepts (FuzzFastParser).
func Parse(body []byte, kept func(appID string) []string) (*Request, error) {
	body = bytes.TrimPrefix(body, []byte("\xef\xbb\xbf"))
	if len(body) == 0 {
		return nil, invalid("empty body")
	}
	if req := parseFast(string(body), kept); req != nil {
		return req, nil
	}
	return parseXML(body, kept)
}

// invalid returns an error for the client. The message may quote input, so it is
// truncated.
func invalid(format string, args ...any) error {
	e := fault.Errorf(fault.Invalid, "", format, args...)
	e.Message = clip(strings.ToValidUTF8(e.Message, "?"), maxMessage)
	return e
}
