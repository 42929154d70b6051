package mirror_test

import (
	"context"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/coreroller/coreroller/remote/mirror"
)

const flatcar = "{e96281a6-d1af-4bde-9a0a-97b76e56dc57}"

func query(url string) mirror.Query {
	return mirror.Query{URL: url, App: flatcar, Track: "stable", Arch: "amd64", Version: "4152.2.0", MachineID: "{3e2f7c52-0ad5-4a0b-8a5e-6d3f9e6a1b7c}", Flatcar: true}
}

func limits() mirror.Limits {
	return mirror.Limits{Size: 64 << 10, Total: 400 * time.Millisecond, Stall: 150 * time.Millisecond}
}

// The digests of the empty file in the two encodings.
const (
	sha1Text   = "2jmj7l5rSw0yVb/vlWAYkK/YBwk="
	sha256Text = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
	sha256B64  = "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="
)

// public is an answer in the shape of the public Flatcar server: the payload without
// hash_sha256, then the extensions with hash_sha256 in hex, one codebase.
func public() string {
	var b strings.Builder
	b.WriteString(`<?xml version="1.0" encoding="UTF-8"?>` + "\n" + `<response protocol="3.0" server="nebraska"><daystart elapsed_seconds="0"></daystart>` +
		`<app appid="` + flatcar + `" status="ok"><updatecheck status="ok"><urls><url codebase="https://update.example.net/amd64-usr/4230.2.1/"></url></urls>` +
		`<manifest version="4230.2.1"><packages><package name="flatcar_production_update.gz" hash="` + sha1Text + `" size="486210944" required="true"></package>`)
	for _, name := range []string{
		"oem-akamai", "oem-ami", "oem-azure", "oem-digitalocean", "oem-exoscale", "oem-gce", "oem-hetzner", "oem-hyperv", "oem-kubevirt", "oem-nutanix",
		"oem-openstack", "oem-packet", "oem-proxmoxve", "oem-qemu", "oem-scaleway", "oem-stackit", "oem-vmware", "flatcar-podman", "flatcar-python", "flatcar-zfs",
	} {
		fmt.Fprintf(&b, `<package name="%s.gz" hash="%s" hash_sha256="%s" size="1515985" required="false"></package>`, name, sha1Text, sha256Text)
	}
	b.WriteString(`</packages><actions><action event="postinstall" sha256="` + sha256B64 + `" DisablePayloadBackoff="true"></action></actions></manifest></updatecheck></app></response>`)
	return b.String()
}

// answer wraps the inside of an updatecheck with status ok.
func answer(inside string) string {
	return `<response protocol="3.0"><app appid="` + flatcar + `" status="ok"><updatecheck status="ok"><urls><url codebase="https://mirror.example.org/f"/></urls>` +
		inside + `</updatecheck></app></response>`
}

func manifest(attributes string) string {
	return `<manifest ` + attributes + `><packages><package name="u.gz" size="7" hash="` + sha1Text + `" required="true"/></packages>` +
		`<actions><action event="postinstall" sha256="` + sha256B64 + `"/></actions></manifest>`
}

// ask asks a server that sends a text.
func ask(t *testing.T, text string, change func(*mirror.Query)) (*mirror.Answer, error) {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/xml")
		_, _ = io.WriteString(w, text)
	}))
	defer s.Close()
	q := query(s.URL)
	if change != nil {
		change(&q)
	}
	l := limits()
	l.Total, l.Stall = 10*time.Second, 10*time.Second // only the text is tested
	return mirror.NewClient("CoreRoller/test", l).Ask(t.Context(), q, nil)
}

func TestAnswerOfThePublicServer(t *testing.T) {
	a, err := ask(t, public(), nil)
	if err != nil {
		t.Fatal(err)
	}
	m := a.Manifests[0]
	if len(a.Manifests) != 1 || a.Target != 0 || a.Channel != nil || m.Version != "4230.2.1" || m.Floor || m.Codebase != "https://update.example.net/amd64-usr/4230.2.1/" {
		t.Errorf("answer %+v", a)
	}
	if want := (mirror.File{Name: "flatcar_production_update.gz", Size: 486210944, SHA1: sha1Text, SHA256: sha256Text}); m.Payload != want {
		t.Errorf("payload %+v", m.Payload)
	}
	if len(m.Extra) != 20 || m.Extra[16] != (mirror.File{Name: "oem-vmware.gz", Size: 1515985, SHA1: sha1Text, SHA256: sha256Text}) {
		t.Errorf("extra files %+v", m.Extra)
	}
	if m.Action == nil || !m.Action.DisablePayloadBackoff || m.Action.IsDelta {
		t.Errorf("action %+v", m.Action)
	}
}

