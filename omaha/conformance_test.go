package omaha

import (
	"bytes"
	"encoding/xml"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	goomaha "github.com/kinvolk/go-omaha/omaha"

	"github.com/coreroller/coreroller/rollout"
)

// Conformance with the public library go-omaha: it encodes the requests and decodes
// the responses, as its client package does.

// exchange sends a go-omaha request over HTTP and returns the decoded response.
func exchange(t *testing.T, url string, req *goomaha.Request) *goomaha.Response {
	t.Helper()
	body := bytes.NewBufferString(xml.Header)
	if err := xml.NewEncoder(body).Encode(req); err != nil {
		t.Fatal(err)
	}
	resp, err := http.Post(url, "text/xml; charset=utf-8", body)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		text, _ := io.ReadAll(resp.Body)
		t.Fatalf("%s: %s", resp.Status, text)
	}
	answer, err := goomaha.ParseResponse(resp.Header.Get("Content-Type"), resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer
}

func TestGoOmahaClientGetsAnUpdate(t *testing.T) {
	f := script("granted 2.1.0")
	server := httptest.NewServer(newTestHandler(t, f, Options{}))
	defer server.Close()

	const id = "{e96281a6-d1af-4bde-9a0a-97b76e56dc57}"
	req := goomaha.NewRequest()
	req.InstallSource = "ondemandupdate"
	app := req.AddApp(id, "1.0.0")
	app.MachineID, app.BootID, app.Track, app.Board, app.OEM = "u", "s", `a "track"`, "arm64-usr", "<oem>"
	app.AddPing()
	app.AddUpdateCheck()
	event := app.AddEvent()
	event.Type, event.Result, event.PreviousVersion = goomaha.EventTypeUpdateComplete, goomaha.EventResultSuccessReboot, "0.9.0"
	failure := app.AddEvent()
	failure.Type, failure.Result, failure.ErrorCode = goomaha.EventTypeUpdateComplete, goomaha.EventResultError, -2147483639

	answer := exchange(t, server.URL+"/v1/update/", req)

	in := f.checkIns[0]
	if in.AppID != id || in.Version != "1.0.0" || in.Machine != "u" || in.Track != `a "track"` || in.Board != "arm64-usr" ||
		*in.OEM != "<oem>" || in.Alias != nil || !in.OnDemand || !in.Ping || !in.UpdateCheck || in.Arch != goomaha.LocalArch() {
		t.Errorf("check-in %+v", in)
	}
	if len(in.Events) != 2 || in.Events[0] != (rollout.Event{Type: 3, Result: 2, PreviousVersion: "0.9.0", HasPrevious: true}) ||
		in.Events[1].Result != 0 || in.Events[1].Code != 9 {
		t.Errorf("events %+v", in.Events)
	}

	got := answer.GetApp(id)
	if got == nil || got.Status != goomaha.AppOK || got.Ping == nil || got.Ping.Status != "ok" || len(got.Events) != 2 || got.Events[1].Status != "ok" {
		t.Fatalf("app %+v", got)
	}
	if answer.DayStart.ElapsedSeconds != "45296" {
		t.Errorf("daystart %+v", answer.DayStart)
	}
	want := packages()["2.1.0"]
	uc := got.UpdateCheck
	if uc.Status != goomaha.UpdateOK || len(uc.URLs) != 1 || uc.URLs[0].CodeBase != want.URL || uc.Manifest.Version != "2.1.0" {
		t.Fatalf("updatecheck %+v", uc)
	}
	if len(uc.Manifest.Packages) != 1 || *uc.Manifest.Packages[0] != (goomaha.Package{
		Name: want.File.Name, SHA1: want.File.SHA1Base64, SHA256: want.File.SHA256Hex, Size: uint64(want.File.Size), Required: true,
	}) {
		t.Errorf("packages %+v", uc.Manifest.Packages[0])
	}
	if len(uc.Manifest.Actions) != 1 || *uc.Manifest.Actions[0] != (goomaha.Action{
		Event: "postinstall", SHA256: want.Action.SHA256, DisplayVersion: "2.1.0", NeedsAdmin: true, IsDeltaPayload: true,
		DisablePayloadBackoff: true, MetadataSignatureRsa: "c2lnbmF0dXJl", MetadataSize: "190", Deadline: "now",
	}) {
		t.Errorf("actions %+v", uc.Manifest.Actions[0])
	}
}

func TestGoOmahaDecodesEveryStatus(t *testing.T) {
	for _, test := range []struct {
		script string
		app    goomaha.AppStatus
		update goomaha.UpdateStatus
	}{
		{"hold paused", goomaha.AppOK, goomaha.NoUpdate},
		{"ok", goomaha.AppOK, goomaha.NoUpdate},
		{"granted 1.4.0", goomaha.AppOK, goomaha.UpdateOK},
		{"verdict unknown_application", goomaha.AppUnknownID, goomaha.NoUpdate},
		{"verdict unknown_group", "error-unknownGroup", goomaha.NoUpdate},
		{"verdict invalid_version", goomaha.AppInvalidVersion, goomaha.NoUpdate},
		{"verdict invalid_machine", "error-invalidMachine", goomaha.NoUpdate},
		{"verdict from_the_future", goomaha.AppInternalError, goomaha.UpdateInternalError},
		{"error invalid", "error-invalidRequest", goomaha.NoUpdate},
	} {
		server := httptest.NewServer(newTestHandler(t, script(test.script), Options{}))
		req := goomaha.NewRequest()
		req.AddApp("a", "1.0.0").AddUpdateCheck()
		got := exchange(t, server.URL+"/omaha", req).GetApp("a")
		if got.Status != test.app || got.UpdateCheck.Status != test.update {
			t.Errorf("%s: app %s, updatecheck %s", test.script, got.Status, got.UpdateCheck.Status)
		}
		server.Close()
	}
}

// Every request in testdata that go-omaha can parse has the same meaning here.
func TestGoOmahaParsesRequestsTheSameWay(t *testing.T) {
	for _, body := range goldenRequests(t) {
		if strings.Contains(body, "xmlns:") {
			continue // go-omaha ignores namespace prefixes
		}
		theirs, err := goomaha.ParseRequest("", strings.NewReader(body))
		if err != nil {
			t.Logf("go-omaha cannot parse it: %v", err) // for example because of empty numbers
			continue
		}
		ours, err := Parse([]byte(body), keepNone)
		if err != nil {
			t.Errorf("%v in %s", err, body)
			continue
		}
		if len(ours.Apps) != len(theirs.Apps) || ours.OnDemand != (theirs.InstallSource == "ondemandupdate") {
			t.Errorf("%+v from %s", ours, body)
			continue
		}
		for i, app := range ours.Apps {
			their := theirs.Apps[i]
			if app.ID != their.ID || app.Version != their.Version || app.Machine != their.MachineID || app.Board != their.Board ||
				app.Ping != (their.Ping != nil) || app.UpdateCheck != (their.UpdateCheck != nil) || len(app.Events) != len(their.Events) {
				t.Errorf("%+v, but go-omaha has %+v, from %s", app, their, body)
				continue
			}
			for j, e := range app.Events {
				if e.Type != int(their.Events[j].Type) || e.Result != int(their.Events[j].Result) {
					t.Errorf("%+v, but go-omaha has %+v, from %s", e, their.Events[j], body)
				}
			}
		}
	}
}
