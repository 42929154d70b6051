package main

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"strings"
	"time"
)

// What simulated machines send and understand. The requests are byte for byte
// those of update_engine 0.4.10 and of the Nebraska updater library (go-omaha),
// as recorded on the wire; the package omaha is the server's side and is
// deliberately not used here, so that a mistake in one is seen by the other.

// identity is what a machine says about itself in every request.
type identity struct {
	App, Track, Machine string
	Alias               string
	OEM, OEMVersion     string
	AlephVersion        string // the version first installed
	Board               string // amd64-usr or arm64-usr
}

// report is one event element. Code is sent when HasCode, Previous when
// HasPrevious.
type report struct {
	Type, Result int
	Code         int32
	HasCode      bool
	Previous     string
	HasPrevious  bool
}

// message is one request before it is written down.
type message struct {
	Version, Boot string
	Ping, Check   bool
	Report        *report
}

// daemonXML is the message as update_engine writes it.
func daemonXML(id *identity, m message) []byte {
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
	attribute(&b, "sp", m.Version+"_"+uname)
	b.WriteString("></os>\n    <app")
	attribute(&b, "appid", id.App)
	attribute(&b, "version", m.Version)
	attribute(&b, "track", id.Track)
	attribute(&b, "bootid", m.Boot)
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
	if m.Ping {
		b.WriteString(indent + "<ping active=\"1\"></ping>\n")
	}
	if m.Check {
		b.WriteString(indent + "<updatecheck></updatecheck>\n")
	}
	if m.Report != nil {
		b.WriteString(indent)
		m.Report.write(&b)
		b.WriteByte('\n')
	}
	b.WriteString("    </app>\n</request>\n")
	return b.Bytes()
}

// programXML is the message as the Nebraska updater library writes it.
func programXML(id *identity, m message) []byte {
	var b bytes.Buffer
	b.Grow(512)
	b.WriteString("<request")
	attribute(&b, "protocol", "3.0")
	attribute(&b, "sessionid", m.Boot)
	attribute(&b, "userid", id.Machine)
	attribute(&b, "version", "go-omaha")
	b.WriteString("><os platform=\"linux\" arch=\"x64\"></os><app")
	attribute(&b, "appid", id.App)
	attribute(&b, "version", m.Version)
	attribute(&b, "track", id.Track)
	attribute(&b, "bootid", m.Boot)
	attribute(&b, "machineid", id.Machine)
	b.WriteByte('>')
	if m.Check {
		b.WriteString("<updatecheck></updatecheck>")
	}
	if m.Report != nil {
		m.Report.write(&b)
	}
	b.WriteString("</app></request>")
	return b.Bytes()
}

func (r *report) write(b *bytes.Buffer) {
	fmt.Fprintf(b, `<event eventtype="%d" eventresult="%d"`, r.Type, r.Result)
	if r.HasCode {
		fmt.Fprintf(b, ` errorcode="%d"`, r.Code)
	}
	if r.HasPrevious {
		attribute(b, "previousversion", r.Previous)
	}
	b.WriteString("></event>")
}

func attribute(b *bytes.Buffer, name, value string) {
	b.WriteByte(' ')
	b.WriteString(name)
	b.WriteString(`="`)
	_ = xml.EscapeText(b, []byte(value)) // a bytes.Buffer does not fail
	b.WriteByte('"')
}

// answer is what a machine takes from a response.
type answer struct {
	Offered        bool
	Version        string // of the manifest
	Payload        string // what the payload is recognised by: URL, size, hash
	DisableBackoff bool
	PollInterval   time.Duration // 0 = not sent
	Info           string        // the server's reason
	Acknowledged   int           // events with status ok
}

type responseXML struct {
	XMLName xml.Name
	Apps    []struct {
		Status string `xml:"status,attr"`
		Events []struct {
			Status string `xml:"status,attr"`
		} `xml:"event"`
		Check *checkXML `xml:"updatecheck"`
	} `xml:"app"`
}

