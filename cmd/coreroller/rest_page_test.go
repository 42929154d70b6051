package main

import (
	"encoding/json"
	"net/http"
	"os"
	"regexp"
	"strings"
	"testing"
)

// The commands of docs/rest.md succeed in order and cover every route.
func TestRESTPageCommandsWork(t *testing.T) {
	p := startProgram(t, "")
	text, err := os.ReadFile("../../docs/rest.md")
	if err != nil {
		t.Fatal(err)
	}
	lines := regexp.MustCompile("(?s)```sh\n(curl .*?)\n```").FindAllStringSubmatch(string(text), -1)
	names := map[string]string{`"$A"`: "'admin:correct horse'", "MACHINE": "m1"} // placeholder → value
	covered := map[string]bool{}
	for _, m := range lines {
		line := m[1]
		for name, value := range names {
			line = strings.ReplaceAll(line, name, value)
		}
		method, path, status, answer := curl(t, p, line)
		if want := map[bool]int{true: http.StatusNoContent, false: http.StatusOK}[method == http.MethodDelete || path == "/api/password"]; status != want {
			t.Fatalf("%s\nreturned %d %s", line, status, answer)
		}
		path, _, _ = strings.Cut(path, "?")
		parts := strings.Split(path, "/")
		for i := 3; i < len(parts); i += 2 {
			parts[i] = map[string]string{"apps": "{app}", "groups": "{group}", "channels": "{channel}", "packages": "{package}", "instances": "{instance}"}[parts[i-1]]
		}
		covered[strings.ToLower(method)+" "+strings.Join(parts, "/")] = true
		var object struct{ ID, Name, Version string }
		_ = json.Unmarshal([]byte(answer), &object)
		switch {
		case method != http.MethodPost:
		case object.Name == "agent":
			names["APP"] = object.ID
		case object.Version == "2.0.0":
			names["PACKAGE"] = object.ID
		case object.Name == "stable":
			names["CHANNEL"] = object.ID
		case object.Name == "production":
			names["GROUP"] = object.ID
			curl(t, p, "curl -s http://localhost:8000/v1/update/ -d '<request protocol=\"3.0\"><app appid=\""+names["APP"]+
				"\" version=\"1.0.0\" track=\"production\" machineid=\"m1\"><ping/><updatecheck/></app></request>'")
		}
	}
	description, err := os.ReadFile("../../rest/openapi.json")
	if err != nil {
		t.Fatal(err)
	}
	var api struct{ Paths map[string]map[string]any }
	if err := json.Unmarshal(description, &api); err != nil {
		t.Fatal(err)
	}
	for path, methods := range api.Paths {
		for method := range methods {
			if method != "parameters" && !covered[method+" "+path] {
				t.Errorf("docs/rest.md has no command for %s %s", strings.ToUpper(method), path)
			}
		}
	}
}
