package rest_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/coreroller/coreroller/fleet"
	"github.com/coreroller/coreroller/store/storetest"
)

// An input above its maximum is refused with its field, not cut.
func TestInputAboveItsMaximumIsRefused(t *testing.T) {
	t.Parallel()
	s := newSite(t, storetest.SQLite(t))
	app, err := s.CreateApplication(s.ctx, fleet.CreateApplication{Name: "agent"})
	s.ok(err)
	group, err := s.CreateGroup(s.ctx, fleet.CreateGroup{ApplicationID: app.ID, Name: "all", Track: "all"})
	s.ok(err)
	s.machine("m", "1.0.0", group.ID.String(), "<updatecheck/>")
	root := "/api/apps/" + app.ID.String()
	long := func(most int) string { return strings.Repeat("a", most+1) }
	pkg := func(field, value string) string {
		in := map[string]any{"type": 4, "version": "9.0.0", "url": "https://example.com/", field: value}
		text, err := json.Marshal(in)
		s.ok(err)
		return string(text)
	}
	for _, c := range []struct{ method, path, body, field string }{
		{http.MethodPost, "/api/apps", `{"name":"` + long(200) + `"}`, "name"},
		{http.MethodPost, "/api/apps", `{"name":"x","description":"` + long(10_000) + `"}`, "description"},
		{http.MethodPost, root + "/channels", `{"name":"` + long(200) + `","color":"#14b9d6"}`, "name"},
		{http.MethodPost, root + "/packages", pkg("version", "1.0.0-"+long(58)), "version"},
		{http.MethodPost, root + "/packages", pkg("url", "https://example.com/"+long(1980)), "url"},
		{http.MethodPost, root + "/packages", pkg("filename", long(255)), "filename"},
		{http.MethodPost, root + "/packages", pkg("description", long(10_000)), "description"},
		{http.MethodGet, fmt.Sprintf("%s/groups/%s/instances/m/status_history?limit=10001", root, group.ID), "", "limit"},
	} {
		r := s.ask("admin:admin", c.method, c.path, strings.NewReader(c.body))
		var p struct{ Code, Field string }
		if err := json.Unmarshal(r.data, &p); r.status != http.StatusBadRequest || err != nil || p.Code != "invalid" || p.Field != c.field {
			t.Errorf("%s %.80s with a %s above the maximum: %d %.200s", c.method, c.path, c.field, r.status, r.data)
		}
	}
	r := s.ask("admin:admin", http.MethodGet, fmt.Sprintf("%s/groups/%s/instances/m/status_history?limit=10000", root, group.ID), http.NoBody)
	if r.status != http.StatusOK {
		t.Errorf("the most: %d %.200s", r.status, r.data)
	}
}

// A field of Nebraska that this API does not have is refused: without it machines of one
// architecture would get the payload of another.
func TestFieldsOfNebraskaAreRefused(t *testing.T) {
	t.Parallel()
	s := newSite(t, storetest.SQLite(t))
	app, err := s.CreateApplication(s.ctx, fleet.CreateApplication{Name: "agent"})
	s.ok(err)
	root := "/api/apps/" + app.ID.String()
	for _, c := range []struct{ path, body, field string }{
		{"/api/apps", `{"name":"x","product_id":"io.example.x"}`, "product_id"},
		{root + "/channels", `{"name":"beta","color":"#14b9d6","arch":2}`, "arch"},
		{root + "/packages", `{"type":1,"version":"9.0.0","url":"https://example.com/","arch":2}`, "arch"},
		{root + "/packages", `{"type":1,"version":"9.0.0","url":"https://example.com/","flatcar_action":{"sha256":"x"}}`, "flatcar_action"},
		{root + "/packages", `{"type":1,"version":"9.0.0","url":"https://example.com/","extra_files":[]}`, "extra_files"},
		{root + "/groups", `{"name":"g","track":"beta"}`, "track"},
	} {
		r := s.ask("admin:admin", http.MethodPost, c.path, strings.NewReader(c.body))
		if r.status != http.StatusBadRequest || !strings.Contains(string(r.data), c.field+" is a field of Nebraska") {
			t.Errorf("%s: %d %s", c.body, r.status, r.data)
		}
	}
}
