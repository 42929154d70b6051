package omaha

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/coreroller/coreroller/fleet/catalog"
	"github.com/coreroller/coreroller/fleet/checkin"
	"github.com/coreroller/coreroller/fleet/fault"
	"github.com/coreroller/coreroller/rollout"
	"github.com/coreroller/coreroller/rollout/version"
)

// fakeFleet records check-ins and answers them from a script with one line per app.
type fakeFleet struct {
	script   []string // empty answers "ok"
	checkIns []checkin.CheckIn
	refused  []checkin.Refused
	names    []string // of attributes that every application keeps
}

// keepNone and keepSome are arguments of Parse.
func keepNone(string) []string { return nil }
func keepSome(string) []string { return someNames }

var someNames = []string{"board", "hardware_class", "oem", "oem_region"}

func (f *fakeFleet) RequestAttributes(string) []string { return f.names }

func (f *fakeFleet) Refuse(r checkin.Refused) { f.refused = append(f.refused, r) }

func (f *fakeFleet) CheckIn(_ context.Context, in checkin.CheckIn) (checkin.Answer, error) {
	f.checkIns = append(f.checkIns, in)
	line := "ok"
	if len(f.script) > 0 {
		line, f.script = f.script[0], f.script[1:]
	}
	return scripted(line)
}

// scripted returns the answer for a line of a script: a verb, arguments, and
// optionally poll=<duration> or, for a mirror, channel=<version>, with the withdrawn
// versions after it, separated by commas.
//
//	ok                       no decision
//	hold <reason>            noupdate
//	granted <version>        one manifest, with the floors of packages()
//	steps <version>...       several manifests; a version with ! is a floor
//	verdict <reason>         unknown_application, unknown_group, invalid_version, invalid_machine
//	error <code>             unavailable, invalid, internal
func scripted(line string) (checkin.Answer, error) {
	var a checkin.Answer
	fields := strings.Fields(line)
	if last, ok := strings.CutPrefix(fields[len(fields)-1], "poll="); ok {
		d, err := time.ParseDuration(last)
		if err != nil {
			return a, err
		}
		a.PollInterval, fields = d, fields[:len(fields)-1]
	}
	if last, is := strings.CutPrefix(fields[len(fields)-1], "channel="); is {
		versions := strings.Split(last, ",")
		a.Channel, fields = &checkin.ChannelState{Track: `"stable" & co`, Arch: "amd64", Version: versions[0]}, fields[:len(fields)-1]
		for i, text := range versions[1:] {
			v, ok := version.Parse(text)
			if !ok {
				return a, fmt.Errorf("script: no version %q", text)
			}
			a.Channel.Withdrawn = append(a.Channel.Withdrawn, catalog.Blacklisted{Version: v, Reason: []string{"boots & hangs", ""}[i%2]})
		}
	}
	switch fields[0] {
	case "ok":
	case "hold":
		a.Decision.Reason = rollout.ParseReason(fields[1])
		if a.Decision.Reason == rollout.ReasonNone {
			return a, fmt.Errorf("script: no reason %q", fields[1])
		}
	case "granted", "steps":
		a.Decision.Reason = rollout.ReasonGranted
		for i, version := range fields[1:] {
			version, floor := strings.CutSuffix(version, "!")
			p := packages()[version]
			if p == nil {
				return a, fmt.Errorf("script: no package %q", version)
			}
			o := catalog.Offer{Package: p, Floor: floor, Target: i == len(fields)-2}
			if floor {
				o.FloorReason = `moves /usr to the "new" layout`
			}
			a.Offers = append(a.Offers, o)
		}
	case "verdict":
		v, ok := map[string]catalog.Verdict{
			"unknown_application": catalog.VerdictUnknownApplication,
			"unknown_group":       catalog.VerdictUnknownGroup,
			"invalid_version":     catalog.VerdictInvalidVersion,
			"invalid_machine":     catalog.VerdictInvalidMachine,
			"from_the_future":     catalog.Verdict(200),
		}[fields[1]]
		if !ok {
			return a, fmt.Errorf("script: no verdict %q", fields[1])
		}
		a.Verdict = v
	case "error":
		if fields[1] == "internal" {
			return a, fmt.Errorf("read machines: %w", io.ErrUnexpectedEOF)
		}
		return a, fmt.Errorf("lane: %w", fault.Errorf(fault.Code(fields[1]), "", "scripted"))
	default:
		return a, fmt.Errorf("script: %q", line)
	}
	return a, nil
}

