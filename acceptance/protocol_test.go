package acceptance

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/coreroller/coreroller/fleet"
	"github.com/coreroller/coreroller/fleet/catalog"
	"github.com/coreroller/coreroller/rollout"
)

func TestCase42_UnknownApplicationOrTrackIsAnError(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		good, noApp, noTrack := s.checking("m", "1.0.0"), s.checking("m", "1.0.0"), s.checking("m", "1.0.0")
		noApp.app, noTrack.track = "0d0d0d0d-0000-4000-8000-000000000000", "unknown"
		got := s.ask(noApp, noTrack, good) // HTTP 200
		if got[0].Status != "error-unknownApplication" || got[0].offered() != "" || got[0].Check.Status == "ok" {
			t.Errorf("unknown application: %+v", got[0])
		}
		if got[1].Status != "error-unknownGroup" || got[1].offered() != "" || got[1].Check.Status == "ok" {
			t.Errorf("unknown track: %+v", got[1])
		}
		if got[2].Status != "ok" || got[2].offered() != "2.0.0" {
			t.Errorf("valid request: %+v", got[2])
		}
	})
}

func TestCase43_ApplicationIsFoundByIDAndProductID(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		id, product := s.app.String(), "org.example.a"
		_, err := s.UpdateApplication(s.ctx, fleet.UpdateApplication{ID: s.app, ProductID: &product})
		s.ok(err)
		for _, spelling := range []string{id, "{" + id + "}", strings.ToUpper(id), "{" + strings.ToUpper(id) + "}", product, "org.Example.A"} {
			r := s.checking("m", "1.0.0")
			r.app = spelling
			if a := s.ask(r)[0]; a.ID != spelling || a.offered() != "2.0.0" {
				t.Errorf("%q: answered %+v", spelling, a)
			}
		}
		if n := s.numbers(); n.Total != 1 || n.InFlight != 1 {
			t.Errorf("numbers %+v", n.Numbers)
		}
	})
}

func TestCase44_GroupIsFoundByTrackAndID(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		r := s.checking("m", "1.0.0")
		for _, track := range []string{"t", s.group.String(), strings.ToUpper(s.group.String()), "{" + s.group.String() + "}"} {
			r.track = track
			if a := s.ask(r)[0]; a.offered() != "2.0.0" {
				t.Errorf("track %q: %+v", track, a)
			}
		}
		// The preinstalled groups of Flatcar, by track and by the ids that
		// Flatcar images contain.
		flatcar := *s
		flatcar.app = catalog.FlatcarID()
		for arch, version := range map[string]string{"amd64": "4000.0.0", "arm64": "4000.0.1"} {
			description := flatcar.description(catalog.PackageFlatcar, version)
			description.Arch = arch
			row, err := s.CreatePackage(s.ctx, description)
			s.ok(err)
			for _, g := range s.Catalog().App(flatcar.app).Groups {
				if g.Arch == arch {
					_, err := s.PromotePackage(s.ctx, fleet.PromotePackage{ChannelID: g.Channel.ID, PackageID: &row.ID})
					s.ok(err)
				}
			}
		}
		for track, id := range map[string]string{
			"stable": "9a2deb70-37be-4026-853f-bfdd6b347bbe", "beta": "3fe10490-dd73-4b49-b72a-28ac19acfcdc", "alpha": "5b810680-e36a-4879-b98a-4f989e80b899",
		} {
			for board, version := range map[string]string{"amd64-usr": "4000.0.0", "arm64-usr": "4000.0.1"} {
				for _, name := range []string{track, id, "{" + strings.ToUpper(id) + "}"} {
					r := request{app: "{e96281a6-d1af-4bde-9a0a-97b76e56dc57}", machine: track + board, version: "1000.0.0", track: name, check: true,
						attrs: map[string]string{"board": board}}
					if a := s.ask(r)[0]; a.offered() != version {
						t.Errorf("track %s on %s: %+v, want %s", name, board, a, version)
					}
				}
			}
		}
	})
}

func TestCase45_OddVersionsAndMachineIDsAreAnswered(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		for _, version := range []string{"ForcedUpdate", "", "1.2.3.4", "99999999999.0.0", strings.Repeat("9", 200) + ".0.0", "1.0", "v1.0.0", "ümlaut", "1.0.0-" + strings.Repeat("a", 200)} {
			for _, machine := range []string{"m", "", strings.Repeat("x", 51), "a\tb\n", "\u202e", strings.Repeat("ü", 25)} {
				a := s.ask(s.checking(machine, version))[0]
				sane := a.Status == "ok" && a.Check != nil && (a.Check.Status == "ok" || a.Check.Status == "noupdate")
				if !sane && !strings.HasPrefix(a.Status, "error-") {
					t.Errorf("machine %q at %q: %+v", machine, version, a)
				}
			}
		}
		r := s.checking("byte", "1.0.0") // 0x7f needs a character reference in XML
		a := s.post("/v1/update/", strings.Replace(document(r), `machineid="byte"`, `machineid="a&#127;b"`, 1))
		if a.code != http.StatusOK || !strings.HasPrefix(a.Apps[0].Status, "error-") {
			t.Errorf("control character: %d %s", a.code, a.body)
		}
		if n := s.numbers(); n.Total != 2 { // machine m and the one with an id of 50 bytes
			t.Errorf("numbers %+v", n.Numbers)
		}
		if _, err := s.View.FleetNumbers(s.ctx); err != nil {
			t.Error(err)
		}
	})
}

