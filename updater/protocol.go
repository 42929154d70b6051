package updater

import (
	"bytes"
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Omaha 3.0, the part that is used. Unknown elements and attributes are ignored, as the
// protocol requires.

type requestXML struct {
	XMLName   xml.Name `xml:"request"`
	Protocol  string   `xml:"protocol,attr"`
	Version   string   `xml:"version,attr"`
	SessionID string   `xml:"sessionid,attr"`
	OS        osXML    `xml:"os"`
	App       appXML   `xml:"app"`
}

type osXML struct {
	Platform string `xml:"platform,attr"`
	Arch     string `xml:"arch,attr"`
}

type appXML struct {
	ID      string `xml:"appid,attr"`
	Version string `xml:"version,attr"`
	Track   string `xml:"track,attr"`
	BootID  string `xml:"bootid,attr"`
	Machine string `xml:"machineid,attr"`
	Alias   string `xml:"machinealias,attr,omitempty"`
	// Attributes are those of Options.Attributes.
	Attributes []xml.Attr `xml:",any,attr"`
	Ping       *pingXML   `xml:"ping"`
	Check      *struct{}  `xml:"updatecheck"`
	Event      *report    `xml:"event"`
}

type pingXML struct {
	Active int `xml:"active,attr"`
}

type answerXML struct {
	XMLName xml.Name    `xml:"response"`
	Apps    []appAnswer `xml:"app"`
}

type appAnswer struct {
	ID     string       `xml:"appid,attr"`
	Status string       `xml:"status,attr"`
	Check  *checkAnswer `xml:"updatecheck"`
}

type checkAnswer struct {
	Status       string `xml:"status,attr"`
	Info         string `xml:"info,attr"`
	PollInterval int64  `xml:"PollInterval,attr"` // seconds
	URLs         []struct {
		Codebase string `xml:"codebase,attr"`
	} `xml:"urls>url"`
	Manifests []manifest `xml:"manifest"`
}

type manifest struct {
	Version  string `xml:"version,attr"`
	Packages []struct {
		Name   string `xml:"name,attr"`
		Size   string `xml:"size,attr"`
		Hash   string `xml:"hash,attr"`
		SHA256 string `xml:"hash_sha256,attr"`
	} `xml:"packages>package"`
	Actions []struct {
		SHA256 string `xml:"sha256,attr"`
	} `xml:"actions>action"`
}

const (
	appOK         = "ok"
	appInternal   = "error-internal"
	maxAnswer     = 1 << 20
	answerTimeout = time.Minute
)

// archOf is the architecture in the protocol's names.
func archOf(goarch string) string {
	switch goarch {
	case "amd64":
		return "x64"
	case "386":
		return "x86"
	case "arm64":
		return "arm" // as Nebraska reads it
	}
	return goarch
}

// exchange sends one request and returns the answer for the application.
func (u *Updater) exchange(ctx context.Context, app appXML) (*appAnswer, error) {
	ctx, cancel := context.WithTimeout(ctx, answerTimeout)
	defer cancel()
	app.ID, app.Track, app.BootID, app.Machine, app.Alias = u.o.AppID, u.o.Track, u.boot, u.MachineID(), u.o.Alias
	for _, name := range slices.Sorted(maps.Keys(u.o.Attributes)) {
		app.Attributes = append(app.Attributes, xml.Attr{Name: xml.Name{Local: name}, Value: u.o.Attributes[name]})
	}
	body, err := xml.Marshal(requestXML{
		Protocol: "3.0", Version: "coreroller-updater", SessionID: u.boot,
		OS: osXML{Platform: runtime.GOOS, Arch: archOf(runtime.GOARCH)}, App: app,
	})
	if err != nil {
		return nil, err
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, u.o.URL, bytes.NewReader(append([]byte(xml.Header), body...)))
	if err != nil {
		return nil, err
	}
	r.Header.Set("Content-Type", "text/xml")
	if u.o.Secret != "" {
		r.Header.Set("Authorization", "Bearer "+u.o.Secret)
	}
	w, err := u.server.Do(r)
	if err != nil {
		return nil, err
	}
	defer func() { _ = w.Body.Close() }()
	if target := w.Header.Get("Location"); target != "" && w.StatusCode/100 == 3 {
		return nil, fmt.Errorf("%s redirects to %s: use that URL", u.o.URL, target)
	}
	if w.StatusCode != http.StatusOK {
		return nil, &StatusError{u.o.URL, w.StatusCode, retryAfter(w.Header, u.now())}
	}
	data, err := io.ReadAll(io.LimitReader(w.Body, maxAnswer))
	if err != nil {
		return nil, err
	}
	return parseAnswer(data, u.o.AppID)
}

// parseAnswer returns the part of an answer that is for an application.
func parseAnswer(data []byte, id string) (*appAnswer, error) {
	var a answerXML
	if err := xml.Unmarshal(data, &a); err != nil {
		return nil, fmt.Errorf("the answer is no Omaha response: %w", err)
	}
	for i := range a.Apps {
		if strings.EqualFold(strings.Trim(a.Apps[i].ID, "{}"), strings.Trim(id, "{}")) {
			return &a.Apps[i], nil
		}
	}
	return nil, errors.New("the answer does not mention the application")
}

// retryAfter returns how long a server asks to wait, in either form of the header.
func retryAfter(h http.Header, now time.Time) time.Duration {
	const most = 24 * time.Hour // as the protocol says
	text := h.Get("Retry-After")
	if text == "" {
		text = h.Get("X-Retry-After")
	}
	var wait time.Duration
	if seconds, err := strconv.ParseUint(text, 10, 31); err == nil {
		wait = time.Duration(seconds) * time.Second
	} else if at, err := http.ParseTime(text); err == nil {
		wait = at.Sub(now)
	}
	return min(max(wait, 0), most)
}
