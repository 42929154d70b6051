package rest_test

import (
	"encoding/json"
	"net/http"
	"reflect"
	"strings"
	"testing"

	"github.com/coreroller/coreroller/store/storetest"
)

// nebraskas creates one object of each kind with every field, and returns their paths.
func (s *site) nebraskas() []string {
	s.t.Helper()
	const root = "/nebraska/api/apps"
	make := func(path, body string) string {
		r := s.ask("admin:admin", http.MethodPost, path, strings.NewReader(body))
		var object struct{ ID string }
		if err := json.Unmarshal(r.data, &object); err != nil || r.status != http.StatusOK {
			s.t.Fatalf("POST %s: %d %s", path, r.status, r.data)
		}
		return path + "/" + object.ID
	}
	app := make(root, `{"name":"agent","description":"d","product_id":"io.example.agent"}`)
	other := make(app+"/channels", `{"name":"beta","color":"#14b9d6","arch":2}`)
	pkg := make(app+"/packages", `{"arch":2,"type":1,"version":"1.0.0","url":"https://example.com/1/","filename":"update.gz","description":"d","size":"3","hash":"q83vEjRWeJCrze8SNFZ4kKvN7xI=",`+
		`"channels_blacklist":["`+idOf(other)+`"],"extra_files":[{"name":"oem-azure.gz","size":"2","hash":"q83vEjRWeJCrze8SNFZ4kKvN7xI=","hash256":"cSBzKN0c6vKinrH0SdqUZSHlQtCa90vmeKC7p/xk19M="}],`+
		`"flatcar_action":{"sha256":"cSBzKN0c6vKinrH0SdqUZSHlQtCa90vmeKC7p/xk19M=","chromeos_version":"1","needs_admin":true,"is_delta":true,"disable_payload_backoff":false,"metadata_signature_rsa":"s","metadata_size":"5","deadline":"now"}}`)
	ch := make(app+"/channels", `{"name":"stable","color":"#14b9d6","arch":2,"package_id":"`+idOf(pkg)+`"}`)
	group := make(app+"/groups", `{"name":"prod","description":"d","channel_id":"`+idOf(ch)+`","track":"production","policy_updates_enabled":true,"policy_safe_mode":true,"policy_office_hours":true,`+
		`"policy_timezone":"Europe/Berlin","policy_period_interval":"1 minutes","policy_max_updates_per_period":9999999,"policy_update_timeout":"60 minutes"}`)
	return []string{app, ch, pkg, group}
}

func idOf(path string) string { return path[strings.LastIndex(path, "/")+1:] }

// What was read can be sent back: no field is refused, and none changes.
func TestObjectsOfNebraskaComeBackUnchanged(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		for _, path := range s.nebraskas() {
			was := s.ask("admin:admin", http.MethodGet, path, http.NoBody)
			is := s.ask("admin:admin", http.MethodPut, path, strings.NewReader(string(was.data)))
			var before, after map[string]any
			s.ok(json.Unmarshal(was.data, &before))
			s.ok(json.Unmarshal(is.data, &after))
			for _, object := range []map[string]any{before, after} {
				if action, ok := object["flatcar_action"].(map[string]any); ok {
					delete(action, "id") // a change replaces the action
					delete(action, "created_ts")
				}
			}
			if is.status != http.StatusOK || !reflect.DeepEqual(before, after) {
				t.Errorf("%s was %s\nis %d %s", path, was.data, is.status, is.data)
			}
			for name, value := range before {
				if value == nil && name != "floor_reason" || value == "" || value == false && name != "rollout_in_progress" {
					t.Errorf("%s: %s is %v, so it is not tested", path, name, value)
				}
			}
		}
	})
}

// Every field that can be sent changes something or is refused: none is dropped in silence.
func TestUnknownFieldsOfNebraskaAreRefused(t *testing.T) {
	t.Parallel()
	s := newSite(t, storetest.SQLite(t))
	for _, path := range s.nebraskas() {
		data := s.ask("admin:admin", http.MethodGet, path, http.NoBody).data
		for field, value := range map[string]string{"unknown": "1", "id": `"` + idOf("/"+s.nebraskaID()) + `"`, "coreos_action": `{"sha256":"x"}`} {
			body := change(s, data, field, value)
			r := s.ask("admin:admin", http.MethodPut, path, strings.NewReader(body))
			var p struct{ Field string }
			if err := json.Unmarshal(r.data, &p); err != nil || r.status != http.StatusBadRequest || p.Field != field {
				t.Errorf("%s with another %s: %d %s", path, field, r.status, r.data)
			}
		}
		for name, value := range map[string]string{"channels": `3`, "packages": `1`} {
			if strings.Contains(path, "/"+name+"/") {
				if r := s.ask("admin:admin", http.MethodPut, path, strings.NewReader(change(s, data, "arch", value))); r.status != http.StatusBadRequest || !strings.Contains(string(r.data), `"arch"`) {
					t.Errorf("%s with another arch: %d %s", path, r.status, r.data)
				}
			}
		}
	}
	pkg := s.nebraskaPackage()
	for _, inner := range []string{`"flatcar_action":{"sha1":"x"}`, `"flatcar_action":{"event":"update"}`, `"extra_files":[{"name":"a","sha256":"x"}]`} {
		body := `{"type":1,"version":"1.0.0","url":"https://example.com/1/","filename":"update.gz","size":"3",` + inner + `}`
		if r := s.ask("admin:admin", http.MethodPut, pkg, strings.NewReader(body)); r.status != http.StatusBadRequest {
			t.Errorf("%s: %d %s", inner, r.status, r.data)
		}
	}
}

