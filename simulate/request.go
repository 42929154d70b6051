package simulate

import (
	"bytes"
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
		elements = append(elements, "<updatecheck></updatecheck>")
	}
	if r.Event != nil {
		var b bytes.Buffer
		r.Event.write(&b)
		elements = append(elements, b.String())
	}
	return d.Append(make([]byte, 0, 1<<10), strings.Join(elements, "\n        "))
}

// programXML encodes the request as Nebraska's updater library (go-omaha) does,
// byte for byte.
func programXML(id *Identity, r Request) []byte {
	var b bytes.Buffer
	b.Grow(512)
	b.WriteString("<request")
	attribute(&b, "protocol", "3.0")
	attribute(&b, "sessionid", r.Boot)
	attribute(&b, "userid", id.Machine)
	attribute(&b, "version", "go-omaha")
	b.WriteString("><os platform=\"linux\" arch=\"x64\"></os><app")
	attribute(&b, "appid", id.App)
	attribute(&b, "version", r.Version)
	attribute(&b, "track", id.Track)
	attribute(&b, "bootid", r.Boot)
	attribute(&b, "machineid", id.Machine)
	b.WriteByte('>')
	if r.Check {
		b.WriteString("<updatecheck></updatecheck>")
	}
	if r.Event != nil {
		r.Event.write(&b)
	}
	b.WriteString("</app></request>")
	return b.Bytes()
}

func (e *Event) write(b *bytes.Buffer) {
	fmt.Fprintf(b, `<event eventtype="%d" eventresult="%d"`, e.Type, e.Result)
	if e.HasCode {
		fmt.Fprintf(b, ` errorcode="%d"`, e.Code)
	}
	if e.HasPrevious {
		attribute(b, "previousversion", e.Previous)
	}
	b.WriteString("></event>")
}

func attribute(b *bytes.Buffer, name, value string) {
	b.WriteByte(' ')
	b.WriteString(name)
	b.WriteString(`="`)
	b.WriteString(load.Escape(value))
	b.WriteByte('"')
}
