package omaha

import (
	"strconv"
	"time"
	"unicode/utf8"

	"github.com/coreroller/coreroller/fleet/catalog"
)

// prologue is the start of every answer. The OS daemon refuses an answer with
// anything but a byte order mark before it.
const prologue = `<?xml version="1.0" encoding="UTF-8"?>` + "\n"

// dayZero is the day that elapsed_days counts from: 1 January 2007, in Unix
// seconds.
const dayZero = 1167609600

const secondsPerDay = 24 * 60 * 60

// appendResponse appends a whole answer. One element a line keeps it readable
// for people; no client minds the line breaks.
func appendResponse(b []byte, now time.Time, replies []reply) []byte {
	b = append(b, prologue...)
	b = append(b, `<response protocol="3.0" server="coreroller">`+"\n"...)
	since := max(now.Unix()-dayZero, 0)
	b = append(b, `<daystart`...)
	b = appendInt(b, "elapsed_seconds", since%secondsPerDay)
	b = appendInt(b, "elapsed_days", since/secondsPerDay)
	b = append(b, "/>\n"...)
	for i := range replies {
		b = appendApp(b, &replies[i])
	}
	return append(b, "</response>\n"...)
}

func appendApp(b []byte, r *reply) []byte {
	b = append(b, `<app`...)
	b = appendText(b, "appid", r.app.ID)
	b = appendText(b, "status", r.status)
	b = append(b, ">\n"...)
	if r.status == statusOK {
		if r.app.Ping {
			b = append(b, `<ping status="ok"/>`+"\n"...)
		}
		for range r.app.Events {
			b = append(b, `<event status="ok"/>`+"\n"...)
		}
	}
	if r.app.UpdateCheck {
		b = appendUpdateCheck(b, r)
	}
	return append(b, "</app>\n"...)
}

func appendUpdateCheck(b []byte, r *reply) []byte {
	status, info := r.updateStatus()
	b = append(b, `<updatecheck`...)
	b = appendText(b, "status", status)
	if info != "" {
		b = appendText(b, "info", info)
	}
	if seconds := int64(r.answer.PollInterval / time.Second); seconds > 0 {
		b = appendInt(b, "PollInterval", seconds)
	}
	if status != statusOK {
		return append(b, "/>\n"...)
	}
	b = append(b, ">\n"...)
	b = appendURLs(b, r.answer.Offers)
	for i := range r.answer.Offers {
		b = appendManifest(b, &r.answer.Offers[i], r.app.MultiManifest)
	}
	return append(b, "</updatecheck>\n"...)
}

// appendURLs writes the codebases. The protocol has one list for the whole
// updatecheck, every entry good for every file, and mirrors take the first. So
// the manifests of a mirror share one entry when they can; when they cannot,
// entry n belongs to manifest n.
func appendURLs(b []byte, offers []catalog.Offer) []byte {
	n := 1
	for i := range offers {
		if offers[i].Package.URL != offers[0].Package.URL {
			n = len(offers)
		}
	}
	b = append(b, "<urls>\n"...)
	for i := range n {
		b = append(b, `<url`...)
		b = appendText(b, "codebase", offers[i].Package.URL)
		b = append(b, "/>\n"...)
	}
	return append(b, "</urls>\n"...)
}

// appendManifest writes one version. The payload is the first package, because
// that is the one the OS daemon takes; extra files are not required, because
// each machine picks those that are for it.
func appendManifest(b []byte, o *catalog.Offer, mirror bool) []byte {
	p := o.Package
	b = append(b, `<manifest`...)
	b = appendText(b, "version", p.Version)
	if mirror {
		if o.Floor {
			b = append(b, ` is_floor="true"`...)
			if o.FloorReason != "" {
				b = appendText(b, "floor_reason", o.FloorReason)
			}
		}
		if o.Target {
			b = append(b, ` is_target="true"`...)
		}
	}
	b = append(b, ">\n"...)
	b = append(b, p.Rendered(contents)...)
	return append(b, "</manifest>\n"...)
}

