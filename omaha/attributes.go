package omaha

import (
	"encoding/xml"
	"strconv"
	"strings"
	"unicode/utf8"

	"coreroller/rollout"
)

// onDemand is the installsource of a check that a person asked for.
const onDemand = "ondemandupdate"

func readApp(attrs []xml.Attr) App {
	var app App
	var channel, ap string
	for i := range attrs {
		if attrs[i].Name.Space != "" {
			continue
		}
		value := attrs[i].Value
		switch attrs[i].Name.Local {
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
		case "installsource":
			app.OnDemand = value == onDemand
		case "multi_manifest_ok":
			app.MultiManifest = truth(value)
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
	return app
}

func readEvent(attrs []xml.Attr) rollout.Event {
	var e rollout.Event
	for i := range attrs {
		if attrs[i].Name.Space != "" {
			continue
		}
		value := attrs[i].Value
		switch attrs[i].Name.Local {
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

// attr is the value of an attribute, "" when there is none.
func attr(attrs []xml.Attr, name string) string {
	for i := range attrs {
		if attrs[i].Name.Local == name && attrs[i].Name.Space == "" {
			return attrs[i].Value
		}
	}
	return ""
}

// number reads a signed decimal of 32 bits, 0 for anything else.
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

// clip cuts valid UTF-8 to at most n bytes, between two runes.
func clip(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}