type checkXML struct {
	Status       string `xml:"status,attr"`
	Info         string `xml:"info,attr"`
	PollInterval int    `xml:"PollInterval,attr"`
	URLs         []struct {
		Codebase string `xml:"codebase,attr"`
	} `xml:"urls>url"`
	Manifest *struct {
		Version  string `xml:"version,attr"`
		Packages []struct {
			Name string `xml:"name,attr"`
			Size int64  `xml:"size,attr"`
		} `xml:"packages>package"`
		Actions []struct {
			Event          string `xml:"event,attr"`
			SHA256         string `xml:"sha256,attr"`
			DisableBackoff string `xml:"DisablePayloadBackoff,attr"`
		} `xml:"actions>action"`
	} `xml:"manifest"`
}

// Error codes of update_engine for an answer it cannot use.
const (
	codeEmptyAnswer   = 30
	codeNotXML        = 31
	codeInvalidAnswer = 34
)

// readAnswer reads a response as update_engine does: the first updatecheck
// counts, noupdate and ok are the only statuses, an offer has to be complete.
// code is 0 or why the answer was refused. Without check only the events are
// looked at.
func readAnswer(body []byte, check bool) (a answer, code int32) {
	if len(body) == 0 {
		return a, codeEmptyAnswer
	}
	var r responseXML
	if err := xml.Unmarshal(body, &r); err != nil || body[0] <= ' ' {
		return a, codeNotXML
	}
	var c *checkXML
	for _, app := range r.Apps {
		for _, e := range app.Events {
			if e.Status == "ok" {
				a.Acknowledged++
			}
		}
		if c == nil {
			c = app.Check
		}
	}
	if !check {
		return a, 0
	}
	if r.XMLName.Space != "" || r.XMLName.Local != "response" || c == nil {
		return a, codeInvalidAnswer
	}
	a.Info = c.Info
	a.PollInterval = time.Duration(c.PollInterval) * time.Second
	switch c.Status {
	case "noupdate":
		return a, 0
	case "ok":
		return a, a.readOffer(c)
	default:
		return a, codeInvalidAnswer
	}
}

// readOffer takes the parts of an offer and names the first that is missing by
// the daemon's one code for it.
func (a *answer) readOffer(c *checkXML) (code int32) {
	if len(c.URLs) == 0 || c.URLs[0].Codebase == "" || c.Manifest == nil || len(c.Manifest.Packages) == 0 {
		return codeInvalidAnswer
	}
	p := c.Manifest.Packages[0]
	if p.Name == "" || p.Size <= 0 {
		return codeInvalidAnswer
	}
	for _, action := range c.Manifest.Actions {
		if action.Event != "postinstall" {
			continue
		}
		if action.SHA256 == "" {
			return codeInvalidAnswer
		}
		a.Offered = true
		a.Version = c.Manifest.Version
		a.Payload = fmt.Sprintf("%s %s %d %s", c.URLs[0].Codebase, p.Name, p.Size, action.SHA256)
		a.DisableBackoff = action.DisableBackoff == "true"
		return 0
	}
	return codeInvalidAnswer
}

// readProgramAnswer reads a response as the updater library does: an offer is
// an app and an updatecheck with status ok; package and action may be missing.
func readProgramAnswer(body []byte) (a answer, ok bool) {
	var r responseXML
	if err := xml.Unmarshal(body, &r); err != nil || len(r.Apps) == 0 {
		return a, false
	}
	app := r.Apps[0]
	for _, e := range app.Events {
		if e.Status == "ok" {
			a.Acknowledged++
		}
	}
	if app.Check == nil {
		return a, app.Status == "ok"
	}
	a.Info = app.Check.Info
	if app.Status == "ok" && app.Check.Status == "ok" && app.Check.Manifest != nil {
		a.Offered = true
		a.Version = app.Check.Manifest.Version
	}
	return a, app.Status == "ok"
}
