package acceptance

import (
	"bytes"
	"encoding/xml"
	"net/http"
	"net/http/httptest"
	"strings"
)

// request is one app element of an Omaha request.
type request struct {
	app     string // appid
	machine string
	version string
	track   string
	attrs   map[string]string // further attributes of the app
	events  []event
	ping    bool
	check   bool
	syncer  bool // the version of Nebraska's syncer; of the first app, for all
}

// event is one event element: "13/1", "3/0 10" with an error code, or
// "3/2 from 1.0.0" with a previous version ("3/2 from" with an empty one).
type event string

func (e event) write(b *bytes.Buffer) {
	fields := strings.Fields(string(e))
	kind, result, _ := strings.Cut(fields[0], "/")
	b.WriteString(`<event`)
	attribute(b, "eventtype", kind)
	attribute(b, "eventresult", result)
	switch {
	case len(fields) > 1 && fields[1] == "from":
		attribute(b, "previousversion", strings.Join(fields[2:], ""))
	case len(fields) > 1:
		attribute(b, "errorcode", fields[1])
	}
	b.WriteString("/>")
}

func attribute(b *bytes.Buffer, name, value string) {
	b.WriteString(" " + name + `="`)
	_ = xml.EscapeText(b, []byte(value)) // writing to a buffer cannot fail
	b.WriteString(`"`)
}

// document returns an Omaha request with the given apps.
func document(apps ...request) string {
	var b bytes.Buffer
	client := "update_engine-0.4.10"
	if len(apps) > 0 && apps[0].syncer {
		client = "CoreOSUpdateEngine-0.1.0.0"
	}
	b.WriteString(xml.Header + `<request protocol="3.0" version="` + client + `" updaterversion="` + client + `" installsource="scheduler" ismachine="1">` +
		`<os version="Chateau" platform="CoreOS" sp="x_x86_64"></os>`)
	for _, r := range apps {
		b.WriteString(`<app`)
		attribute(&b, "appid", r.app)
		attribute(&b, "version", r.version)
		attribute(&b, "track", r.track)
		attribute(&b, "machineid", r.machine)
		for name, value := range r.attrs {
			attribute(&b, name, value)
		}
		b.WriteString(`>`)
		if r.ping {
			b.WriteString(`<ping active="1"></ping>`)
		}
		if r.check {
			b.WriteString(`<updatecheck></updatecheck>`)
		}
		for _, e := range r.events {
			e.write(&b)
		}
		b.WriteString(`</app>`)
	}
	b.WriteString(`</request>`)
	return b.String()
}

// answer is an HTTP response with the parsed Omaha document.
type answer struct {
	code   int
	header http.Header
	body   string

	Daystart []struct {
		Seconds string `xml:"elapsed_seconds,attr"`
		Days    string `xml:"elapsed_days,attr"`
	} `xml:"daystart"`
	Apps []appAnswer `xml:"app"`
}

type appAnswer struct {
	ID     string         `xml:"appid,attr"`
	Status string         `xml:"status,attr"`
	Ping   *statusAnswer  `xml:"ping"`
	Events []statusAnswer `xml:"event"`
	Check  *checkAnswer   `xml:"updatecheck"`
}

type statusAnswer struct {
	Status string `xml:"status,attr"`
}

type checkAnswer struct {
	Status       string           `xml:"status,attr"`
	Info         string           `xml:"info,attr"`
	PollInterval string           `xml:"PollInterval,attr"`
	URLs         []urlAnswer      `xml:"urls>url"`
	Manifests    []manifestAnswer `xml:"manifest"`
}

type urlAnswer struct {
	Codebase string `xml:"codebase,attr"`
}

type manifestAnswer struct {
	Version     string          `xml:"version,attr"`
	IsFloor     string          `xml:"is_floor,attr"`
	FloorReason string          `xml:"floor_reason,attr"`
	IsTarget    string          `xml:"is_target,attr"`
	Packages    []packageAnswer `xml:"packages>package"`
	Actions     []actionAnswer  `xml:"actions>action"`
}

type packageAnswer struct {
	Name       string `xml:"name,attr"`
	Size       string `xml:"size,attr"`
	Required   string `xml:"required,attr"`
	Hash       string `xml:"hash,attr"`
	HashSHA256 string `xml:"hash_sha256,attr"`
}

type actionAnswer struct {
	Event  string `xml:"event,attr"`
	SHA256 string `xml:"sha256,attr"`
}

// offered returns the versions of the manifests in order, separated by spaces.
func (a appAnswer) offered() string {
	var versions []string
	if a.Check != nil {
		for _, m := range a.Check.Manifests {
			versions = append(versions, m.Version)
		}
	}
	return strings.Join(versions, " ")
}

// String returns a summary for failure messages.
func (a appAnswer) String() string {
	text := a.Status
	if a.Check != nil {
		text += ", " + a.Check.Status + " " + a.Check.Info + " [" + a.offered() + "]"
	}
	return text
}

// serve sends a request to a handler and parses the response.
func serve(h http.Handler, r *http.Request) (*answer, error) {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return parse(w.Code, w.Header(), w.Body.Bytes())
}

func parse(code int, header http.Header, body []byte) (*answer, error) {
	a := &answer{code: code, header: header, body: string(body)}
	if code != http.StatusOK {
		return a, nil
	}
	return a, xml.Unmarshal(body, a)
}

// post sends a body to a path with the content type of the OS daemon.
func (s *site) post(path, body string) *answer {
	s.t.Helper()
	r := httptest.NewRequest(http.MethodPost, path, strings.NewReader(body))
	r.Header.Set("Content-Type", "text/xml")
	a, err := serve(s.handler, r)
	s.ok(err)
	return a
}

// ask sends one request and expects one answer per app. It is safe in any goroutine,
// because a failure does not end the test.
func (s *site) ask(apps ...request) []appAnswer {
	r := httptest.NewRequest(http.MethodPost, "/v1/update/", strings.NewReader(document(apps...)))
	a, err := serve(s.handler, r)
	if err != nil || a.code != http.StatusOK || len(a.Apps) != len(apps) {
		s.t.Errorf("answered %d, %d apps, %v: %s", a.code, len(a.Apps), err, a.body)
		return make([]appAnswer, len(apps))
	}
	return a.Apps
}
