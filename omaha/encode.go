package omaha

import (
	"strconv"
	"time"
	"unicode/utf8"

	"github.com/coreroller/coreroller/fleet/catalog"
)

// prologue is the start of every response. update_engine rejects a response with
// anything but a byte order mark before it.
const prologue = `<?xml version="1.0" encoding="UTF-8"?>` + "\n"

// dayZero is the start of elapsed_days: 1 January 2007, in Unix seconds.
const dayZero = 1167609600

const secondsPerDay = 24 * 60 * 60

// appendResponse appends a response. Each element is on its own line for
// readability; clients ignore the line breaks.
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
	state := r.answer.Channel
	if state != nil {
		b = appendText(b, "channel_track", state.Track)
		b = appendText(b, "channel_arch", state.Arch)
		b = appendText(b, "channel_version", state.Version)
	}
	if status != statusOK && (state == nil || len(state.Withdrawn) == 0) {
		return append(b, "/>\n"...)
	}
	b = append(b, ">\n"...)
	if state != nil {
		b = appendWithdrawn(b, state.Withdrawn)
	}
	if status != statusOK {
		return append(b, "</updatecheck>\n"...)
	}
	b = appendURLs(b, r.answer.Offers)
	for i := range r.answer.Offers {
		b = appendManifest(b, &r.answer.Offers[i], r.app.MultiManifest)
	}
	return append(b, "</updatecheck>\n"...)
}

// appendWithdrawn appends the versions that are blacklisted for the channel, for a mirror
// that asked for them.
func appendWithdrawn(b []byte, all []catalog.Blacklisted) []byte {
	for i := range all {
		b = append(b, `<withdrawn`...)
		b = appendText(b, "version", all[i].Version.String())
		b = appendNonEmpty(b, "reason", all[i].Reason)
		b = append(b, "/>\n"...)
	}
	return b
}

// appendURLs appends the codebases. The protocol has one list per updatecheck,
// every entry is valid for every file, and mirrors use the first. So offers with
// the same URL share one entry. If the URLs differ, entry n belongs to manifest n.
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

// appendManifest appends one version. The payload is the first package, because
// update_engine uses that one. Extra files are not required, because each machine
// chooses those that it needs.
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
	b = append(b, p.Rendered(manifestBody)...)
	return append(b, "</manifest>\n"...)
}

// manifestBody is the part of a manifest that is the same for all machines.
func manifestBody(p *catalog.Package) []byte {
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
	b = appendNonEmpty(b, "hash", f.SHA1Base64)
	b = appendNonEmpty(b, "hash_sha256", f.SHA256Hex)
	return append(b, "/>\n"...)
}

// appendAction appends the postinstall action with the attribute names of go-omaha.
// False booleans are omitted, because update_engine knows only the text "true".
func appendAction(b []byte, a *catalog.Action) []byte {
	b = append(b, `<action`...)
	event := a.Event
	if event == "" {
		event = "postinstall"
	}
	b = appendText(b, "event", event)
	b = appendNonEmpty(b, "sha256", a.SHA256)
	b = appendNonEmpty(b, "DisplayVersion", a.ChromeOSVersion)
	b = appendTrue(b, "needsadmin", a.NeedsAdmin)
	b = appendTrue(b, "IsDeltaPayload", a.IsDelta)
	b = appendTrue(b, "DisablePayloadBackoff", a.DisablePayloadBackoff)
	b = appendNonEmpty(b, "MetadataSignatureRsa", a.MetadataSignatureRSA)
	b = appendNonEmpty(b, "MetadataSize", a.MetadataSize)
	b = appendNonEmpty(b, "deadline", a.Deadline)
	return append(b, "/>\n"...)
}

// appendText appends an attribute. The name must be ASCII.
func appendText(b []byte, name, value string) []byte {
	b = append(b, ' ')
	b = append(b, name...)
	b = append(b, `="`...)
	b = appendEscaped(b, value)
	return append(b, '"')
}

// appendNonEmpty appends an attribute unless the value is empty.
func appendNonEmpty(b []byte, name, value string) []byte {
	if value == "" {
		return b
	}
	return appendText(b, name, value)
}

// appendTrue appends an attribute if the value is true.
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
// sections 2.2, 2.4 and 3.3.3). Tabs and line breaks become references, because
// parsers would replace them by blanks. Characters that XML does not allow become
// U+FFFD.
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
