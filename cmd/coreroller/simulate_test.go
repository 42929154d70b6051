package main

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// The counts of the benchmark equal those of the server.
func TestBenchmarkCountsEqualTheServers(t *testing.T) {
	p := startProgram(t, "")
	k := newTestGroup(t, p.fleet, p.store, fastPolicy(1<<20))
	k.promote(t)
	bench := func(args ...string) (counts map[string]float64, text string) {
		t.Helper()
		args = append([]string{"simulate", "--bench", "--url", p.URL(), "--app", k.app.String(), "--track", trackName, "--duration", "300ms"}, args...)
		out, problem, code := execute(t, "", nil, args...)
		if code != 0 {
			t.Fatalf("%v: exit code %d: %s", args, code, problem)
		}
		var all map[string]any
		if err := json.Unmarshal([]byte(out), &all); err == nil {
			counts = map[string]float64{}
			for name, v := range all {
				counts[name], _ = v.(float64)
			}
		}
		return counts, out
	}

	n, text := bench("--machines", "50", "--versions", "2.0.0", "--json")
	if n["upToDate"] < 1 || n["offered"]+n["held"]+n["acknowledged"]+n["busy"]+n["otherErrors"]+n["unanswered"]+n["neverSent"] != 0 ||
		n["p50ms"] <= 0 || n["p99ms"] < n["p50ms"] || n["maxms"] < n["p999ms"] || n["toolCores"] <= 0 {
		t.Errorf("checks: %s", text)
	}
	if got := k.versions(t)["2.0.0"]; got != 50 {
		t.Errorf("%d machines are registered, want 50", got)
	}

	n, text = bench("--duration", "1s", "--connections", "4", "--mix", "updates:3,new:1", "--rate", "200", "--reconnect", "--json")
	if n["offered"] < 1 || n["acknowledged"] < 1 || n["otherErrors"]+n["unanswered"]+n["busy"] != 0 {
		t.Errorf("updates: %s", text)
	}
	if granted := k.progress(t).Granted; granted != int(n["offered"]) {
		t.Errorf("the server granted %d updates, the benchmark got %g offers", granted, n["offered"])
	}
	recount(t, p.store)

	_, text = bench("--machines", "3")
	for _, want := range []string{"3 machines on 1.0.0 registered", "checks over 16 connections for 300ms", "responses/s", "p99.9", "offered ", "the benchmark used"} {
		if !strings.Contains(text, want) {
			t.Errorf("the report does not contain %q:\n%s", want, text)
		}
	}
}

func TestBenchmarkRejectsInvalidFlags(t *testing.T) {
	s := httptest.NewServer(http.NotFoundHandler())
	defer s.Close()
	for _, c := range []struct{ args, want string }{
		{"--mix dance", "--mix"},
		{"--mix updates:0", "--mix"},
		{"--mix updates:20", "--connections"},
		{"--mix updates --rate -1", "--rate"},
		{"--mix updates --versions x", "--versions"},
	} {
		args := append([]string{"simulate", "--bench", "--url", s.URL, "--app", "a", "--duration", "1ms"}, strings.Fields(c.args)...)
		if _, problem, code := execute(t, "", nil, args...); code == 0 || !strings.Contains(problem, c.want) {
			t.Errorf("%s: exit code %d: %s", c.args, code, problem)
		}
	}
	// The report contains unexpected responses.
	out, problem, code := execute(t, "", nil, "simulate", "--bench", "--url", s.URL, "--app", "a", "--duration", "50ms", "--mix", "updates")
	if code != 0 || !strings.Contains(out, "other errors") || !strings.Contains(out, "HTTP 404") {
		t.Errorf("exit code %d: %s %s", code, out, problem)
	}
}
