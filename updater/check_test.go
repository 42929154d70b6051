package updater

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"go/parser"
	"go/token"
	"net/http"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// The answers have the forms that CoreRoller, CoreRoller 1.0 and Nebraska send.
func TestCheckReadsAnswers(t *testing.T) {
	sum := sha256.Sum256(newBytes)
	action := fmt.Sprintf(`<actions><action event="postinstall" sha256="%s"/></actions></manifest>`, base64.StdEncoding.EncodeToString(sum[:]))
	for _, c := range []struct {
		name   string
		answer func(s *fakeServer, w http.ResponseWriter)
		offer  bool
		sha256 bool
		reason string
		err    string
		poll   time.Duration
	}{
		{name: "offer", offer: true, sha256: true, answer: func(s *fakeServer, w http.ResponseWriter) { s.respond(w, "ok", s.offer(sums(newBytes))) }},
		{name: "SHA-1 alone", offer: true, answer: func(s *fakeServer, w http.ResponseWriter) {
			s.respond(w, "ok", s.offer(`size="5" hash="9XLTlvrpIGYocU+yzgD3LpTyJY8="`))
		}},
		{name: "SHA-256 in the action", offer: true, sha256: true, answer: func(s *fakeServer, w http.ResponseWriter) {
			s.respond(w, "ok", strings.Replace(s.offer(`size="5" hash="9XLTlvrpIGYocU+yzgD3LpTyJY8="`), "</manifest>", action, 1))
		}},
		{name: "held", reason: "outside_window", poll: time.Minute, answer: func(s *fakeServer, w http.ResponseWriter) {
			s.respond(w, "ok", `<updatecheck status="noupdate" info="outside_window" PollInterval="60"/>`)
		}},
		{name: "held by Nebraska", reason: "error-maxConcurrentUpdatesLimitReached", answer: func(s *fakeServer, w http.ResponseWriter) {
			s.respond(w, "error-maxConcurrentUpdatesLimitReached", `<updatecheck status="error-internal"/>`)
		}},
		{name: "in progress on Nebraska, unknown here", reason: inProgress, answer: func(s *fakeServer, w http.ResponseWriter) {
			s.respond(w, inProgress, `<updatecheck status="error-internal"/>`)
		}},
		{name: "poll interval of a year", poll: longestPoll, answer: func(s *fakeServer, w http.ResponseWriter) {
			s.respond(w, "ok", `<updatecheck status="noupdate" PollInterval="31536000"/>`)
		}},
		{name: "the running version", reason: "the offered version runs already", answer: func(s *fakeServer, w http.ResponseWriter) {
			s.respond(w, "ok", strings.Replace(s.offer(sums(newBytes)), "2.0.0", "1.0.0", 1))
		}},
		{name: "unknown application", err: "error-unknownApplication", answer: func(s *fakeServer, w http.ResponseWriter) { s.respond(w, "error-unknownApplication", "") }},
		{name: "error of the check", err: "error-internal", answer: func(s *fakeServer, w http.ResponseWriter) {
			s.respond(w, "ok", `<updatecheck status="error-internal"/>`)
		}},
		{name: "no digest", err: "SHA-256", answer: func(s *fakeServer, w http.ResponseWriter) { s.respond(w, "ok", s.offer(`size="5"`)) }},
		{name: "digest of nonsense", err: "SHA-256", answer: func(s *fakeServer, w http.ResponseWriter) { s.respond(w, "ok", s.offer(`size="5" hash="x"`)) }},
		{name: "negative size", err: "size", answer: func(s *fakeServer, w http.ResponseWriter) {
			s.respond(w, "ok", s.offer(`size="-1" hash="9XLTlvrpIGYocU+yzgD3LpTyJY8="`))
		}},
		{name: "URL of a file", err: "no http or https URL", answer: func(s *fakeServer, w http.ResponseWriter) {
			s.respond(w, "ok", strings.Replace(s.offer(sums(newBytes)), s.URL, "file://", 1))
		}},
		{name: "another application", err: "does not mention", answer: func(_ *fakeServer, w http.ResponseWriter) {
			_, _ = w.Write([]byte(`<response><app appid="other" status="ok"/></response>`))
		}},
		{name: "a page", err: "no Omaha response", answer: func(_ *fakeServer, w http.ResponseWriter) { _, _ = w.Write([]byte("<html></html>")) }},
		{name: "a redirect", err: "redirects to /v2/", answer: func(_ *fakeServer, w http.ResponseWriter) {
			w.Header().Set("Location", "/v2/")
			w.WriteHeader(http.StatusFound)
		}},
		{name: "overload", err: "HTTP 503", answer: func(_ *fakeServer, w http.ResponseWriter) { w.WriteHeader(503) }},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newServer(t)
			s.answer = func(w http.ResponseWriter, _ *appXML) { c.answer(s, w) }
			r, err := newMachine(t, s, false).open(t).Check(t.Context())
			if c.err != "" {
				if err == nil || !strings.Contains(err.Error(), c.err) {
					t.Errorf("error %v, want %q", err, c.err)
				}
				return
			}
			if err != nil || (r.Update != nil) != c.offer || r.Reason != c.reason || r.PollInterval != c.poll {
				t.Fatalf("%+v %v", r, err)
			}
			if c.offer && (r.Update.SHA256 != "") != c.sha256 {
				t.Errorf("%+v", r.Update)
			}
		})
	}
}