// packages are the packages that a script can offer, by version.
func packages() map[string]*catalog.Package {
	osPackage := func(version, codebase string) *catalog.Package {
		return &catalog.Package{
			Version: version,
			URL:     codebase,
			File: catalog.File{
				Name:       "flatcar_production_update.gz",
				Size:       465881871,
				SHA1Base64: "r3nufcxgMTZaxYEqL+x2zIoeClk=",
				SHA256Hex:  "2ba4c984a2f7a06a1a57fba18f8cbf1d6ea40fbb8ef8e3a2df7bcd7a58eccd9b",
			},
			Action: &catalog.Action{
				Event:                 "postinstall",
				SHA256:                "K6TJhKL3oGoaV/uhj4y/HW6kD7uO+OOi33vNeljszZs=",
				DisablePayloadBackoff: true,
			},
			Reboots: true,
		}
	}
	const mirrored = "https://update.example.net/amd64-usr/"
	all := map[string]*catalog.Package{
		"2000.0.0":      osPackage("2000.0.0", mirrored),
		"2500.0.0":      osPackage("2500.0.0", mirrored),
		"3000.0.0":      osPackage("3000.0.0", mirrored),
		"3000.1.0":      osPackage("3000.1.0", mirrored+"3000.1.0/"),
		"2.0.0+arm":     osPackage("2.0.0", "https://update.example.net/arm64-usr/2.0.0/"),
		"2.0.0":         osPackage("2.0.0", "https://update.example.net/amd64-usr/2.0.0/"),
		"2.0.0+complex": osPackage("2.0.0", `https://update.example.net/a&b/"c"/<d>/`),
		"1.4.0": {
			Version: "1.4.0",
			URL:     "https://get.example.net/app/1.4.0",
			File:    catalog.File{Name: "app.tar", Size: 1048576, SHA256Hex: strings.Repeat("ab", 32)},
			Extra: []catalog.File{
				{Name: "oem-azure.raw", Size: 4096, SHA1Base64: "7ff1Qn+8MwdNt6RG91SkNbuJ5GE=", SHA256Hex: strings.Repeat("0f", 32)},
				{Name: "notes.txt", Size: 12},
			},
		},
	}
	full := osPackage("2.1.0", mirrored)
	full.Action = &catalog.Action{
		SHA256: "K6TJhKL3oGoaV/uhj4y/HW6kD7uO+OOi33vNeljszZs=", ChromeOSVersion: "2.1.0",
		NeedsAdmin: true, IsDelta: true, DisablePayloadBackoff: true,
		MetadataSignatureRSA: "c2lnbmF0dXJl", MetadataSize: "190", Deadline: "now",
	}
	all["2.1.0"] = full
	return all
}

// noon is the clock of all tests: 2024-02-29 12:34:56.789 UTC, day 6268.
func noon() time.Time { return time.Date(2024, 2, 29, 12, 34, 56, 789e6, time.UTC) }

// newTestHandler returns a mounted handler. The clock and the log have defaults.
func newTestHandler(t testing.TB, f Fleet, o Options) http.Handler {
	t.Helper()
	if o.Now == nil {
		o.Now = noon
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	mux := http.NewServeMux()
	NewHandler(f, o).Mount(mux)
	return mux
}

// post sends a body to /v1/update/.
func post(h http.Handler, body string) *httptest.ResponseRecorder {
	return serve(h, httptest.NewRequest(http.MethodPost, "/v1/update/", strings.NewReader(body)))
}

func serve(h http.Handler, r *http.Request) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}