func TestCase46_InvalidBodiesAreRefused(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		good := document(s.checking("m", "1.0.0"))
		for _, test := range []struct {
			name, method, body string
			code               int
		}{
			{"over 64 KiB", "POST", good + strings.Repeat(" ", 64<<10), http.StatusRequestEntityTooLarge},
			{"broken", "POST", good[:len(good)/2], http.StatusBadRequest},
			{"document type", "POST", `<!DOCTYPE x [<!ENTITY a "b">]>` + good, http.StatusBadRequest},
			{"entity", "POST", `<request><app appid="&a;"/></request>`, http.StatusBadRequest},
			{"deep", "POST", strings.Repeat("<request>", 1000) + strings.Repeat("</request>", 1000), http.StatusBadRequest},
			{"empty", "POST", "", http.StatusBadRequest},
			{"GET", "GET", "", http.StatusMethodNotAllowed},
		} {
			a, err := serve(s.handler, httptest.NewRequest(test.method, "/v1/update/", strings.NewReader(test.body)))
			s.ok(err)
			if a.code != test.code || strings.TrimSpace(a.body) == "" || strings.Contains(a.body, "<html") {
				t.Errorf("%s: %d %q, want %d and a plain text body", test.name, a.code, a.body, test.code)
			}
		}
		if s.numbers().Total != 0 {
			t.Error("a refused request registered a machine")
		}
		if a := s.ask(s.checking("m", "1.0.0")); a[0].offered() != "2.0.0" { // ask sends no content type
			t.Errorf("without content type: %+v", a[0])
		}
	})
}

func TestCase47_PathsWithAndWithoutSecret(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		body := document(s.checking("m", "1.0.0"))
		for _, path := range []string{"/v1/update", "/v1/update/", "/omaha", "/omaha/"} {
			if a := s.post(path, body); a.code != http.StatusOK || a.Apps[0].offered() != "2.0.0" {
				t.Errorf("%s: %d %s", path, a.code, a.body)
			}
		}
		s.omaha.Secret = "s3cret"
		s.join()
		guarded := s.on(1)
		for path, code := range map[string]int{
			"/v1/update": 404, "/v1/update/": 404, "/omaha": 404, "/omaha/": 404, "/v1/update/wrong": 404,
			"/v1/update/s3cret": 200, "/v1/update/s3cret/": 200, "/omaha/s3cret": 200, "/omaha/s3cret/": 200,
		} {
			if a := guarded.post(path, body); a.code != code {
				t.Errorf("%s with a secret: %d, want %d", path, a.code, code)
			}
		}
	})
}

func TestCase48_PingRegistersTheMachine(t *testing.T) {
	each(t, func(_ *testing.T, s *site) {
		s.pings("m", "1.0.0") // ping ok, no updatecheck element
		s.is("m", rollout.StateNone)
		if n := s.numbers(); n.Total != 1 || n.Active != 1 {
			s.t.Errorf("numbers %+v", n.Numbers)
		}
	})
}

func TestCase49_ReportedAttributesAreStored(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		send := func(peer, forwarded string, attrs map[string]string) {
			t.Helper()
			r := s.checking("m", "2.0.0")
			r.attrs = attrs
			h := httptest.NewRequest(http.MethodPost, "/v1/update/", strings.NewReader(document(r)))
			h.RemoteAddr = peer
			if forwarded != "" {
				h.Header.Set("X-Forwarded-For", forwarded)
			}
			_, err := serve(s.handler, h)
			s.ok(err)
		}
		kept := func(oem, version, aleph, alias, address string) {
			t.Helper()
			m := s.instance("m")
			if m.Oem != oem || m.OemVersion != version || m.AlephVersion != aleph || m.MachineAlias != alias || m.Address != address {
				t.Errorf("stored %+v, want %q", m, []string{oem, version, aleph, alias, address})
			}
		}
		send("192.0.2.7:4711", "", map[string]string{"oem": "ec2", "oemversion": "1", "alephversion": "0.9.0", "machinealias": "db"})
		kept("ec2", "1", "0.9.0", "db", "192.0.2.7")
		send("192.0.2.7:4711", "", nil)
		kept("ec2", "1", "0.9.0", "db", "192.0.2.7")
		send("192.0.2.8:4711", "", map[string]string{"oem": "gce", "machinealias": ""})
		kept("gce", "1", "0.9.0", "", "192.0.2.8")
		send("192.0.2.8:4711", "198.51.100.9", nil) // not a trusted proxy
		kept("gce", "1", "0.9.0", "", "192.0.2.8")
		send("10.0.0.1:4711", "198.51.100.9", nil)
		kept("gce", "1", "0.9.0", "", "198.51.100.9")
		send("10.0.0.1:4711", "203.0.113.1, 198.51.100.10, 10.0.0.2", nil) // the first address is from the client and not trusted
		kept("gce", "1", "0.9.0", "", "198.51.100.10")
	}, trusting("10.0.0.0/8"))
}

func TestCase50_AnswerFormat(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		a := s.post("/v1/update/", document(s.checking("m", "1.0.0")))
		if len(a.Daystart) != 1 || a.Daystart[0].Seconds != "36000" || a.Daystart[0].Days != "7000" {
			t.Errorf("daystart %+v", a.Daystart)
		}
		if !strings.HasPrefix(a.body, "<?xml ") || strings.Contains(a.body, "xmlns") {
			t.Errorf("body %s", a.body)
		}
		if a.header.Get("Content-Encoding") != "" {
			t.Errorf("compressed without Accept-Encoding: %v", a.header)
		}
	})
}