// contents is what a manifest says of its package whoever asks.
func contents(p *catalog.Package) []byte {
	b := appendFile([]byte("<packages>\n"), &p.File, true)
	for i := range p.Extra {
		b = appendFile(b, &p.Extra[i], false)
	}
	b = append(b, "</packages>\n"...)
	if p.Action != nil {
		b = append(b, "<actions>\n"...)
		b = appendAction(b, p.Action)
		b = append(b, "</actions>\n"...)
	}
	return b
}

func appendFile(b []byte, f *catalog.File, required bool) []byte {
	b = append(b, `<package`...)
	b = appendText(b, "name", f.Name)
	b = appendInt(b, "size", f.Size)
	if required {
		b = append(b, ` required="true"`...)
	} else {
		b = append(b, ` required="false"`...)
	}
	b = appendSet(b, "hash", f.SHA1Base64)
	b = appendSet(b, "hash_sha256", f.SHA256Hex)
	return append(b, "/>\n"...)
}

// appendAction writes the postinstall action with the attribute names of
// go-omaha. Booleans are left out when false: that is what absence means, and
// the OS daemon knows only the text "true".
func appendAction(b []byte, a *catalog.Action) []byte {
	b = append(b, `<action`...)
	event := a.Event
	if event == "" {
		event = "postinstall"
	}
	b = appendText(b, "event", event)
	b = appendSet(b, "sha256", a.SHA256)
	b = appendSet(b, "DisplayVersion", a.ChromeOSVersion)
	b = appendTrue(b, "needsadmin", a.NeedsAdmin)
	b = appendTrue(b, "IsDeltaPayload", a.IsDelta)
	b = appendTrue(b, "DisablePayloadBackoff", a.DisablePayloadBackoff)
	b = appendSet(b, "MetadataSignatureRsa", a.MetadataSignatureRSA)
	b = appendSet(b, "MetadataSize", a.MetadataSize)
	b = appendSet(b, "deadline", a.Deadline)
	return append(b, "/>\n"...)
}

// appendText appends an attribute. The name must be plain ASCII.
func appendText(b []byte, name, value string) []byte {
	b = append(b, ' ')
	b = append(b, name...)
	b = append(b, `="`...)
	b = appendEscaped(b, value)
	return append(b, '"')
}

// appendSet appends an attribute that is left out when empty.
func appendSet(b []byte, name, value string) []byte {
	if value == "" {
		return b
	}
	return appendText(b, name, value)
}

// appendTrue appends an attribute that is left out when false.
func appendTrue(b []byte, name string, value bool) []byte {
	if !value {
		return b
	}
	return appendText(b, name, "true")
}

func appendInt(b []byte, name string, value int64) []byte {
	b = append(b, ' ')
	b = append(b, name...)
	b = append(b, `="`...)
	b = strconv.AppendInt(b, value, 10)
	return append(b, '"')
}

// appendEscaped appends text for a double-quoted attribute value (XML 1.0,
// sections 2.2, 2.4 and 3.3.3): white space but the blank as references,
// because parsers turn it into blanks otherwise, and U+FFFD for what XML cannot
// hold.
func appendEscaped(b []byte, s string) []byte {
	done := 0
	for i := 0; i < len(s); {
		size := 1
		var with string
		switch c := s[i]; {
		case c == '&':
			with = "&amp;"
		case c == '<':
			with = "&lt;"
		case c == '>':
			with = "&gt;"
		case c == '"':
			with = "&quot;"
		case c == '\t':
			with = "&#9;"
		case c == '\n':
			with = "&#10;"
		case c == '\r':
			with = "&#13;"
		case c < ' ':
			with = "\uFFFD"
		case c >= utf8.RuneSelf:
			var r rune
			r, size = utf8.DecodeRuneInString(s[i:])
			if r == utf8.RuneError || r == 0xFFFE || r == 0xFFFF {
				with = "\uFFFD"
			}
		}
		if with != "" {
			b = append(b, s[done:i]...)
			b = append(b, with...)
			done = i + size
		}
		i += size
	}
	return append(b, s[done:]...)
}
