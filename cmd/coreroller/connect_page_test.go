package main

import (
	"encoding/json"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/coreroller/coreroller/fleet/catalog"
)

// snippets returns the code blocks of docs/connect.md in a language.
func snippets(t *testing.T, language string) (all []string) {
	t.Helper()
	text, err := os.ReadFile("../../docs/connect.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range regexp.MustCompile("(?s)```(\\w+)\n(.*?)```").FindAllStringSubmatch(string(text), -1) {
		if m[1] == language {
			all = append(all, m[2])
		}
	}
	if len(all) == 0 {
		t.Fatalf("docs/connect.md has no %s", language)
	}
	return all
}

// The Ignition config is what Butane makes of the Butane config, and both write the
// file of the first section.
func TestConnectPageIgnitionEqualsButane(t *testing.T) {
	conf, butane := snippets(t, "ini")[0], snippets(t, "yaml")[0]
	var ignition struct {
		Ignition struct{ Version string }
		Storage  struct {
			Files []struct {
				Path      string
				Overwrite bool
				Mode      int
				Contents  struct{ Compression, Source string }
			}
		}
	}
	if err := json.Unmarshal([]byte(snippets(t, "json")[0]), &ignition); err != nil || len(ignition.Storage.Files) != 1 {
		t.Fatalf("%+v %v", ignition, err)
	}
	head, inline, _ := strings.Cut(butane, "        inline: |\n")
	if got := strings.ReplaceAll(inline, "          ", ""); got != conf {
		t.Errorf("Butane writes %q, want %q", got, conf)
	}
	file := ignition.Storage.Files[0]
	source, is := strings.CutPrefix(file.Contents.Source, "data:,")
	if got, err := url.PathUnescape(source); !is || err != nil || got != conf || file.Contents.Compression != "" {
		t.Errorf("Ignition writes %q (%v), want %q", got, err, conf)
	}
	want := []string{
		"variant: flatcar", "version: 1.0.0", "storage:", "files:", "- path: " + file.Path, "overwrite: true", "mode: 0644", "contents:",
	}
	var got []string
	for line := range strings.Lines(head) {
		got = append(got, strings.TrimSpace(line))
	}
	// Version 1.0.0 of Butane's variant flatcar makes Ignition 3.3.0.
	if !slices.Equal(got, want) || ignition.Ignition.Version != "3.3.0" || file.Mode != 0o644 || !file.Overwrite || file.Path != "/etc/flatcar/update.conf" {
		t.Errorf("Butane %q, Ignition %+v", got, ignition)
	}
}

// The settings reach a group of a new server, also through a proxy with the headers
// and the flag of the page.
func TestConnectPageSettingsReachTheServer(t *testing.T) {
	conf := snippets(t, "ini")[0]
	server := regexp.MustCompile(`SERVER=https://([^/]+)(/.*)\n`).FindStringSubmatch(conf)
	group := regexp.MustCompile(`GROUP=(.*)\n`).FindStringSubmatch(conf)
	if server == nil || group == nil {
		t.Fatal(conf)
	}
	command := strings.Fields(snippets(t, "sh")[2])
	if len(command) < 3 || command[0] != "bin/coreroller" || command[1] != "serve" {
		t.Fatalf("%q is not the command of the section about proxies", command)
	}
	c, err := parse(t, nil, command[2:]...)
	if err != nil || len(c.TrustedProxies) != 1 || !c.TrustedProxies[0].Contains(netip.MustParseAddr("127.0.0.1")) {
		t.Fatalf("%+v %v", c, err)
	}
	c.Listen, c.DataDir, c.FirstPassword = "127.0.0.1:0", t.TempDir(), "correct horse" // admin works on this machine only
	p := NewProgram(c, discard(), time.Now)
	if err := p.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.Close() })

	// What nginx sends for a machine at 203.0.113.9.
	variables := strings.NewReplacer("$http_host", server[1], "$remote_addr", "203.0.113.9", "$scheme", "https", "$http_upgrade", "", "$connection_upgrade", "")
	header := http.Header{}
	for _, m := range regexp.MustCompile(`proxy_set_header (\S+) (\S+);`).FindAllStringSubmatch(snippets(t, "nginx")[0], -1) {
		if value := variables.Replace(m[2]); value != "" { // nginx leaves out empty ones
			header.Set(m[1], value)
		}
	}
	post := func(path, contentType, body string) string {
		t.Helper()
		req, _ := http.NewRequestWithContext(t.Context(), http.MethodPost, p.URL()+path, strings.NewReader(body))
		req.Header = header.Clone()
		req.Host = header.Get("Host")
		req.Header.Set("Content-Type", contentType)
		req.SetBasicAuth("admin", "correct horse")
		_, body = send(t, req)
		return body
	}
	answer := post(server[2], "text/xml", `<request protocol="3.0"><app appid="`+catalog.FlatcarID().String()+`" version="4081.2.0" track="`+group[1]+`" machineid="connected"><updatecheck/></app></request>`)
	if !strings.Contains(answer, `info="no_package"`) {
		t.Errorf("the machine was answered %s", answer)
	}
	shown := post("/graphql", "application/graphql", `{ serverInfo { updateUrl } instances { nodes { machineId address } } }`)
	for _, want := range []string{`"updateUrl":"https://` + server[1] + server[2] + `"`, `"address":"203.0.113.9"`} {
		if !strings.Contains(shown, want) {
			t.Errorf("the server shows no %s: %s", want, shown)
		}
	}
	for _, want := range []string{"proxy_set_header Upgrade $http_upgrade;", "proxy_set_header Connection $connection_upgrade;", "proxy_http_version 1.1;"} {
		if !strings.Contains(snippets(t, "nginx")[0], want) {
			t.Errorf("nginx passes no websockets: %s", want)
		}
	}
	// The pace that the page states.
	for _, g := range p.fleet.Catalog().App(catalog.FlatcarID()).Groups {
		want := 2
		if strings.Contains("alpha edge", g.Track) {
			want = 1
		}
		if g.Policy.MaxUpdatesPerPeriod != want || g.Policy.PeriodInterval != 15*time.Minute {
			t.Errorf("group %s allows %d updates per %s", g.Name, g.Policy.MaxUpdatesPerPeriod, g.Policy.PeriodInterval)
		}
	}
}
