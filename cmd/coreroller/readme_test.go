package main

import (
	"io"
	"net/http"
	"os"
	"regexp"
	"strings"
	"testing"
)

// The commands of the README add a package, promote it and offer it to a machine. A
// second machine waits, as the README explains.
func TestReadmeCommandsWork(t *testing.T) {
	p := startProgram(t, "")
	text, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	add := regexp.MustCompile("(?s)```sh\n(\\S+) bin/coreroller (package add .*?)\n```").FindStringSubmatch(string(text))
	check := regexp.MustCompile("(?s)```sh\n(curl .*?)\n```").FindStringSubmatch(string(text))
	if add == nil || check == nil {
		t.Fatal("the README has no command for a package, or none for a machine")
	}
	release := releaseServer(t, "/amd64-usr/4152.2.0/flatcar_production_update.gz")
	line := strings.Replace(strings.ReplaceAll(add[2], "\\\n", ""), "https://update.release.flatcar-linux.net", release.URL, 1)
	out, errs, code := execute(t, "", []string{add[1], "COREROLLER_URL=" + p.URL()}, strings.Fields(line)...)
	if code != 0 || !strings.Contains(out, "package 4152.2.0 (amd64) was added") || !strings.Contains(out, "channel stable offers it") {
		t.Fatalf("exit code %d: %s%s", code, out, errs)
	}
	offered := paste(t, p, check[1])
	for _, want := range []string{`<manifest version="4152.2.0">`, `codebase="` + release.URL + `/amd64-usr/4152.2.0/"`, `size="6"`, `hash="9XLTlvrpIGYocU+yzgD3LpTyJY8="`} {
		if !strings.Contains(offered, want) {
			t.Errorf("the machine gets no %s: %s", want, offered)
		}
	}
	second := strings.ReplaceAll(check[1], "0123456789abcdef0123456789abcdef", "f123456789abcdef0123456789abcdef")
	if held := paste(t, p, second); !strings.Contains(held, `status="noupdate" info="safe_mode_first"`) {
		t.Errorf("the second machine does not wait: %s", held)
	}
}

// paste runs a curl command line and returns the body of the response.
func paste(t *testing.T, p *Program, line string) string {
	t.Helper()
	_, _, _, body := curl(t, p, line)
	return body
}

// curl sends the request of a curl command line.
func curl(t *testing.T, p *Program, line string) (method, path string, status int, body string) {
	t.Helper()
	option := func(pattern, otherwise string) string {
		if m := regexp.MustCompile(pattern).FindStringSubmatch(line); m != nil {
			return m[1]
		}
		return otherwise
	}
	data := option(`(?s) -d '(.*)'`, "")
	method = http.MethodGet
	if data != "" {
		method = http.MethodPost
	}
	method, path = option(` -X ([A-Z]+)`, method), option(`http://localhost:8000([^\s"]*)`, "")
	req, err := http.NewRequestWithContext(t.Context(), method, p.URL()+path, strings.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	if data != "" {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded") // curl's default
	}
	if name, value, ok := strings.Cut(option(`-H '([^']*)'`, ""), ": "); ok {
		req.Header.Set(name, value)
	}
	if name, password, ok := strings.Cut(option(` -u '([^']+)'`, option(` -u (\S+)`, "")), ":"); ok {
		req.SetBasicAuth(name, password)
	}
	status, body = send(t, req)
	return method, path, status, body
}

// send sends a request and returns the status and body of the response.
func send(t *testing.T, req *http.Request) (status int, body string) {
	t.Helper()
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(answer)
}
