package simulate

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"strings"
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

// daemonXML encodes the request as update_engine 0.4.10 does, byte for byte.
func daemonXML(id *Identity, r Request) []byte {
	var b bytes.Buffer
	b.Grow(1024)
	b.WriteString("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n" +
		"<request protocol=\"3.0\" version=\"update_engine-0.4.10\" updaterversion=\"update_engine-0.4.10\"" +
		" installsource=\"scheduler\" ismachine=\"1\">\n    <os")
	uname := "x86_64"
	if strings.HasPrefix(id.Board, "arm64") {
		uname = "aarch64"
	}
	attribute(&b, "version", "Chateau")
	attribute(&b, "platform", "CoreOS")
	attribute(&b, "sp", r.Version+"_"+uname)
	b.WriteString("></os>\n    <app")
	attribute(&b, "appid", id.App)
	attribute(&b, "version", r.Version)
	attribute(&b, "track", id.Track)
	attribute(&b, "bootid", r.Boot)
	attribute(&b, "oem", id.OEM)
	attribute(&b, "oemversion", id.OEMVersion)
	attribute(&b, "alephversion", id.AlephVersion)
	attribute(&b, "machineid", id.Machine)
	attribute(&b, "machinealias", id.Alias)
	attribute(&b, "lang", "en-US")
	attribute(&b, "board", id.Board)
	attribute(&b, "hardware_class", "")
	attribute(&b, "delta_okay", "false")
	b.WriteString(" >\n")
	const indent = "        "
	if r.Ping {
		b.WriteString(indent + "<ping active=\"1\"></ping>\n")
	}
	if r.Check {
		b.WriteString(indent + "<updatecheck></updatecheck>\n")
	}
	if r.Event != nil {
		b.WriteString(indent)
		r.Event.write(&b)
		b.WriteByte('\n')
	}
	b.WriteString("    </app>\n</request>\n")
	return b.Bytes()
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
	_ = xml.EscapeText(b, []byte(value)) // writing to a bytes.Buffer does not fail
	b.WriteByte('"')
}