func TestTargetOfSeveralManifests(t *testing.T) {
	for _, c := range []struct {
		inside string
		target int
	}{
		{manifest(`version="1.0.0" is_floor="true" floor_reason="disk format"`) + manifest(`version="2.0.0" is_target="true"`) + manifest(`version="3.0.0"`), 1},
		{manifest(`version="1.0.0" is_floor="true"`) + manifest(`version="2.0.0"`) + manifest(`version="3.0.0"`), 2},
		{manifest(`version="1.0.0" is_floor="true"`) + manifest(`version="2.0.0" is_floor="true"`), -1},
		{manifest(`version="1.0.0" is_floor="true"`) + manifest(`version="2.0.0" is_floor="true" is_target="true"`), 1},
		{manifest(`version="1.0.0" is_floor="true"`), 0},
	} {
		a, err := ask(t, answer(c.inside), nil)
		if err != nil || a.Target != c.target || a.Manifests[0].Codebase != "https://mirror.example.org/f/" {
			t.Errorf("%s: %+v %v, want target %d", c.inside, a, err, c.target)
		}
	}
	a, err := ask(t, answer(manifest(`version="1.0.0" is_floor="true" floor_reason="disk&#x202E; format"`)), nil)
	if err != nil || !a.Manifests[0].Floor || a.Manifests[0].FloorReason != "disk format" {
		t.Errorf("floor %+v %v", a, err)
	}
}

func TestStateOfTheChannel(t *testing.T) {
	text := `<response protocol="3.0" server="coreroller"><app appid="` + flatcar + `" status="ok">` +
		`<updatecheck status="noupdate" channel_track="stable" channel_arch="amd64" channel_version="4152.2.0">` +
		`<withdrawn version="4230.2.1" reason="boots &amp; hangs"/></updatecheck></app></response>`
	a, err := ask(t, text, nil)
	if err != nil || len(a.Manifests) != 0 || a.Target != -1 || a.Channel == nil || a.Channel.Version != "4152.2.0" ||
		len(a.Channel.Withdrawn) != 1 || a.Channel.Withdrawn[0] != (mirror.Withdrawn{Version: "4230.2.1", Reason: "boots & hangs"}) {
		t.Errorf("%+v %v", a, err)
	}
	if _, err := ask(t, text, func(q *mirror.Query) { q.Arch = "arm64" }); err == nil || !strings.Contains(err.Error(), "architecture") {
		t.Errorf("another architecture: %v", err)
	}
	if _, err := ask(t, text, func(q *mirror.Query) { q.Track = "beta" }); err == nil || !strings.Contains(err.Error(), "track") {
		t.Errorf("another track: %v", err)
	}
}

// Manifests of CoreRoller have a URL each if the URLs differ.
func TestURLOfEachManifest(t *testing.T) {
	text := `<response protocol="3.0" server="coreroller"><app appid="` + flatcar + `" status="ok"><updatecheck status="ok">` +
		`<urls><url codebase="https://a.example/"/><url codebase="https://b.example/"/></urls>` + manifest(`version="1.0.0" is_floor="true"`) + manifest(`version="2.0.0"`) +
		`</updatecheck></app></response>`
	a, err := ask(t, text, nil)
	if err != nil || a.Manifests[0].Codebase != "https://a.example/" || a.Manifests[1].Codebase != "https://b.example/" {
		t.Errorf("%+v %v", a, err)
	}
	a, err = ask(t, strings.Replace(text, "coreroller", "other", 1), nil)
	if err != nil || a.Manifests[1].Codebase != "https://a.example/" {
		t.Errorf("%+v %v", a, err)
	}
}

