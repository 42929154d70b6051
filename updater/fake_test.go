package updater

import (
	"context"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/xml"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

const (
	appID    = "io.example.tool"
	oldBytes = "old version"
)

// newBytes is a program that prints its version.
var newBytes = []byte("#!/bin/sh\necho 2.0.0\n#" + strings.Repeat("x", 5000) + "\n")

// fakeServer answers Omaha requests at /v1/update/ and serves one file at /files/tool.
type fakeServer struct {
	*httptest.Server
	mu     sync.Mutex
	answer func(w http.ResponseWriter, app *appXML) // of checks
	file   http.HandlerFunc
	down   bool     // events get 503
	events []string // "type/result code version", in order
	ranges []string // Range of each request for the file
	last   *http.Request
}

func newServer(t *testing.T) *fakeServer {
	t.Helper()
	s := &fakeServer{}
	s.file = serveFile
	s.answer = func(w http.ResponseWriter, _ *appXML) { s.respond(w, "ok", s.offer(sums(newBytes))) }
	mux := http.NewServeMux()
	mux.HandleFunc("/v1/update/", s.omaha)
	mux.HandleFunc("/files/tool", func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		s.ranges = append(s.ranges, r.Header.Get("Range"))
		file := s.file
		s.mu.Unlock()
		file(w, r)
	})
	mux.HandleFunc("/moved/tool", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/files/tool", http.StatusFound) })
	s.Server = httptest.NewServer(mux)
	t.Cleanup(s.Close)
	return s
}

func serveFile(w http.ResponseWriter, r *http.Request) {
	http.ServeContent(w, r, "", time.Time{}, strings.NewReader(string(newBytes)))
}

// sums are the attributes of a package as CoreRoller sends them.
func sums(data []byte) string {
	one, two := sha1.Sum(data), sha256.Sum256(data)
	return fmt.Sprintf(`size="%d" hash="%s" hash_sha256="%s"`, len(data), base64.StdEncoding.EncodeToString(one[:]), hex.EncodeToString(two[:]))
}

// offer is an update check with version 2.0.0.
func (s *fakeServer) offer(attributes string, bases ...string) string {
	urls := ""
	for _, base := range append(bases, "/files/")[:max(len(bases), 1)] {
		urls += fmt.Sprintf(`<url codebase="%s%s"/>`, s.URL, base)
	}
	return fmt.Sprintf(`<updatecheck status="ok"><urls>%s</urls><manifest version="2.0.0"><packages><package name="tool" %s required="true"/></packages></manifest></updatecheck>`, urls, attributes)
}

func (s *fakeServer) respond(w io.Writer, status, inner string) {
	_, _ = fmt.Fprintf(w, `<?xml version="1.0"?><response protocol="3.0"><daystart elapsed_seconds="0"/><app appid="%s" status="%s">%s</app></response>`, appID, status, inner)
}

func (s *fakeServer) omaha(w http.ResponseWriter, r *http.Request) {
	var q requestXML
	if err := xml.NewDecoder(r.Body).Decode(&q); err != nil || r.Method != http.MethodPost {
		http.Error(w, "no Omaha request", http.StatusBadRequest)
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.last = r
	if e := q.App.Event; e != nil {
		if s.down {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		s.events = append(s.events, strings.TrimSpace(fmt.Sprintf("%d/%d %d %s %s", e.Type, e.Result, e.Code, q.App.Version, e.Previous)))
		s.respond(w, "ok", `<event status="ok"/>`)
		return
	}
	s.answer(w, &q.App)
}

// expect compares the events that the server received so far.
func (s *fakeServer) expect(t *testing.T, want ...string) {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	if !slices.Equal(s.events, want) {
		t.Errorf("the server received %q, want %q", s.events, want)
	}
}

// The events of an update from 1.0.0 to 2.0.0.
const (
	started    = "13/1 0 1.0.0"
	downloaded = "14/1 0 1.0.0"
	installed  = "800/1 0 1.0.0"
	running    = "3/2 0 2.0.0 1.0.0"
	rolledBack = "3/0 44 1.0.0"
)

// machine is a directory with the old version of the tool.
type machine struct {
	o        Options
	restarts int // of the other program
}

// newMachine has another program to update, or itself if own.
func newMachine(t *testing.T, s *fakeServer, own bool) *machine {
	t.Helper()
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	m := &machine{o: Options{URL: s.URL + "/v1/update/", AppID: appID, Track: "stable", Version: "1.0.0", Dir: filepath.Join(dir, "state"), File: filepath.Join(dir, "tool")}}
	if !own {
		m.o.Restart = func(context.Context) error { m.restarts++; return nil }
	}
	m.write(t, m.o.File, oldBytes)
	return m
}

func (m *machine) write(t *testing.T, name, content string) {
	t.Helper()
	if err := os.WriteFile(name, []byte(content), 0o700); err != nil {
		t.Fatal(err)
	}
}

// open starts the updater as a new process does. It waits for nothing.
func (m *machine) open(t *testing.T) *Updater {
	t.Helper()
	u, err := New(m.o)
	if err != nil {
		t.Fatal(err)
	}
	u.sleep = func(ctx context.Context, _ time.Duration) error { return ctx.Err() }
	t.Cleanup(func() { _ = u.Close() })
	return u
}

// stop ends the process.
func stop(t *testing.T, u *Updater) {
	t.Helper()
	if err := u.Close(); err != nil {
		t.Fatal(err)
	}
}

// expect compares the file, and that nothing is left over.
func (m *machine) expect(t *testing.T, content string) {
	t.Helper()
	got, err := os.ReadFile(m.o.File)
	if err != nil || string(got) != content {
		t.Errorf("the file has %d bytes that begin with %.20q (%v), want %.20q", len(got), got, err, content)
	}
	for _, pattern := range []string{m.o.File + newSuffix, filepath.Join(m.o.Dir, payloadPrefix+"*"), filepath.Join(m.o.Dir, "*.new")} {
		if left, _ := filepath.Glob(pattern); len(left) > 0 {
			t.Errorf("left over: %q", left)
		}
	}
}

// offered checks for the update.
func offered(t *testing.T, u *Updater) *Update {
	t.Helper()
	r, err := u.Check(t.Context())
	if err != nil || r.Update == nil {
		t.Fatalf("no update: %+v %v", r, err)
	}
	return r.Update
}