// Nebraska does not repeat its offer to a machine that lost its download by a restart.
func TestDownloadContinuesWithoutASecondOffer(t *testing.T) {
	s := newServer(t)
	m := newMachine(t, s, false)
	u := m.open(t)
	ctx, cancel := context.WithCancel(t.Context())
	up := offered(t, u)
	s.file = func(http.ResponseWriter, *http.Request) { cancel(); panic(http.ErrAbortHandler) }
	if err := up.Download(ctx); !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	stop(t, u)
	s.file = serveFile
	s.answer = func(w http.ResponseWriter, _ *appXML) {
		s.respond(w, inProgress, `<updatecheck status="error-internal"/>`)
	}
	if err := m.open(t).Once(t.Context()); err != nil {
		t.Fatal(err)
	}
	m.expect(t, string(newBytes))
}

func TestEventsSurviveARestart(t *testing.T) {
	s := newServer(t)
	s.down = true
	m := newMachine(t, s, false)
	u := m.open(t)
	if err := u.Once(t.Context()); err != nil {
		t.Fatal(err)
	}
	s.expect(t)
	stop(t, u)
	s.down = false
	u = m.open(t)
	for range 2 { // each is sent once
		if err := u.Flush(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	s.expect(t, started, downloaded, installed, running)
}

func TestEventsThatWaitAreBounded(t *testing.T) {
	s := newServer(t)
	s.down = true
	u := newMachine(t, s, false).open(t)
	for i := range maxReports + 3 {
		if err := u.report(t.Context(), report{Type: eventUpdate, Code: i}, nil); err != nil {
			t.Fatal(err)
		}
	}
	if n := len(u.state.Reports); n != maxReports || u.state.Reports[0].Code != 3 {
		t.Errorf("%d events, the first is %+v", n, u.state.Reports[0])
	}
}

func TestRunWaits(t *testing.T) {
	for _, c := range []struct {
		name     string
		answer   func(s *fakeServer, w http.ResponseWriter)
		min, max []time.Duration
	}{
		{"the interval", func(s *fakeServer, w http.ResponseWriter) { s.respond(w, "ok", `<updatecheck status="noupdate"/>`) },
			[]time.Duration{9 * time.Minute, 9 * time.Minute}, []time.Duration{11 * time.Minute, 11 * time.Minute}},
		{"as the server asks", func(s *fakeServer, w http.ResponseWriter) {
			s.respond(w, "ok", `<updatecheck status="noupdate" PollInterval="100"/>`)
		},
			[]time.Duration{90 * time.Second}, []time.Duration{110 * time.Second}},
		{"longer after each failure", func(_ *fakeServer, w http.ResponseWriter) { w.WriteHeader(500) },
			[]time.Duration{15 * time.Second, 30 * time.Second, 60 * time.Second, 75 * time.Second, 75 * time.Second}, []time.Duration{30 * time.Second, 60 * time.Second, 120 * time.Second, 150 * time.Second, 150 * time.Second}},
		{"as Retry-After says", func(_ *fakeServer, w http.ResponseWriter) { w.Header().Set("Retry-After", "7200"); w.WriteHeader(503) },
			[]time.Duration{2 * time.Hour}, []time.Duration{2 * time.Hour}},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newServer(t)
			s.answer = func(w http.ResponseWriter, _ *appXML) { c.answer(s, w) }
			m := newMachine(t, s, true)
			m.o.Interval, m.o.MaxBackoff = 10*time.Minute, 150*time.Second
			u := m.open(t)
			ctx, cancel := context.WithCancel(t.Context())
			var waits []time.Duration
			u.sleep = func(ctx context.Context, d time.Duration) error {
				if waits = append(waits, d); len(waits) == len(c.min) {
					cancel()
				}
				return ctx.Err()
			}
			if err := u.Run(ctx); !errors.Is(err, context.Canceled) {
				t.Fatal(err)
			}
			for i, d := range waits {
				if d < c.min[i] || d > c.max[i] {
					t.Errorf("wait %d is %s, want %s to %s", i, d, c.min[i], c.max[i])
				}
			}
		})
	}
}