func TestAnswersThatAreRefused(t *testing.T) {
	file := func(attributes string) string {
		return answer(`<manifest version="1.0.0"><packages><package ` + attributes + `/></packages></manifest>`)
	}
	many := strings.Builder{}
	for i := range 101 {
		many.WriteString(manifest(fmt.Sprintf(`version="1.0.%d"`, i)))
	}
	files := strings.Repeat(`<package name="x" size="1" hash="`+sha1Text+`"/>`, 102)
	for name, c := range map[string]struct{ text, want string }{
		"empty":            {"", "not an Omaha response"},
		"malformed":        {public()[:900], "not an Omaha response"},
		"other XML":        {`<feed/>`, "not an Omaha response"},
		"JSON":             {`{"response":{}}`, "not an Omaha response"},
		"entity":           {`<!DOCTYPE r [<!ENTITY a "b">]><response><app appid="&a;"/></response>`, "not an Omaha response"},
		"more behind":      {public() + `<response/>`, "something follows"},
		"page":             {`<!DOCTYPE html><html>sign in</html>`, "web page"},
		"no app":           {`<response protocol="3.0"/>`, "0 applications"},
		"two apps":         {`<response><app/><app/></response>`, "2 applications"},
		"other app":        {strings.Replace(public(), "e96281a6", "aaaaaaaa", 1), "answer is for application"},
		"unknown app":      {`<response><app appid="x" status="error-unknownApplication"/></response>`, "error-unknownApplication"},
		"no check":         {`<response><app appid="` + flatcar + `" status="ok"/></response>`, "0 update checks"},
		"error":            {`<response><app appid="` + flatcar + `" status="ok"><updatecheck status="error-internal"/></app></response>`, "error-internal"},
		"no manifest":      {answer(""), "without a manifest"},
		"no URL":           {strings.Replace(answer(manifest(`version="1.0.0"`)), `<url codebase="https://mirror.example.org/f"/>`, "", 1), "without a URL"},
		"file URL":         {strings.Replace(public(), "https://update", "file://update", 1), "http or https"},
		"query":            {strings.Replace(public(), "4230.2.1/", "?v=4230.2.1", 1), "no query"},
		"other board":      {strings.Replace(public(), "amd64-usr", "arm64-usr", 1), "architecture arm64"},
		"many manifests":   {answer(many.String()), "101 manifests"},
		"no version":       {answer(manifest(`version=""`)), "is not valid"},
		"long version":     {answer(manifest(`version="` + strings.Repeat("1", 65) + `"`)), "is not valid"},
		"version as path":  {answer(manifest(`version="../1"`)), "is not valid"},
		"duplicate floor":  {answer(manifest(`version="1.0.0" is_floor="true"`) + manifest(`version="1.0.0" is_floor="true"`)), "twice"},
		"two targets":      {answer(manifest(`version="1.0.0" is_target="true"`) + manifest(`version="2.0.0" is_target="true"`)), "two targets"},
		"no package":       {answer(`<manifest version="1.0.0"/>`), "no package"},
		"many files":       {answer(`<manifest version="1.0.0"><packages>` + files + `</packages></manifest>`), "102 files"},
		"file twice":       {answer(`<manifest version="1.0.0"><packages>` + files[:2*len(files)/102] + `</packages></manifest>`), "listed twice"},
		"no name":          {file(`size="1" hash="` + sha1Text + `"`), "name is not valid"},
		"hidden name":      {file(`name="a&#x202E;b" size="1" hash="` + sha1Text + `"`), "name is not valid"},
		"no size":          {file(`name="x" hash="` + sha1Text + `"`), "size"},
		"negative size":    {file(`name="x" size="-1" hash="` + sha1Text + `"`), "size"},
		"vast size":        {file(`name="x" size="9000000000000" hash="` + sha1Text + `"`), "size"},
		"no hash":          {file(`name="x" size="1"`), "no hash"},
		"bad hash":         {file(`name="x" size="1" hash="abc"`), "SHA-1"},
		"short hash":       {file(`name="x" size="1" hash="YWJj"`), "SHA-1"},
		"bad SHA-256":      {file(`name="x" size="1" hash_sha256="zz"`), "SHA-256"},
		"no SHA-256":       {file(`name="x" size="1" hash="` + sha1Text + `"`), "no SHA-256"},
		"digests disagree": {strings.Replace(answer(manifest(`version="1.0.0"`)), `size="7"`, `size="7" hash_sha256="`+strings.Repeat("ab", 32)+`"`, 1), "but its action says"},
		"bad action":       {strings.Replace(answer(manifest(`version="1.0.0"`)), sha256B64, sha256Text, 1), "32 bytes in base64"},
	} {
		a, err := ask(t, c.text, nil)
		if _, own := errors.AsType[*mirror.Error](err); a != nil || !own || !strings.Contains(err.Error(), c.want) || len(err.Error()) > 1200 {
			t.Errorf("%s: %+v %v, want %q", name, a, err, c.want)
		}
	}
}

