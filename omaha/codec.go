package omaha

import (
	"bytes"
	"strings"

	"github.com/coreroller/coreroller/fleet/fault"
)

// The limits of a request. A real one has less than 1 kB, one app, one event
// and a depth of three; Google's with a dozen applications has some kB.
const (
	maxBody       = 64 << 10 // bytes; more is answered with 413
	maxDepth      = 16       // elements inside one another
	maxElements   = 2048     // all together
	maxAttributes = 64       // of one element
	maxApps       = 32
	maxEvents     = 64 // of one app

	// maxText bounds what is stored without being looked at (alias, OEM …);
	// longer texts are cut. Ids and versions are judged by the fleet instead.
	maxText = 256 // bytes

	maxMessage = 200 // bytes of an error text sent back
)

// Parse reads one request. It accepts only well-formed XML without document
// type declaration, so without entities other than XML's own five and character
// references. Numbers that are none count as 0. Any error is a *fleet.Error
// with code invalid. The result holds no reference to body.
//
// What machines send is read in one pass over the text. Whatever is unusual in
// it, and all that is refused, is for the standard library's decoder to judge:
// the two agree on every text that the first one takes (FuzzPlain).
func Parse(body []byte) (*Request, error) {
	body = bytes.TrimPrefix(body, []byte("\xef\xbb\xbf"))
	if len(body) == 0 {
		return nil, invalid("empty body")
	}
	if req := parsePlain(string(body)); req != nil {
		return req, nil
	}
	return parseAny(body)
}

// invalid is an error for the client to read; quoted input may make it long.
func invalid(format string, args ...any) error {
	e := fault.Errorf(fault.Invalid, "", format, args...)
	e.Message = clip(strings.ToValidUTF8(e.Message, "?"), maxMessage)
	return e
}