// change replaces one field of an object.
func change(s *site, data []byte, field, value string) string {
	s.t.Helper()
	var fields map[string]json.RawMessage
	s.ok(json.Unmarshal(data, &fields))
	fields[field] = json.RawMessage(value)
	text, err := json.Marshal(fields)
	s.ok(err)
	return string(text)
}

// nebraskaID is an id that no object has.
func (s *site) nebraskaID() string { return "00000000-0000-4000-8000-000000000001" }

func (s *site) nebraskaPackage() string {
	s.t.Helper()
	data := s.ask("admin:admin", http.MethodGet, "/nebraska/api/apps/io.example.agent/packages", http.NoBody).data
	var page struct{ Packages []struct{ ID string } }
	if err := json.Unmarshal(data, &page); err != nil || len(page.Packages) != 1 {
		s.t.Fatalf("%v: %s", err, data)
	}
	return "/nebraska/api/apps/io.example.agent/packages/" + page.Packages[0].ID
}

// A payload for arm64 reaches machines of arm64 and no others.
func TestPayloadOfNebraskaReachesItsArchitecture(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		paths := s.nebraskas()
		app := idOf(paths[0])
		offered := map[string]bool{}
		for _, board := range []string{"arm64-usr", "amd64-usr"} {
			text := `<?xml version="1.0" encoding="UTF-8"?><request protocol="3.0" installsource="ondemandupdate"><os platform="CoreOS"/><app appid="` + app + `" version="0.9.0" track="production" board="` + board +
				`" machineid="m-` + board + `"><ping/><updatecheck/></app></request>`
			r := s.send("", http.MethodPost, "/v1/update/", strings.NewReader(text))
			offered[board] = strings.Contains(string(r.data), "https://example.com/1/")
		}
		if !offered["arm64-usr"] || offered["amd64-usr"] {
			t.Errorf("the payload for arm64 is offered to %v", offered)
		}
		machines := s.ask("admin:admin", http.MethodGet, paths[3]+"/instances?status=0&duration=1d", http.NoBody)
		if !strings.Contains(string(machines.data), `"total":1`) || !strings.Contains(string(machines.data), "m-arm64-usr") {
			t.Errorf("machines of the group: %s", machines.data)
		}
	})
}

// Each route costs a fixed number of statements for any number of objects.
func TestRoutesOfNebraskaReadWithinStatementBudget(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		small, smallGroup := s.more("small", 1)
		large, largeGroup := s.more("large", 4)
		count := s.statements()
		get := func(path string) int64 {
			t.Helper()
			count()
			if r := s.ask("admin:admin", http.MethodGet, path, http.NoBody); r.status != http.StatusOK {
				t.Fatalf("%s: %d %s", path, r.status, r.data)
			}
			return count()
		}
		get("/nebraska/api/apps") // signs in
		for _, route := range []string{
			"", "/groups?perpage=100", "/channels?perpage=100", "/packages?perpage=100", "/groups/{group}", "/groups/{group}/instances?status=0&duration=1d",
			"/groups/{group}/instances_stats?duration=1d", "/groups/{group}/version_breakdown", "/groups/{group}/version_timeline?duration=7d",
		} {
			few := get("/nebraska/api/apps/" + small.String() + strings.ReplaceAll(route, "{group}", smallGroup.String()))
			many := get("/nebraska/api/apps/" + large.String() + strings.ReplaceAll(route, "{group}", largeGroup.String()))
			if many != few || many > 25 {
				t.Errorf("GET /nebraska/api/apps/{app}%s: %d statements with one object of each kind, %d with four", route, few, many)
			}
		}
		if few, many := get("/nebraska/api/apps?perpage=1&page=2"), get("/nebraska/api/apps"); many > few+1 {
			t.Errorf("GET /nebraska/api/apps: %d statements for one application, %d for all", few, many)
		}
	})
}
