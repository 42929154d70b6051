package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/xml"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coreroller/coreroller/fleet"
	"github.com/coreroller/coreroller/fleet/catalog"
	"github.com/coreroller/coreroller/fleet/view"
	"github.com/coreroller/coreroller/remote/payload"
)

// line is the way to a server. It damages or cuts files, and records which were asked for.
type line struct {
	*httptest.Server
	mu     sync.Mutex
	to     *httputil.ReverseProxy
	damage func(name string, content []byte) (sent []byte, cut bool)
	asked  []string // name and Range
}

func newLine(t *testing.T) *line {
	t.Helper()
	l := &line{}
	l.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		name := r.URL.Path[strings.LastIndex(r.URL.Path, "/")+1:]
		l.mu.Lock()
		to, damage := l.to, l.damage
		if strings.HasPrefix(r.URL.Path, "/payloads/") {
			l.asked = append(l.asked, strings.TrimSpace(name+" "+r.Header.Get("Range")))
		}
		l.mu.Unlock()
		answer := httptest.NewRecorder()
		to.ServeHTTP(answer, r)
		content, cut := answer.Body.Bytes(), false
		if damage != nil {
			content, cut = damage(name+r.Header.Get("Range"), content)
		}
		maps.Copy(w.Header(), answer.Header())
		w.WriteHeader(answer.Code)
		_, _ = w.Write(content)
		if cut {
			panic(http.ErrAbortHandler)
		}
	}))
	t.Cleanup(l.Close)
	return l
}

// set damages files from now on, and returns what was asked for before.
func (l *line) set(damage func(string, []byte) ([]byte, bool)) []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	asked := l.asked
	l.asked, l.damage = nil, damage
	return asked
}

// startHosting runs a complete server whose machines fetch files through a line.
func startHosting(t *testing.T) (*Program, *line) {
	t.Helper()
	l := newLine(t)
	p := NewProgram(Config{
		Listen: "127.0.0.1:0", DataDir: t.TempDir(), Payloads: Payloads{URL: l.URL},
		Inspect: payload.Sources{Networks: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}},
	}, discard(), time.Now)
	if err := p.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	})
	to, err := url.Parse(p.URL())
	if err != nil {
		t.Fatal(err)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.to = httputil.NewSingleHostReverseProxy(to)
	return p, l
}

