package simulate

import (
	"encoding/xml"
	"fmt"
	"time"
)

// Answer is the part of a response that a machine uses.
type Answer struct {
	Offered        bool
	Version        string // of the manifest
	Payload        string // identifies the payload: URL, name, size and hash
	DisableBackoff bool
	PollInterval   time.Duration // 0 if not sent
	Info           string        // the server's reason for no update
	Acknowledged   int           // number of events with status ok
}

type responseXML struct {
	XMLName xml.Name
	Apps    []appXML `xml:"app"`
}

type appXML struct {
	Status string `xml:"status,attr"`
	Events []struct {
		Status string `xml:"status,attr"`
	} `xml:"event"`
	Check *checkXML `xml:"updatecheck"`
}

// acknowledged counts the events with status ok.
func (a *appXML) acknowledged() (n int) {
	for _, e := range a.Events {
		if e.Status == "ok" {
			n++
		}
	}
	return n
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

// Error codes of update_engine for a response that it cannot use.
const (
	codeEmptyResponse   = 30
	codeNotXML          = 31
	codeInvalidResponse = 34
)

// ReadAnswer reads a response as update_engine does. It uses the first
// updatecheck, accepts the statuses noupdate and ok only, and rejects an
// incomplete offer. code is 0 or update_engine's error code. Without check it
// reads the events only.
func ReadAnswer(body []byte, check bool) (a Answer, code int32) {
	if len(body) == 0 {
		return a, codeEmptyResponse
	}
	var r responseXML
	if err := xml.Unmarshal(body, &r); err != nil || body[0] <= ' ' {
		return a, codeNotXML
	}
	var c *checkXML
	for _, app := range r.Apps {
		a.Acknowledged += app.acknowledged()
		if c == nil {
			c = app.Check
		}
	}
	if !check {
		return a, 0
	}
	if r.XMLName.Space != "" || r.XMLName.Local != "response" || c == nil {
		return a, codeInvalidResponse
	}
	a.Info = c.Info
	a.PollInterval = time.Duration(c.PollInterval) * time.Second
	switch c.Status {
	case "noupdate":
		return a, 0
	case "ok":
		return a, a.readOffer(c)
	default:
		return a, codeInvalidResponse
	}
}

// readOffer reads an offer and returns update_engine's error code if a part is
// missing, else 0.
func (a *Answer) readOffer(c *checkXML) (code int32) {
	if len(c.URLs) == 0 || c.URLs[0].Codebase == "" || c.Manifest == nil || len(c.Manifest.Packages) == 0 {
		return codeInvalidResponse
	}
	p := c.Manifest.Packages[0]
	if p.Name == "" || p.Size <= 0 {
		return codeInvalidResponse
	}
	for _, action := range c.Manifest.Actions {
		if action.Event != "postinstall" {
			continue
		}
		if action.SHA256 == "" {
			return codeInvalidResponse
		}
		a.Offered = true
		a.Version = c.Manifest.Version
		a.Payload = fmt.Sprintf("%s %s %d %s", c.URLs[0].Codebase, p.Name, p.Size, action.SHA256)
		a.DisableBackoff = action.DisableBackoff == "true"
		return 0
	}
	return codeInvalidResponse
}

// readProgramAnswer reads a response as the updater library does: an offer needs
// status ok of app and updatecheck, but neither package nor action.
func readProgramAnswer(body []byte) (a Answer, ok bool) {
	var r responseXML
	if err := xml.Unmarshal(body, &r); err != nil || len(r.Apps) == 0 {
		return a, false
	}
	app := r.Apps[0]
	a.Acknowledged = app.acknowledged()
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
