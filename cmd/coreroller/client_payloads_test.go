package main

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
)

// breakingProxy forwards requests to a server, and breaks the first upload after some bytes.
func breakingProxy(t *testing.T, to string, after int64) (address string, uploads *atomic.Int64) {
	t.Helper()
	target, err := url.Parse(to)
	if err != nil {
		t.Fatal(err)
	}
	uploads = &atomic.Int64{}
	forward := httputil.NewSingleHostReverseProxy(target)
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPatch && uploads.Add(1) == 1 {
			r.Body = struct {
				io.Reader
				io.Closer
			}{io.LimitReader(r.Body, after), r.Body}
			forward.ErrorHandler = func(http.ResponseWriter, *http.Request, error) { panic(http.ErrAbortHandler) }
		}
		forward.ServeHTTP(w, r)
	}))
	t.Cleanup(proxy.Close)
	return proxy.URL, uploads
}

func TestRemotePush(t *testing.T) {
	cache := t.TempDir()
	t.Setenv("XDG_CACHE_HOME", cache)
	p := startProgram(t, "")
	newTestGroup(t, p.fleet, p.store, fastPolicy(1))
	r := remoteUser(t, p, "admin")
	proxy, uploads := breakingProxy(t, p.URL(), 150_000)
	through := &remote{t, []string{"COREROLLER_SERVER=" + proxy, r.environ[1]}}
	content := "CrAU" + strings.Repeat("0123456789abcdef", 20_000)
	file := filepath.Join(t.TempDir(), "update.gz")
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(content)
	var pushed struct {
		PackageID, URL string
		Created        bool
		Size           int64
	}
	out := through.run(0, []string{"package", "push", file, "--app", "OS", "--version", "3.0.0", "-o", "json"})
	if err := json.Unmarshal([]byte(out), &pushed); err != nil || !pushed.Created || pushed.Size != int64(len(content)) ||
		!strings.HasSuffix(pushed.URL, "/payloads/"+pushed.PackageID+"/update.gz") {
		t.Fatalf("%v %s", err, out)
	}
	if uploads.Load() < 2 {
		t.Errorf("%d requests: the connection was not broken", uploads.Load())
	}
	resp, err := http.Get(p.URL() + "/payloads/" + pushed.PackageID + "/update.gz")
	if err != nil {
		t.Fatal(err)
	}
	served, err := io.ReadAll(resp.Body)
	_ = resp.Body.Close()
	if err != nil || string(served) != content {
		t.Errorf("%v: %d bytes", err, len(served))
	}
	r.run(0, arguments("package files 3.0.0 --app OS"), "update.gz", "312.5 KiB", "admin", "/payloads/"+pushed.PackageID)
	r.run(0, []string{"package", "push", file, "--app", "OS", "--version", "3.0.0"}, "update.gz is stored")
	write(content + "x")
	r.run(1, []string{"package", "push", file, "--app", "OS", "--version", "3.0.0"}, "the file has 320005 bytes, but package 3.0.0 says 320004")
	write(strings.ToLower(content))
	r.run(1, []string{"package", "push", file, "--app", "OS", "--version", "3.0.0"}, "no update payload")
	r.run(2, []string{"package", "push", file, "--app", "OS"}, "--version is missing")
	r.run(1, []string{"package", "push", file + "x", "--app", "OS", "--version", "3.0.0"}, "no such file")
	r.run(0, arguments("package promote 3.0.0 --channel stable --app OS"), "offers 3.0.0")

	r.run(0, arguments("storage"), "directory "+p.config.DataDir, "Used      312.5 KiB in 1 files", "Quota     none", "Unused    0 B in 0 files")
	r.run(0, arguments("storage clean-up --dry-run"), "Every stored file belongs to a package.")
	r.run(0, arguments("package create 4.0.0 --app OS --url https://updates.example.net/4/ --filename x"))
	write("another file")
	r.run(0, []string{"package", "push", file, "--app", "OS", "--version", "4.0.0", "--name", "x"}, "/x")
	var packages []struct{ ID string }
	if err := json.Unmarshal([]byte(r.run(0, arguments("package list --app OS --version 4 -o json"))), &packages); err != nil || len(packages) != 1 {
		t.Fatal(err)
	}
	r.run(0, arguments("storage -o json"), `"files": 2`)
	if n, err := filepath.Glob(filepath.Join(cache, "coreroller", "uploads", "*")); err != nil || len(n) != 0 {
		t.Errorf("%v: complete uploads are remembered: %v", err, n)
	}
}
