package graph_test

import (
	"bytes"
	"compress/gzip"
	"encoding/xml"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/coreroller/coreroller/omaha"
)

// hostileTexts are what SQL, HTML, headers, paths and logs would take for their own.
var hostileTexts = []string{
	`'; DROP TABLE instances; --`, `" OR "1"="1`, `\'; SELECT pg_sleep(10); --`, `%' AND 1=0 UNION SELECT password_hash FROM users --`,
	`<script>alert(1)</script>`, `"><img src=x onerror=alert(1)>`, `javascript:alert(1)`, `{{constructor.constructor('x')()}}`,
	"x\r\nSet-Cookie: a=b", `../../../../etc/passwd`, `%2e%2e%2f`, `$(reboot)`, "_%_", "\u202e",
}

// Whatever text a machine sends in any attribute, it is stored and shown as text, and
// every search finds it or nothing.
func TestHostileTextsStayTexts(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		post := func(body string) (int, string) {
			t.Helper()
			req, _ := http.NewRequestWithContext(t.Context(), http.MethodPost, s.http.URL+"/v1/update/", strings.NewReader(body))
			resp, err := s.http.Client().Do(req)
			if err != nil {
				t.Fatal(err)
			}
			defer resp.Body.Close()
			answer, err := io.ReadAll(resp.Body)
			if err != nil || resp.Header.Get("Set-Cookie") != "" {
				t.Fatal(err, resp.Header)
			}
			return resp.StatusCode, string(answer)
		}
		for i, text := range hostileTexts {
			var quoted bytes.Buffer
			if err := xml.EscapeText(&quoted, []byte(text)); err != nil {
				t.Fatal(err)
			}
			q := quoted.String()
			// In every attribute at once, then in those that are only stored.
			status, answer := post(fmt.Sprintf(`<request protocol="%[1]s" version="%[1]s" updaterversion="%[1]s" sessionid="%[1]s" installsource="%[1]s"><os platform="%[1]s" version="%[1]s" arch="%[1]s" sp="%[1]s"/><app appid="%[1]s" version="%[1]s" track="%[1]s" machineid="%[1]s" board="%[1]s" oem="%[1]s" bootid="%[1]s"><ping active="%[1]s"/><updatecheck targetversionprefix="%[1]s"/><event eventtype="%[1]s" eventresult="%[1]s" previousversion="%[1]s" errorcode="%[1]s"/></app></request>`, q))
			if status >= 500 || strings.Contains(answer, text) && strings.ContainsAny(text, `<>"`) {
				t.Errorf("%q: %d %s", text, status, answer)
			}
			machine := fmt.Sprintf("hostile-%d", i)
			status, answer = post(fmt.Sprintf(`<request protocol="3.0"><os platform="CoreOS" version="x" arch="amd64"/><app appid="%s" version="1.0.0" track="prod" machineid="%s" oem="%[3]s" alephversion="%[3]s" machinealias="%[3]s"><ping/><updatecheck/></app></request>`, s.app, machine, q))
			if status != http.StatusOK || !strings.Contains(answer, `status="ok"`) {
				t.Fatalf("%q: %d %s", text, status, answer)
			}
			v := vars{"id": s.instance(machine), "text": text}
			r := s.ana(t).ask(`query($id: ID!, $text: String!) {
				instance(id: $id) { machineId oem alias }
				instances(filter: {search: $text}) { nodes { machineId } }
				activities(filter: {text: $text}) { nodes { id } }
				audits(filter: {text: $text}) { nodes { id } }
			}`, v)
			if len(r.Errors) > 0 || !strings.Contains(string(r.Data), machine) || strings.Contains(string(r.Data), "argon2id") {
				t.Errorf("%q: %s %+v", text, r.Data, r.Errors)
			}
			if r.header.Get("X-Content-Type-Options") != "nosniff" || !strings.Contains(r.header.Get("Content-Type"), "json") {
				t.Errorf("%q: headers %v", text, r.header)
			}
			bad := s.anonymous(t).ask(`mutation($name: String!) { signIn(input: {username: $name, password: $name}) { userErrors { code } } }`, vars{"name": text})
			if len(bad.Errors) > 0 || !strings.Contains(string(bad.Data), "UNAUTHENTICATED") {
				t.Errorf("sign-in as %q: %s %+v", text, bad.Data, bad.Errors)
			}
		}
		if r := s.ana(t).ask("{ users { username } instances { nodes { id } } }", nil); len(r.Errors) > 0 || strings.Count(string(r.Data), `"id"`) != len(hostileTexts) {
			t.Errorf("afterwards: %s %+v", r.Data, r.Errors)
		}
		if strings.Contains(s.log.String(), "graphql field failed") {
			t.Errorf("log: %s", s.log)
		}
	})
}

// A compressed body is not expanded, at any endpoint: it is refused as it is.
func TestCompressedBodiesAreNotExpanded(t *testing.T) {
	s := oneSite(t)
	var bomb bytes.Buffer
	z := gzip.NewWriter(&bomb)
	for range 64 {
		_, _ = z.Write(bytes.Repeat([]byte(" "), 1<<20)) // 64 MiB in 64 kB
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	for path, status := range map[string]int{"/v1/update/": http.StatusBadRequest, "/graphql": http.StatusBadRequest, "/api/apps": http.StatusBadRequest} {
		body := bomb.Bytes()
		if path == "/v1/update/" {
			body = body[:min(len(body), 60_000)]
		}
		req, _ := http.NewRequestWithContext(t.Context(), http.MethodPost, s.http.URL+path, bytes.NewReader(body))
		req.Header.Set("Content-Encoding", "gzip")
		req.Header.Set("Content-Type", "application/json")
		req.SetBasicAuth("ana", password)
		resp, err := s.http.Client().Do(req)
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		if resp.StatusCode != status {
			t.Errorf("%s: %d", path, resp.StatusCode)
		}
	}
}

// Entities and external files are refused before anything is read.
func TestEntitiesAreRefused(t *testing.T) {
	bomb := `<!DOCTYPE r [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;">]><request protocol="&c;"/>`
	for _, body := range []string{
		bomb, `<!DOCTYPE r SYSTEM "file:///etc/passwd"><request/>`, `<!DOCTYPE r [<!ENTITY x SYSTEM "http://127.0.0.1/">]><request a="&x;"/>`,
		`<request xmlns:xi="http://www.w3.org/2001/XInclude"><!DOCTYPE x></request>`, `<?xml version="1.0"?><!DOCTYPE r PUBLIC "a" "b"><request/>`,
	} {
		if r, err := omaha.Parse([]byte(body), func(string) []string { return nil }); err == nil || !strings.Contains(err.Error(), "document type declarations are not accepted") {
			t.Errorf("%s: %+v %v", body, r, err)
		}
	}
}
