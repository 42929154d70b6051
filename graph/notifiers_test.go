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

// The page reads all notifiers with their numbers and the latest failures. The number of
// statements does not depend on the number of notifiers and deliveries.
func TestNotificationsPageStaysWithinItsStatementBudget(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		ana := s.ana(t)
		for _, name := range []string{"a", "b", "c"} {
			made := ana.get(mutate("createNotifier", "created { notifier { id } }"), vars{"in": vars{"name": name, "kind": "WEBHOOK", "url": "http://127.0.0.1:1/"}}) // refused
			for range 3 {
				ana.get(mutate("testNotifier", "delivery { id }"), vars{"in": vars{"id": at(t, made, "created.notifier.id")}})
			}
		}
		count := s.statements()
		r := ana.ask(`{ notifiers { `+notifierFields+` }
			failedDeliveries(first: 5) { id notifierId type summary state failedAt nextAt log { class error } }
			messageSettings { mailServer mailFrom mailEncrypted lastMail { at error } receivers } }`, nil)
		if n := count(); n > 4 || len(r.Errors) > 0 {
			t.Errorf("%d statements, the budget is 4; %+v", n, r.Errors)
		}
		if got := strings.Count(string(r.Data), `"class":"REFUSED"`); got != 5 {
			t.Errorf("%d failed deliveries, want the newest 5: %s", got, r.Data)
		}
		if !strings.Contains(string(r.Data), `"messageSettings":{"mailServer":"","mailFrom":"","mailEncrypted":false,"lastMail":null,"receivers":["public"]}`) {
			t.Errorf("settings: %s", r.Data)
		}
	})
}

// A subscriber gets the notifiers again when one is made, and when a message was tried.
func TestNotifiersAreSentWhenTheyOrTheirMessagesChange(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		ana := s.ana(t)
		live := ana.dial()
		live.subscribe("1", `subscription { notifiersChanged { snapshot notifiers { name lastDay { total } answerTimes { attempts median slowest } } } }`, nil)
		want(t, live.next(), "snapshot", true, "notifiers", []any{})
		made := ana.get(mutate("createNotifier", "created { notifier { id } }"), vars{"in": vars{"name": "hook", "kind": "WEBHOOK", "url": "http://127.0.0.1:1/"}})
		want(t, live.next(), "snapshot", false, "notifiers.0.name", "hook", "notifiers.0.lastDay.total", 0.0, "notifiers.0.answerTimes", nil)
		ana.get(mutate("testNotifier", "delivery { id }"), vars{"in": vars{"id": at(t, made, "created.notifier.id")}})
		want(t, live.next(), "notifiers.0.answerTimes.attempts", 1.0)
	})
}