// A server keeps the files of another one: a damaged file is never promoted, a cut one is
// continued, and machines fetch the right bytes.
func TestMirrorKeepsFilesOfAnotherServer(t *testing.T) {
	up, upLine := startHosting(t)
	down, downLine := startHosting(t)
	source := newTestGroup(t, up.fleet, up.store, fastPolicy(100))
	own := newTestGroup(t, down.fleet, down.store, fastPolicy(100))
	files := map[string]string{}
	in := fleet.CreatePackage{ApplicationID: source.app, Type: catalog.PackageFlatcar, Version: "3.0.0", URL: "https://updates.example.net/3.0.0/", Filename: "update.gz"}
	for i, name := range []string{"update.gz", "oem-azure.gz", "flatcar-zfs.gz"} {
		files[name] = "CrAU" + strings.Repeat(name, 20_000)
		digest := sha256.Sum256([]byte(files[name]))
		size, text := int64(len(files[name])), hex.EncodeToString(digest[:])
		if i == 0 {
			in.Size, in.SHA256 = size, text
		} else {
			in.Files = append(in.Files, fleet.FileInput{Name: name, Size: size, SHA256: text})
		}
	}
	row, err := up.fleet.CreatePackage(source.ctx, in)
	if err != nil {
		t.Fatal(err)
	}
	for name, content := range files {
		if _, err := up.fleet.UploadPackageFile(source.ctx, fleet.UploadPackageFile{PackageID: row.ID, Name: name, File: strings.NewReader(content)}); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := up.fleet.PromotePackage(source.ctx, fleet.PromotePackage{ChannelID: source.channel, PackageID: &row.ID}); err != nil {
		t.Fatal(err)
	}
	_, err = down.fleet.CreateUpstream(own.ctx, fleet.CreateUpstream{
		ApplicationID: own.app, Name: "hq", Kind: view.UpstreamOmaha, URL: up.OmahaURL(), RemoteAppID: source.app.String(), Interval: time.Hour,
	})
	if err != nil {
		t.Fatal(err)
	}
	r := remoteUser(t, down, "admin")
	r.run(2, arguments("mirror set hq"), "name a change")
	r.run(1, arguments("mirror set hq --mode promote"), "no such channel follows")
	upLine.set(func(name string, content []byte) ([]byte, bool) {
		if name == "update.gz" && len(content) > 1000 {
			content = bytes.Replace(content, []byte("update"), []byte("upd4te"), 1)
		}
		return content, false
	})
	r.run(1, arguments("mirror add hq --channel OS/stable="+trackName+" --host-files --extra-files oem-[.gz"), "oem-*.gz")
	r.run(0, arguments("mirror add hq --channel OS/stable="+trackName+" --mode promote --host-files --extra-files oem-*.gz"), "hq")
	// round runs the mirror and returns its last run when it has one more.
	runs := 0
	round := func() string {
		t.Helper()
		for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
			n, err := down.store.Reader().MirrorRun.Query().Count(own.ctx)
			if err != nil {
				t.Fatal(err)
			}
			if n > runs {
				runs = n
				return r.run(0, arguments("mirror runs --mirror hq --all --limit 1"))
			}
		}
		t.Fatal("the mirror does not run")
		return ""
	}
	digest := sha256.Sum256([]byte(files["update.gz"]))
	if text := round(); !strings.Contains(text, "failed") || !strings.Contains(text, "SHA-256: expected "+hex.EncodeToString(digest[:])+", is ") {
		t.Errorf("a damaged file: %s", text)
	}
	if ch := down.fleet.Catalog().Channel(own.channel); ch.Target.Version.String() != "1.0.0" {
		t.Errorf("a damaged version was promoted: %s", ch.Target.Version)
	}
	// The connection breaks once in the middle of each file.
	upLine.set(func(name string, content []byte) ([]byte, bool) {
		if cut := files[name] != ""; cut {
			return content[:len(content)/2], true
		}
		return content, false
	})
	r.run(0, arguments("mirror run hq"))
	if text := round(); !strings.Contains(text, "stored update.gz of 3.0.0; stored oem-azure.gz of 3.0.0; promoted 3.0.0") {
		t.Errorf("after the repair: %s", text)
	}
	asked := upLine.set(nil)
	if len(asked) != 4 || asked[0] != "update.gz" || !strings.HasPrefix(asked[1], "update.gz bytes=") || asked[1] == "update.gz bytes=0-" || !strings.HasPrefix(asked[3], "oem-azure.gz bytes=") {
		t.Errorf("the upstream was asked for %q", asked)
	}
	r.run(0, arguments("mirror run hq"))
	if text := round(); !strings.Contains(text, "unchanged") {
		t.Errorf("the next run: %s", text)
	}
	if asked = upLine.set(nil); len(asked) != 0 {
		t.Errorf("the next run fetched %q", asked)
	}

	// A machine fetches what it was offered.
	resp, err := http.Post(down.OmahaURL(), "text/xml", strings.NewReader(`<request protocol="3.0"><app appid="`+own.app.String()+`" version="1.0.0" track="`+trackName+
		`" board="amd64-usr" machineid="m"><updatecheck/></app></request>`))
	if err != nil {
		t.Fatal(err)
	}
	var answer struct {
		URL struct {
			Codebase string `xml:"codebase,attr"`
		} `xml:"app>updatecheck>urls>url"`
		Packages []struct {
			Name string `xml:"name,attr"`
		} `xml:"app>updatecheck>manifest>packages>package"`
	}
	err = xml.NewDecoder(resp.Body).Decode(&answer)
	_ = resp.Body.Close()
	if err != nil || !strings.HasPrefix(answer.URL.Codebase, downLine.URL+"/payloads/") || len(answer.Packages) != 3 || answer.Packages[0].Name != "update.gz" {
		t.Fatalf("the machine was answered %+v, %v", answer, err)
	}
	for name, content := range files {
		kept := name != "flatcar-zfs.gz"
		half := fetchPart(t, answer.URL.Codebase+name, "bytes=0-99")
		rest := fetchPart(t, answer.URL.Codebase+name, "bytes=100-")
		if half+rest != content {
			t.Errorf("%s: %d and %d bytes, want %d", name, len(half), len(rest), len(content))
		}
		if wasAsked := slices.ContainsFunc(upLine.set(nil), func(a string) bool { return strings.HasPrefix(a, name) }); wasAsked == kept {
			t.Errorf("%s: the machine was sent to the upstream: %v", name, wasAsked)
		}
	}
	r.run(0, arguments("mirror set hq --channel STABLE --arch amd64 --extra-files= --host-files=false --mode notify -o json"), `"extraFiles": []`, `"hostFiles": false`, `"mode": "NOTIFY"`)
}

// fetchPart returns a part of a file, which may be elsewhere.
func fetchPart(t *testing.T, address, part string) string {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Range", part)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusPartialContent {
		t.Errorf("%s of %s: %s, %v", part, address, resp.Status, err)
	}
	return string(text)
}
