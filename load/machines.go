package load

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync/atomic"
)

// Fleet is who asks: machines of one application and track.
type Fleet struct{ app, track string }

// NewFleet is a fleet whose machines name application and track so; the OS
// daemon writes the id of the application in braces.
func NewFleet(app, track string) Fleet { return Fleet{escape(app), escape(track)} }

func escape(text string) string {
	var b bytes.Buffer
	_ = xml.EscapeText(&b, []byte(text)) // a buffer does not fail
	return b.String()
}

// MachineID is the n-th machine of a fleet's part: 32 hex digits, as a real
// one's. Machines of different parts are different.
func MachineID(part, n uint64) string { return fmt.Sprintf("%016x%016x", part, n) }

// What the OS daemon says; see the protocol's notes in package omaha.
const (
	// Check is what each of its checks carries.
	Check         = `<ping active="1"></ping><updatecheck></updatecheck><event eventtype="3" eventresult="2" previousversion=""></event>`
	checkAfter    = `<ping active="1"></ping><updatecheck></updatecheck><event eventtype="3" eventresult="2" previousversion="%s"></event>`
	downloadBegan = `<event eventtype="13" eventresult="1"></event>`
	downloadEnded = `<event eventtype="14" eventresult="1"></event>`
	installed     = `<event eventtype="3" eventresult="1"></event>`
)

// Append writes a request as the OS daemon does.
func (f Fleet) Append(buf []byte, machine, version, says string) []byte {
	return fmt.Appendf(buf, `<?xml version="1.0" encoding="UTF-8"?>
<request protocol="3.0" version="update_engine-0.4.10" updaterversion="update_engine-0.4.10" installsource="scheduler" ismachine="1">
    <os version="Chateau" platform="CoreOS" sp="%[4]s_x86_64"></os>
    <app appid="%[1]s" version="%[4]s" track="%[2]s" bootid="{d2a7a4c1-8f4c-4a53-9d4e-6f8d6b5b0f10}" oem="ami" oemversion="" alephversion="" machineid="%[3]s" machinealias="" lang="en-US" board="amd64-usr" hardware_class="" delta_okay="false" >
        %[5]s
    </app>
</request>
`, f.app, f.track, machine, version, says)
}

// Checks are checks of known machines, chosen at random: id gives the n-th of
// so many.
func (f Fleet) Checks(machines int, version string, id func(n int) string) Source {
	return func(_ int, _, buf []byte) []byte { return f.Append(buf, id(rand.IntN(machines)), version, Check) }
}

// EveryOne is one check of each machine, so that the server knows them.
func (f Fleet) EveryOne(machines int, version string, id func(n int) string) Source {
	var next atomic.Int64
	return func(_ int, _, buf []byte) []byte {
		n := int(next.Add(1)) - 1
		if n >= machines {
			return nil
		}
		return f.Append(buf, id(n), version, Check)
	}
}

// New are first checks of machines that the server has never seen, counted up
// within a part.
func (f Fleet) New(part uint64, version string) Source {
	var fresh atomic.Uint64
	return func(_ int, _, buf []byte) []byte {
		return f.Append(buf, MachineID(part, fresh.Add(1)), version, Check)
	}
}

// Updates are new machines that walk through a whole update each, every
// connection its own: check, download began, download ended, installed, check
// on the version that was offered. A machine that is offered nothing gives up
// its place to a new one.
func (f Fleet) Updates(part uint64, from string, connections int) Source {
	type walk struct {
		machine, to string
		step        int
	}
	walks := make([]walk, connections)
	var fresh atomic.Uint64
	return func(connection int, answer, buf []byte) []byte {
		w := &walks[connection]
		if w.step == 1 {
			if w.to = offered(answer); w.to == "" {
				w.step = 0
			}
		}
		step := w.step
		w.step = (w.step + 1) % 5
		switch step {
		case 1:
			return f.Append(buf, w.machine, from, downloadBegan)
		case 2:
			return f.Append(buf, w.machine, from, downloadEnded)
		case 3:
			return f.Append(buf, w.machine, from, installed)
		case 4:
			return f.Append(buf, w.machine, w.to, fmt.Sprintf(checkAfter, from))
		}
		w.machine = MachineID(part, fresh.Add(1))
		return f.Append(buf, w.machine, from, Check)
	}
}

// offered is the version of the first manifest of an answer, "" for none.
func offered(answer []byte) string {
	_, rest, _ := bytes.Cut(answer, []byte("<manifest"))
	element, _, _ := bytes.Cut(rest, []byte(">"))
	_, value, _ := bytes.Cut(element, []byte(` version="`))
	version, _, _ := bytes.Cut(value, []byte(`"`))
	return string(version)
}

// Part is a source and how often it comes, against the others of a mix.
type Part struct {
	Weight int
	Source Source
}

// Mix gives each connection one of several sources, as many connections as the
// weights say, so that what a source does in order stays in order. An open loop
// has as many requests of each then; in a closed loop the quick ones have more.
func Mix(parts []Part) Source {
	var turns []Source
	for _, p := range parts {
		turns = append(turns, slices.Repeat([]Source{p.Source}, p.Weight)...)
	}
	return func(connection int, answer, buf []byte) []byte {
		return turns[connection%len(turns)](connection, answer, buf)
	}
}