func TestUpstreamsThatFail(t *testing.T) {
	mux := http.NewServeMux()
	mux.HandleFunc("/silent", func(_ http.ResponseWriter, r *http.Request) { _, _ = io.Copy(io.Discard, r.Body); <-r.Context().Done() })
	mux.HandleFunc("/stalls", func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		_, _ = io.WriteString(w, "<response>")
		_ = http.NewResponseController(w).Flush()
		<-r.Context().Done()
	})
	mux.HandleFunc("/drip", func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		for r.Context().Err() == nil {
			_, _ = io.WriteString(w, " ")
			_ = http.NewResponseController(w).Flush()
			time.Sleep(5 * time.Millisecond) // it is the slow server that is tested
		}
	})
	mux.HandleFunc("/endless", func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		for r.Context().Err() == nil {
			if _, err := w.Write(make([]byte, 4096)); err != nil {
				return
			}
		}
	})
	mux.HandleFunc("/short", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "5000")
		_, _ = io.WriteString(w, public()[:500])
	})
	mux.HandleFunc("/html", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = io.WriteString(w, public())
	})
	mux.HandleFunc("/busy", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusServiceUnavailable) })
	mux.Handle("/moved", http.RedirectHandler("https://elsewhere.example/", http.StatusFound))
	s := httptest.NewServer(mux)
	defer s.Close()
	down := httptest.NewServer(mux)
	down.Close()
	c := mirror.NewClient("CoreRoller/test", limits())
	for url, want := range map[string]string{
		s.URL + "/silent":     "sent nothing for 150ms",
		s.URL + "/stalls":     "sent nothing for 150ms",
		s.URL + "/drip":       "took longer than 400ms",
		s.URL + "/endless":    "larger than 65536 bytes",
		s.URL + "/short":      "in the middle of its answer",
		s.URL + "/html":       "web page",
		s.URL + "/busy":       "503",
		s.URL + "/none":       "404",
		s.URL + "/moved":      "redirects to",
		down.URL:              "cannot be reached",
		"ftp://x.example/":    "http or https",
		"https://u:p@x.local": "user name",
		"":                    "http or https",
	} {
		a, err := c.Ask(t.Context(), query(url), nil)
		if a != nil || err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", url, err, want)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := c.Ask(ctx, query(s.URL+"/silent"), nil); !errors.Is(err, context.Canceled) {
		t.Errorf("canceled: %v", err)
	}
}

func TestWhatAMirrorSends(t *testing.T) {
	var body, agent string
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		text, _ := io.ReadAll(r.Body)
		body, agent = string(text), r.Header.Get("User-Agent")+" "+r.Header.Get("Content-Type")+" "+r.Method
		_, _ = io.WriteString(w, public())
	}))
	defer s.Close()
	q := query(s.URL)
	q.Arch, q.Track = "amd64", `a"b`
	if _, err := mirror.NewClient("CoreRoller/1", mirror.DefaultLimits()).Ask(t.Context(), q, nil); err != nil {
		t.Fatal(err)
	}
	for _, part := range []string{
		`version="CoreOSUpdateEngine-0.1.0.0"`, `installsource="scheduler"`, `sp="4152.2.0_x86_64" arch="x64"`, `appid="` + flatcar + `"`, `version="4152.2.0"`,
		`track="a&#34;b"`, `machineid="{3e2f7c52-0ad5-4a0b-8a5e-6d3f9e6a1b7c}"`, `multi_manifest_ok="true"`, `<updatecheck/>`,
	} {
		if !strings.Contains(body, part) {
			t.Errorf("%s is missing in %s", part, body)
		}
	}
	if strings.Contains(body, "<ping") || strings.Contains(body, "<event") || agent != "CoreRoller/1 text/xml POST" {
		t.Errorf("%s, %s", agent, body)
	}
	q.Arch, q.Version, q.Flatcar = "arm64", "", false
	if _, err := mirror.NewClient("x", mirror.DefaultLimits()).Ask(t.Context(), q, nil); err != nil || !strings.Contains(body, `sp="766.0.0_aarch64" arch="arm"`) {
		t.Errorf("%v, %s", err, body)
	}
}

func TestOwnAuthority(t *testing.T) {
	s := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, public()) }))
	defer s.Close()
	s.Config.ErrorLog = nil
	c := mirror.NewClient("x", mirror.DefaultLimits())
	if _, err := c.Ask(t.Context(), query(s.URL), nil); err == nil || !strings.Contains(err.Error(), "certificate") {
		t.Errorf("an unknown authority: %v", err)
	}
	roots, err := mirror.ParseCA(string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw})))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Ask(t.Context(), query(s.URL), roots); err != nil {
		t.Error(err)
	}
	if _, err := mirror.ParseCA("nothing"); err == nil {
		t.Error("text without a certificate was accepted")
	}
}