func TestOptionsAreChecked(t *testing.T) {
	for _, c := range []struct {
		change func(o *Options)
		want   string
	}{
		{func(o *Options) { o.URL = "" }, "URL is missing"},
		{func(o *Options) { o.URL = "updates.example.com" }, "no http or https URL"},
		{func(o *Options) { o.AppID = "" }, "AppID is missing"},
		{func(o *Options) { o.Version = "" }, "Version is missing"},
		{func(o *Options) { o.Dir = "" }, "Dir is missing"},
		{func(o *Options) { o.File = "" }, "File is missing"},
		{func(o *Options) { o.Interval = -1 }, "Interval is negative"},
		{func(o *Options) { o.Restart = nil; o.File += "none" }, "File: "},
	} {
		m := newMachine(t, newServer(t), false)
		c.change(&m.o)
		if _, err := New(m.o); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%v, want %q", err, c.want)
		}
	}
}

// Programs that import this package must not get other dependencies with it.
func TestOnlyTheStandardLibraryIsImported(t *testing.T) {
	names, err := filepath.Glob("*.go")
	if err != nil || len(names) == 0 {
		t.Fatal(names, err)
	}
	for _, name := range names {
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ImportsOnly)
		if err != nil {
			t.Fatal(err)
		}
		for _, spec := range file.Imports {
			if imported, _ := strconv.Unquote(spec.Path.Value); strings.Contains(imported, ".") {
				t.Errorf("%s imports %s", name, imported)
			}
		}
	}
}

// Further attributes are sent with each request, escaped; names with a meaning are refused.
func TestFurtherAttributesAreSent(t *testing.T) {
	s := newServer(t)
	var sent []string
	s.answer = func(w http.ResponseWriter, app *appXML) {
		for _, a := range app.Attributes {
			sent = append(sent, a.Name.Local+"="+a.Value)
		}
		s.respond(w, "ok", `<updatecheck status="noupdate"/>`)
	}
	m := newMachine(t, s, false)
	m.o.Attributes = map[string]string{"zone": `"<eu>&`, "rack": "3"}
	if _, err := m.open(t).Check(t.Context()); err != nil || fmt.Sprint(sent) != `[rack=3 zone="<eu>&]` {
		t.Errorf("sent %v, error %v", sent, err)
	}
	for _, name := range []string{"", "Rack", "a b", "appid", "machineid", "x:y"} {
		o := newMachine(t, s, false).o
		o.Attributes = map[string]string{name: "1"}
		if _, err := New(o); err == nil || !strings.Contains(err.Error(), "Attributes") {
			t.Errorf("attribute %q: error %v", name, err)
		}
	}
}
