package load

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"math/rand/v2"
	"sync/atomic"
)

// Daemon is the attributes of a request of update_engine 0.4.10. They must be
// escaped; see Escape.
type Daemon struct {
	App, Version, Track, Boot, Machine, Alias string
	OEM, OEMVersion, AlephVersion             string
	Board, Arch                               string // "amd64-usr" and "x86_64"
}

// Append appends a request with the given elements, byte for byte as update_engine
// encodes it.
func (d *Daemon) Append(buf []byte, elements string) []byte {
	for _, text := range [...]string{
		`<?xml version="1.0" encoding="UTF-8"?>
<request protocol="3.0" version="update_engine-0.4.10" updaterversion="update_engine-0.4.10" installsource="scheduler" ismachine="1">
    <os version="Chateau" platform="CoreOS" sp="`, d.Version, "_", d.Arch, `"></os>
    <app appid="`, d.App, `" version="`, d.Version, `" track="`, d.Track, `" bootid="`, d.Boot, `" oem="`, d.OEM, `" oemversion="`, d.OEMVersion,
		`" alephversion="`, d.AlephVersion, `" machineid="`, d.Machine, `" machinealias="`, d.Alias, `" lang="en-US" board="`, d.Board,
		`" hardware_class="" delta_okay="false" >
        `, elements, `
    </app>
</request>
`,
	} {
		buf = append(buf, text...)
	}
	return buf
}

// Escape escapes text for an XML attribute.
func Escape(text string) string {
	var b bytes.Buffer
	_ = xml.EscapeText(&b, []byte(text)) // writing to a bytes.Buffer does not fail
	return b.String()
}

// Fleet encodes requests of update_engine machines of one application and track.
type Fleet struct{ app, track string }

// NewFleet returns a Fleet. update_engine sends the application id in braces.
func NewFleet(app, track string) Fleet { return Fleet{Escape(app), Escape(track)} }

// MachineID is the id of the n-th machine of a series: 32 hex digits, as on real
// machines. The series differ in all their ids.
func MachineID(series, n uint64) string { return fmt.Sprintf("%016x%016x", series, n) }

// The elements of update_engine's requests.
const (
	// Check is the elements of a usual check.
	Check            = `<ping active="1"></ping><updatecheck></updatecheck><event eventtype="3" eventresult="2" previousversion=""></event>`
	checkAfterReboot = `<ping active="1"></ping><updatecheck></updatecheck><event eventtype="3" eventresult="2" previousversion="%s"></event>`
	downloadStarted  = `<event eventtype="13" eventresult="1"></event>`
	downloadFinished = `<event eventtype="14" eventresult="1"></event>`
	installed        = `<event eventtype="3" eventresult="1"></event>`
)

// Append appends a request of one machine with the given elements.
func (f Fleet) Append(buf []byte, machine, version, elements string) []byte {
	d := Daemon{App: f.app, Version: version, Track: f.track, Boot: "{d2a7a4c1-8f4c-4a53-9d4e-6f8d6b5b0f10}", OEM: "ami", Machine: machine,
		Board: "amd64-usr", Arch: "x86_64"}
	return d.Append(buf, elements)
}

// Checks are checks of randomly chosen known machines. id returns the id of the
// n-th.
func (f Fleet) Checks(machines int, version string, id func(n int) string) Source {
	return func(_ int, _, buf []byte) []byte {
		return f.Append(buf, id(rand.IntN(machines)), version, Check) //nolint:gosec // G404: picks a machine, no secret
	}
}

// CheckOnce is one check of each machine, which registers them.
func (f Fleet) CheckOnce(machines int, version string, id func(n int) string) Source {
	var next atomic.Int64
	return func(_ int, _, buf []byte) []byte {
		n := int(next.Add(1)) - 1
		if n >= machines {
			return nil
		}
		return f.Append(buf, id(n), version, Check)
	}
}

// FirstChecks are checks of machines that the server does not know yet, numbered
// within a series.
func (f Fleet) FirstChecks(series uint64, version string) Source {
	var last atomic.Uint64
	return func(_ int, _, buf []byte) []byte {
		return f.Append(buf, MachineID(series, last.Add(1)), version, Check)
	}
}

// Updates are complete updates of new machines, one machine per connection at a
// time: check, download started, download finished, installed, check on the
// offered version. A machine without an offer is replaced by a new one.
func (f Fleet) Updates(series uint64, from string, connections int) Source {
	type update struct {
		machine, to string
		step        int
	}
	updates := make([]update, connections)
	var last atomic.Uint64
	return func(connection int, answer, buf []byte) []byte {
		u := &updates[connection]
		if u.step == 1 {
			if u.to = offeredVersion(answer); u.to == "" {
				u.step = 0
			}
		}
		step := u.step
		u.step = (u.step + 1) % 5
		switch step {
		case 1:
			return f.Append(buf, u.machine, from, downloadStarted)
		case 2:
			return f.Append(buf, u.machine, from, downloadFinished)
		case 3:
			return f.Append(buf, u.machine, from, installed)
		case 4:
			return f.Append(buf, u.machine, u.to, fmt.Sprintf(checkAfterReboot, from))
		}
		u.machine = MachineID(series, last.Add(1))
		return f.Append(buf, u.machine, from, Check)
	}
}

// offeredVersion returns the version of the first manifest, or "".
func offeredVersion(answer []byte) string {
	_, rest, _ := bytes.Cut(answer, []byte("<manifest"))
	element, _, _ := bytes.Cut(rest, []byte(">"))
	_, value, _ := bytes.Cut(element, []byte(` version="`))
	version, _, _ := bytes.Cut(value, []byte(`"`))
	return string(version)
}

// Mix assigns the connections to the sources in turns, so that the requests of a
// source stay in order. A source that is listed n times gets n shares of the
// connections. In an open loop the requests are in the same proportion. In a closed
// loop faster sources send more.
func Mix(sources []Source) Source {
	return func(connection int, answer, buf []byte) []byte {
		return sources[connection%len(sources)](connection, answer, buf)
	}
}
