package omaha

import (
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/coreroller/coreroller/fleet/checkin"
	"github.com/coreroller/coreroller/rollout"
)

// onDemand is the installsource of a check that a user started.
const onDemand = "ondemandupdate"

// A syncer of Nebraska, which mirrors another server, is known by its version
// together with its installsource. Old releases of CoreOS send this version too, but
// no machine sends it together with a machine id in braces, see checkin.CheckIn.
const (
	syncerVersion = "CoreOSUpdateEngine-0.1.0.0"
	scheduled     = "scheduler"
)

// attribute is one attribute of an element, with its local name.
type attribute struct{ name, value string }

// element reads a known element. The root has depth 1. Callers omit elements and
// attributes with a namespace prefix, because they are extensions, and pass "" for
// a parent with a prefix. kept returns the names of the attributes that an application
// keeps.
func (r *Request) element(depth int, parent, name string, attrs []attribute, kept func(appID string) []string) error {
	switch {
	case depth == 1:
		source := attr(attrs, "installsource")
		r.OnDemand = source == onDemand
		r.Session = attr(attrs, "sessionid")
		r.Syncer = source == scheduled && attr(attrs, "version") == syncerVersion
	case depth == 2 && name == "os":
		r.Arch = attr(attrs, "arch")
	case depth == 2 && name == "app":
		if len(r.Apps) == maxApps {
			return invalid("more than %d apps", maxApps)
		}
		r.Apps = append(r.Apps, App{})
		app := &r.Apps[len(r.Apps)-1]
		app.read(attrs)
		if len(r.Apps) == 1 {
			app.Request = r.room[:0]
		}
		app.keep(attrs, kept(app.ID))
	case depth == 3 && parent == "app":
		return r.Apps[len(r.Apps)-1].child(name, attrs)
	}
	return nil
}

// child reads a known child element of an app.
func (app *App) child(name string, attrs []attribute) error {
	switch name {
	case "ping":
		app.Ping = true
	case "updatecheck":
		app.UpdateCheck = true
		app.UpdatesDisabled = truth(attr(attrs, "updatedisabled"))
		app.MultiManifest = app.MultiManifest || truth(attr(attrs, "multi_manifest_ok"))
		app.VersionPrefix = attr(attrs, "targetversionprefix")
	case "event":
		if len(app.Events) == maxEvents {
			return invalid("more than %d events", maxEvents)
		}
		app.Events = append(app.Events, readEvent(attrs))
	}
	return nil
}

func (app *App) read(attrs []attribute) {
	var channel, ap string
	for i := range attrs {
		value := attrs[i].value
		switch attrs[i].name {
		case "appid":
			app.ID = value
		case "version":
			app.Version = value
		case "track":
			app.Track = value
		case "release_channel":
			channel = value
		case "ap":
			ap = value
		case "machineid":
			app.Machine = value
		case "board":
			app.Board = value
		case "bootid":
			app.Boot = value
		case "installsource":
			app.OnDemand = value == onDemand
		case "multi_manifest_ok":
			app.MultiManifest = truth(value)
		case "withdrawn_ok":
			app.Withdrawals = truth(value)
		case "machinealias":
			app.Alias = text(value)
		case "oem":
			app.OEM = text(value)
		case "oemversion":
			app.OEMVersion = text(value)
		case "alephversion":
			app.AlephVersion = text(value)
		}
	}
	if app.Track == "" {
		app.Track = channel
	}
	if app.Track == "" {
		app.Track = ap
	}
}

// keep reads the attributes that the application keeps, at most maxKept.
func (app *App) keep(attrs []attribute, names []string) {
	for _, name := range names[:min(len(names), maxKept)] {
		if value := attr(attrs, name); value != "" {
			app.Request = append(app.Request, checkin.RequestAttribute{Name: name, Value: clip(value, maxText)})
		}
	}
}

func readEvent(attrs []attribute) rollout.Event {
	var e rollout.Event
	for i := range attrs {
		value := attrs[i].value
		switch attrs[i].name {
		case "eventtype":
			e.Type = number(value)
		case "eventresult":
			e.Result = number(value)
		case "errorcode":
			e.Code = rollout.ReduceCode(value)
		case "previousversion":
			e.PreviousVersion, e.HasPrevious = clip(value, maxText), true
		}
	}
	return e
}

// attr returns the value of an attribute, or "".
func attr(attrs []attribute, name string) string {
	for i := range attrs {
		if attrs[i].name == name {
			return attrs[i].value
		}
	}
	return ""
}

// number parses a signed 32-bit decimal. It returns 0 for anything else.
func number(s string) int {
	n, err := strconv.ParseInt(strings.TrimSpace(s), 10, 32)
	if err != nil {
		return 0
	}
	return int(n)
}

func truth(s string) bool { return s == "1" || strings.EqualFold(s, "true") }

func text(s string) *string {
	s = clip(s, maxText)
	return &s
}

// clip truncates valid UTF-8 to at most n bytes, at a rune boundary.
func clip(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}
