package graph_test

import (
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

const notifierFields = `id teamId name kind url addresses authorization previousSecretUntil kinds minSeverity applicationIds groupIds digest
  quietFrom quietUntil timezone enabled disabledBecause sentAt failingSince lastError firing createdBy createdAt lastDay { total delivered waiting failed }`

func TestNotifiersAreMadeTestedAndDeleted(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		ana := s.ana(t)
		inside := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("the server sent into the private network") }))
		t.Cleanup(inside.Close)
		created := ana.get(mutate("createNotifier", "created { secret notifier { "+notifierFields+" } }"), vars{"in": vars{
			"name": "hook", "kind": "WEBHOOK", "url": inside.URL + "/in?token=hidden", "authorization": "Bearer hidden", "kinds": []string{"ROLLOUT_HALTED"},
			"groupIds": []any{s.group}, "digest": "30m", "quietFrom": "22:00", "quietUntil": "06:00", "timezone": "Europe/Lisbon",
		}})
		id := at(t, created, "created.notifier.id")
		secret, _ := at(t, created, "created.secret").(string)
		if !strings.HasPrefix(secret, "whsec_") {
			t.Fatalf("secret %q", secret)
		}
		test := ana.get(mutate("testNotifier", "delivery { id state log { class delivered error took } request response }"), vars{"in": vars{"id": id}})
		if at(t, test, "delivery.state") != "FAILED" || at(t, test, "delivery.log.0.class") != "REFUSED" {
			t.Errorf("test %v, want the address refused", test)
		}
		rotated := ana.get(mutate("rotateNotifier", "created { secret notifier { previousSecretUntil } }"), vars{"in": vars{"id": id, "reason": "leaked"}})
		if at(t, rotated, "created.secret") == secret || at(t, rotated, "created.notifier.previousSecretUntil") == nil {
			t.Errorf("rotated %v", rotated)
		}
		list := ana.get(`query($id: ID!) { notifier(id: $id) { `+notifierFields+` deliveries(states: [FAILED], type: "test") { totalCount totalCountIsExact pageInfo { hasNextPage } edges { cursor node { id } } nodes {
			id notifierId type summary state attempts nextAt createdAt endedAt digestId request response log { at delivered class status error took } } } } }`, vars{"id": id})
		if all := string(ana.ask(`{ notifiers { id } }`, nil).Data); !strings.Contains(all, `"notifiers":[{"id"`) {
			t.Errorf("list %s", all)
		}
		if at(t, list, "deliveries.totalCount") != 1.0 || at(t, list, "lastDay.total") != 0.0 || at(t, list, "digest") != "PT30M" {
			t.Errorf("list %v", list)
		}
		if text := marshal(t, list) + marshal(t, test); strings.Contains(text, "hidden") || strings.Contains(text, secret) {
			t.Errorf("a secret is shown: %s", text)
		}
		delivery := at(t, test, "delivery.id")
		if got := ana.get(`query($id: ID!) { delivery(id: $id) { type } }`, vars{"id": delivery}); at(t, got, "type") != "test" {
			t.Errorf("delivery %v", got)
		}
		again := ana.ask(mutate("redeliverMessages", "redelivered { messages }"), vars{"in": vars{"notifierId": id}})
		if !strings.Contains(string(again.Data), "NOT_FOUND") {
			t.Errorf("a test is sent again: %s", again.Data)
		}
		off := ana.get(mutate("updateNotifier", "notifier { enabled groupIds digest }"), vars{"in": vars{"id": id, "enabled": false, "groupIds": []any{}}})
		if at(t, off, "notifier.enabled") != false || at(t, off, "notifier.digest") != "PT30M" {
			t.Errorf("changed %v", off)
		}
		ana.get(mutate("deleteNotifier", "deletedId"), vars{"in": vars{"id": id}})
		if got := ana.get(`query($id: ID!) { notifier(id: $id) { id } }`, vars{"id": id}); got != nil {
			t.Errorf("notifier after its deletion: %v", got)
		}
	})
}

func TestNotifierInputIsChecked(t *testing.T) {
	s := oneSite(t)
	ana := s.ana(t)
	for _, c := range []struct {
		field string
		in    vars
	}{
		{"name", vars{"name": ""}},
		{"url", vars{"url": "ftp://example.com/"}},
		{"url", vars{"url": "https://user:secret@example.com/"}},
		{"addresses", vars{"addresses": []string{"ops@example.com"}}},
		{"kind", vars{"kind": "MAIL", "url": "", "addresses": []string{"ops@example.com"}}}, // this server has no mail server
		{"addresses.0", vars{"kind": "MAIL", "url": "", "addresses": []string{"Ops <ops@example.com>"}}},
		{"kind", vars{"kind": "ALERTMANAGER", "digest": "1h"}},
		{"authorization", vars{"kind": "SLACK", "authorization": "x"}},
		{"digest", vars{"digest": "90s"}},
		{"digest", vars{"digest": "25h"}},
		{"quietFrom", vars{"quietFrom": "25:00", "quietUntil": "06:00"}},
		{"quietUntil", vars{"quietFrom": "22:00"}},
		{"timezone", vars{"timezone": "Local"}},
	} {
		in := vars{"name": "x", "kind": "WEBHOOK", "url": "https://example.com/"}
		maps.Copy(in, c.in)
		r := ana.ask(mutate("createNotifier", "created { secret }"), vars{"in": in})
		if !strings.Contains(string(r.Data), `"field":"`+c.field+`"`) {
			t.Errorf("%v: %s %+v, want the field %s", c.in, r.Data, r.Errors, c.field)
		}
	}
}
