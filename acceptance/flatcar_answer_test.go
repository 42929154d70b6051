package acceptance

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/xml"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/coreroller/coreroller/fleet"
	"github.com/coreroller/coreroller/fleet/catalog"
	"github.com/coreroller/coreroller/fleet/view"
)

// oems have an extension in each version of Flatcar; others are chosen by the owner of a machine.
var oems = strings.Fields("akamai ami azure cloudsigma cloudstack digitalocean exoscale gce hetzner hyperv kubevirt nutanix openstack oraclecloud proxmoxve qemu scaleway stackit vagrant virtualbox vmware")

// flatcarAnswer is an answer of the shape of the public Flatcar server: the payload has a
// SHA-1 only, the extensions have SHA-1 in base64 and SHA-256 in hexadecimal.
func flatcarAnswer(version string) string {
	hash := func(fill byte) string { return base64.StdEncoding.EncodeToString(append(make([]byte, 19), fill)) }
	var b strings.Builder
	fmt.Fprintf(&b, `<?xml version="1.0" encoding="UTF-8"?>
<response protocol="3.0" server="nebraska"><daystart elapsed_seconds="0"></daystart><app appid="%s" status="ok"><updatecheck status="ok">`+
		`<urls><url codebase="https://update.release.flatcar-linux.net/amd64-usr/%s/"></url></urls><manifest version="%s"><packages>`+
		`<package name="flatcar_production_update.gz" hash="%s" size="465881871" required="true"></package>`, catalog.FlatcarID(), version, version, hash(1))
	for i, name := range append(oems, "podman", "zfs") {
		kind := "oem"
		if i >= len(oems) {
			kind = "flatcar"
		}
		fmt.Fprintf(&b, `<package name="%s-%s.gz" hash="%s" hash_sha256="%064x" size="%d" required="false"></package>`, kind, name, hash(byte(i+2)), i+2, 800_000+i)
	}
	return b.String() + `</packages><actions><action event="postinstall" ChromeOSVersion="" sha256="` + base64.StdEncoding.EncodeToString(make([]byte, 32)) +
		`" needsadmin="false" IsDelta="false" DisablePayloadBackoff="true" MetadataSignatureRsa="" MetadataSize="" deadline=""></action></actions></manifest></updatecheck></app></response>`
}

// What the public Flatcar server offers reaches a machine in a form that its tools accept:
// one that parses the answer refuses all of it for one attribute that is empty or invalid.
func TestFlatcarMachinesGetWhatTheFlatcarServerOffers(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		public := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, flatcarAnswer("4593.0.0")) }))
		t.Cleanup(public.Close)
		up, err := s.CreateUpstream(s.ctx, fleet.CreateUpstream{ApplicationID: catalog.FlatcarID(), Name: "public", Kind: view.UpstreamOmaha, URL: public.URL, Interval: time.Hour})
		s.ok(err)
		for _, ch := range s.Catalog().App(catalog.FlatcarID()).Channels {
			if ch.Name == "stable" && ch.Arch == "amd64" {
				_, err = s.AddUpstreamChannel(s.ctx, fleet.AddUpstreamChannel{UpstreamID: up.ID, ChannelID: ch.ID, Mode: view.MirrorPromote})
				s.ok(err)
			}
		}
		s.ok(s.WorkUpstreams(t.Context()))
		a := s.post("/v1/update/", `<request protocol="3.0" version="update_engine-0.4.10" installsource="scheduler" ismachine="1"><os version="Chateau" platform="CoreOS" sp="4459.2.0_x86_64"/>`+
			`<app appid="{e96281a6-d1af-4bde-9a0a-97b76e56dc57}" version="4459.2.0" track="stable" board="amd64-usr" oem="azure" machineid="0123456789abcdef0123456789abcdef"><ping active="1"/><updatecheck/></app></request>`)
		var answer struct {
			URLs []struct {
				Codebase string `xml:"codebase,attr"`
			} `xml:"app>updatecheck>urls>url"`
			Packages []struct {
				Attributes []xml.Attr `xml:",any,attr"`
			} `xml:"app>updatecheck>manifest>packages>package"`
			Actions []struct {
				Event  string `xml:"event,attr"`
				SHA256 string `xml:"sha256,attr"`
			} `xml:"app>updatecheck>manifest>actions>action"`
		}
		s.ok(xml.Unmarshal([]byte(a.body), &answer))
		if len(answer.URLs) != 1 || !strings.HasSuffix(answer.URLs[0].Codebase, "/amd64-usr/4593.0.0/") || len(answer.Packages) != 1+len(oems)+2 ||
			len(answer.Actions) != 1 || answer.Actions[0].Event != "postinstall" || len(answer.Actions[0].SHA256) != 44 {
			t.Fatalf("the machine was answered %s", a.body)
		}
		for i, p := range answer.Packages {
			has := map[string]string{}
			for _, attribute := range p.Attributes {
				has[attribute.Name.Local] = attribute.Value
			}
			sha1, err1 := base64.StdEncoding.DecodeString(has["hash"])
			sha256, err2 := hex.DecodeString(has["hash_sha256"])
			if err1 != nil || err2 != nil || len(sha1) != 20 || len(sha256) != 32 || has["size"] == "" || has["required"] != fmt.Sprint(i == 0) || (i == 0) != (has["name"] == "flatcar_production_update.gz") {
				t.Errorf("package %d has %v", i, has)
			}
		}
	}, noPackage)
}
