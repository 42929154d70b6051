package simulate

import (
	"fmt"
	"strings"

	"github.com/coreroller/coreroller/simulate/load"
)

// Identity is the attributes that a machine sends in every request.
type Identity struct {
	App, Track, Machine string
	Alias               string
	OEM, OEMVersion     string
	AlephVersion        string // the version first installed
	Board               string // amd64-usr or arm64-usr
}

// Event is one event element. Code is sent if HasCode is set, Previous if
// HasPrevious is set.
type Event struct {
	Type, Result int
	Code         int32
	HasCode      bool
	Previous     string
	HasPrevious  bool
}

// Request is one Omaha request of a machine.
type Request struct {
	Version, Boot string
	Ping, Check   bool
	Event         *Event
}

// daemonXML encodes the request as update_engine does.
func daemonXML(id *Identity, r Request) []byte {
	d := load.Daemon{
		App: load.Escape(id.App), Version: load.Escape(r.Version), Track: load.Escape(id.Track), Boot: r.Boot, Machine: id.Machine,
		Alias: load.Escape(id.Alias), OEM: load.Escape(id.OEM), OEMVersion: load.Escape(id.OEMVersion), AlephVersion: load.Escape(id.AlephVersion),
		Board: load.Escape(id.Board), Arch: "x86_64",
	}
	if strings.HasPrefix(id.Board, "arm64") {
		d.Arch = "aarch64"
	}
	var elements []string
	if r.Ping {
		elements = append(elements, `<ping active="1"></ping>`)
	}
	if r.Check {
		elements = append(elements, check)
	}
	if r.Event != nil {
		elements = append(elements, r.Event.xml())
	}
	return d.Append(make([]byte, 0, 1<<10), strings.Join(elements, "\n        "))
}

const check = "<updatecheck></updatecheck>"

// programXML encodes the request as Nebraska's updater library (go-omaha) does,
// byte for byte.
func programXML(id *Identity, r Request) []byte {
	elements := ""
	if r.Check {
		elements = check
	}
	if r.Event != nil {
		elements += r.Event.xml()
	}
	return fmt.Appendf(nil, `<request protocol="3.0" sessionid="%s" userid="%s" version="go-omaha"><os platform="linux" arch="x64"></os>`+
		`<app appid="%s" version="%s" track="%s" bootid="%s" machineid="%s">%s</app></request>`,
		r.Boot, id.Machine, load.Escape(id.App), load.Escape(r.Version), load.Escape(id.Track), r.Boot, id.Machine, elements)
}

func (e *Event) xml() string {
	attributes := fmt.Sprintf(`eventtype="%d" eventresult="%d"`, e.Type, e.Result)
	if e.HasCode {
		attributes += fmt.Sprintf(` errorcode="%d"`, e.Code)
	}
	if e.HasPrevious {
		attributes += fmt.Sprintf(` previousversion="%s"`, load.Escape(e.Previous))
	}
	return "<event " + attributes + "></event>"
}
