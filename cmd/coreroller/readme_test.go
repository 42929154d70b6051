package main

import (
	"io"
	"net/http"
	"os"
	"regexp"
	"strings"
	"testing"
)

// The commands of the README create a package, promote it and offer it to a
// machine. A second machine waits, as the README explains.
func TestReadmeCommandsWork(t *testing.T) {
	p := startProgram(t, "")
	text, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	lines := regexp.MustCompile("(?s)```sh\n(curl .*?)\n```").FindAllStringSubmatch(string(text), -1)
	if len(lines) != 3 {
		t.Fatalf("the README has %d curl commands, want 3", len(lines))
	}
	created := paste(t, p, lines[0][1])
	found := regexp.MustCompile(`"package":\{"id":"([0-9a-f-]{36})"`).FindStringSubmatch(created)
	if found == nil {
		t.Fatalf("no package was created: %s", created)
	}
	if promoted := paste(t, p, strings.ReplaceAll(lines[1][1], "PACKAGE-ID", found[1])); !strings.Contains(promoted, `"version":"4152.2.0"`) {
		t.Fatalf("the package was not promoted: %s", promoted)
	}
	if offered := paste(t, p, lines[2][1]); !strings.Contains(offered, `<manifest version="4152.2.0">`) {
		t.Errorf("the machine got no offer: %s", offered)
	}
	second := strings.ReplaceAll(lines[2][1], "0123456789abcdef0123456789abcdef", "f123456789abcdef0123456789abcdef")
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
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return method, path, resp.StatusCode, string(answer)
}
