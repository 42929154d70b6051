package main

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// Mirrors are added, run, listed and removed from a command line.
func TestRemoteMirrors(t *testing.T) {
	p := startProgram(t, "")
	newTestGroup(t, p.fleet, p.store, fastPolicy(1))
	r := remoteUser(t, p, "admin")
	upstream := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTeapot) }))
	defer upstream.Close()

	r.run(0, arguments("mirror list"), "No other update server is mirrored.")
	r.run(1, arguments("mirror run hq"), "has no mirror")
	r.run(2, arguments("mirror add hq --url "+upstream.URL), "--channel")
	r.run(2, arguments("mirror add hq --url "+upstream.URL+" --channel OS/stable --mode foo"), `--mode is "foo": use notify, import or promote`)
	r.run(2, arguments("mirror flatcar --mode foo"), "--mode")
	r.run(2, arguments("mirror lst"), `there is no command "coreroller mirror lst"`)
	r.run(0, arguments("mirror list"), "No other update server is mirrored.") // nothing was begun
	(&remote{t, []string{r.environ[0], "COREROLLER_TOKEN=two\nlines"}}).run(2, arguments("mirror list"), "COREROLLER_TOKEN contains")
	r.run(1, arguments("mirror add hq --url ftp://x/ --channel OS/stable"), "must be an absolute http or https URL")
	r.run(1, arguments("mirror add hq --url "+upstream.URL+" --channel OS/stable --interval 1s"), "interval")
	r.run(0, arguments("mirror add hq --url "+upstream.URL+" --channel OS/stable=main --mode promote"), "hq", "stable", "promote")
	r.run(1, arguments("mirror add hq --channel OS/stable"), "follows an upstream already")
	r.run(0, arguments("mirror run HQ"), "The mirror hq runs")
	var out string
	for deadline := time.Now().Add(20 * time.Second); !strings.Contains(out, "418"); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("no failed run: %s", out)
		}
		out = r.run(0, arguments("mirror runs --mirror hq"))
	}
	r.run(0, arguments("mirror list"), "418")
	r.run(0, arguments("mirror runs --all -o json"), `"outcome": "FAILED"`)
	r.run(1, arguments("mirror flatcar --channel stable --arch amd$"), "no architecture") // a valid one would ask the real server
	r.run(0, arguments("mirror remove hq"), "What it imported stays")
	r.run(1, arguments("mirror runs --mirror hq"), "has no mirror")
}
