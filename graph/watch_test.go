package graph_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"github.com/coreroller/coreroller/auth"
	"github.com/coreroller/coreroller/event"
	"github.com/coreroller/coreroller/fleet"
	"github.com/coreroller/coreroller/fleet/account"
	"github.com/coreroller/coreroller/graph"
)

const groupDocument = `subscription($id: ID!) { groupChanged(groupId: $id) { asOf snapshot group { name state revision numbers { total inFlight waiting } } } }`

func TestGroupChangedStartsWithASnapshot(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		w := s.ana(t).dial()
		w.subscribe("1", groupDocument, vars{"id": s.group})
		want(t, w.next(), "snapshot", true, "group.name", "prod", "group.numbers.total", 0, "group.state", "ROLLING_OUT")
		s.check("m1", "1.0.0")
		want(t, w.next(), "snapshot", false, "group.numbers.total", 1, "group.numbers.inFlight", 1)
		s.must(second(s.PauseUpdates(s.ctx, fleet.PauseUpdates{GroupID: s.group})))
		want(t, w.until("group.state", "PAUSED"), "snapshot", false)
		// After lost events a snapshot is sent.
		s.store.Bus().Publish(event.Event{Kind: event.Resync})
		want(t, w.next(), "snapshot", true)
		s.must(s.DeleteGroup(s.ctx, fleet.DeleteGroup{ID: s.group, Force: true}))
		want(t, w.until("group", nil), "group", nil)
		if m := w.read(); m.Type != "complete" {
			t.Errorf("message after the deletion: %+v", m)
		}
	})
}

// Many events become a few messages a second; the last message holds the final
// state.
func TestBurstsOfEventsAreMerged(t *testing.T) {
	s := oneSite(t)
	w := s.ana(t).dial()
	w.subscribe("1", groupDocument, vars{"id": s.group})
	w.next()
	began := time.Now()
	for i := range 60 {
		s.check(fmt.Sprintf("m%d", i), "1.0.0")
		time.Sleep(5 * time.Millisecond) // a stream of commits, not one batch
	}
	messages := 1
	for at(t, w.next(), "group.numbers.total") != 60.0 {
		messages++
	}
	if most := int(time.Since(began)/graph.MessageInterval) + 2; messages > most {
		t.Errorf("%d messages in %v, want at most %d", messages, time.Since(began), most)
	}
}

func TestSubscriptionsSendEachChange(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		s.check("m1", "1.0.0")
		w := s.ana(t).dial()
		w.subscribe("f", `subscription { fleetChanged { snapshot fleet { total inFlight } applications { name numbers { total } groups { name } } } }`, nil)
		want(t, w.next(), "snapshot", true, "fleet.total", 1, "applications.1.name", "agent", "applications.1.numbers.total", 1)
		w.stop("f")
		w.subscribe("r", `subscription($id: ID!) { rolloutProgressed(groupId: $id) { snapshot rollout { version state waves { attempts { granted } } projectedEnd } numbers { inFlight } } }`, vars{"id": s.group})
		want(t, w.next(), "snapshot", true, "rollout.version", "2.0.0", "rollout.state", "ACTIVE", "rollout.waves.0.attempts.granted", 1, "numbers.inFlight", 1)
		s.check("m2", "1.0.0")
		want(t, w.next(), "snapshot", false, "rollout.waves.0.attempts.granted", 2)
		w.stop("r")
		w.subscribe("i", `subscription($id: ID!) { instanceChanged(id: $id) { snapshot instance { state version } } }`, vars{"id": s.instance("m1")})
		want(t, w.next(), "snapshot", true, "instance.state", "GRANTED")
		s.check("m1", "2.0.0")
		want(t, w.next(), "snapshot", false, "instance.state", "COMPLETE", "instance.version", "2.0.0")
		w.stop("i")
		w.subscribe("a", `subscription($id: ID!) { applicationChanged(applicationId: $id) { snapshot application { name revision numbers { onTarget } } } }`, vars{"id": s.app})
		want(t, w.next(), "snapshot", true, "application.name", "agent", "application.numbers.onTarget", 1)
		name := "renamed"
		s.must(second(s.UpdateApplication(s.ctx, fleet.UpdateApplication{ID: s.app, Name: &name})))
		want(t, w.next(), "snapshot", false, "application.name", "renamed")
	})
}

func TestActivityAddedSendsEachEntryOnce(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		w := s.ana(t).dial()
		const document = `subscription($f: ActivityFilter) { activityAdded(filter: $f) { snapshot activities { id kind actor detail } } }`
		w.subscribe("1", document, vars{"f": vars{"groupId": s.group, "kinds": []any{"PAUSED", "RESUMED"}}})
		want(t, w.next(), "snapshot", true, "activities", []any{})
		s.must(second(s.PauseUpdates(s.ctx, fleet.PauseUpdates{GroupID: s.group, Reason: "one"})))
		got := w.next()
		want(t, got, "snapshot", false, "activities.0.kind", "PAUSED", "activities.0.actor", "olga")
		s.must(second(s.ResumeUpdates(s.ctx, fleet.ResumeUpdates{GroupID: s.group, Reason: "two"})))
		got = w.next()
		want(t, got, "snapshot", false, "activities.0.kind", "RESUMED")
		if n := len(got["activities"].([]any)); n != 1 {
			t.Errorf("%d entries, want only the new one", n)
		}
	})
}

func TestAuditAddedSendsEachEntryOnce(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		w := s.ana(t).dial()
		const document = `subscription($f: AuditFilter) { auditAdded(filter: $f) { snapshot audits { action actor reason } } }`
		w.subscribe("1", document, vars{"f": vars{"applicationId": s.app, "objectId": s.group, "since": s.now()}})
		want(t, w.next(), "snapshot", true, "audits", []any{})
		s.must(second(s.PauseUpdates(s.ctx, fleet.PauseUpdates{GroupID: s.group, Reason: "one"})))
		one := vars{"action": "pauseUpdates", "actor": "olga", "reason": "one"}
		want(t, w.next(), "snapshot", false, "audits", []any{one})
		s.must(second(s.ResumeUpdates(s.ctx, fleet.ResumeUpdates{GroupID: s.group, Reason: "two"})))
		want(t, w.next(), "snapshot", false, "audits", []any{vars{"action": "resumeUpdates", "actor": "olga", "reason": "two"}})
		w.stop("1")
		// Changes outside of applications too.
		w.subscribe("2", document, vars{"f": vars{"action": "createUser", "since": s.now()}})
		want(t, w.next(), "snapshot", true, "audits", []any{})
		s.must(second(s.Accounts.CreateUser(s.ctx, account.CreateUser{Username: "new", Password: password, Role: auth.Viewer})))
		want(t, w.next(), "snapshot", false, "audits.0.action", "createUser")
	})
}

func TestSubscriptionToAMissingObjectFails(t *testing.T) {
	s := oneSite(t)
	w := s.ana(t).dial()
	nothing := "00000000-0000-7000-8000-000000000000"
	w.subscribe("1", `subscription($id: ID!) { rolloutProgressed(groupId: $id) { snapshot } }`, vars{"id": nothing})
	m := w.read()
	if !strings.Contains(string(m.Payload), "NOT_FOUND") {
		t.Errorf("got %s %s", m.Type, m.Payload)
	}
	if m = w.read(); m.Type != "complete" {
		t.Errorf("then %s %s", m.Type, m.Payload)
	}
	w.subscribe("2", groupDocument, vars{"id": nothing})
	want(t, w.next(), "group", nil)
}

func TestSubscribingRequiresSignIn(t *testing.T) {
	s := oneSite(t)
	w := s.anonymous(t).connect(nil)
	w.write(message{Type: "connection_init"})
	w.closes(4401)
}

func TestPagesOfOtherOriginsCannotConnect(t *testing.T) {
	s := oneSite(t)
	req, _ := http.NewRequestWithContext(t.Context(), http.MethodGet, s.http.URL+"/graphql", http.NoBody)
	for name, value := range map[string]string{
		"Origin": "https://evil.example", "Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Version": "13",
		"Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==", "Sec-WebSocket-Protocol": "graphql-transport-ws",
	} {
		req.Header.Set(name, value)
	}
	req.SetBasicAuth("ana", password)
	resp, err := s.http.Client().Do(req)
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	if resp.StatusCode != http.StatusForbidden {
		t.Errorf("status %d", resp.StatusCode)
	}
}

// Clients reconnect after the close code 1001 (going away).
func TestStoppingServerClosesWithGoingAway(t *testing.T) {
	s := oneSite(t)
	w := s.ana(t).dial()
	w.subscribe("1", groupDocument, vars{"id": s.group})
	w.next()
	s.handler.Close()
	w.closes(websocket.CloseGoingAway)
}

func TestSubscriptionsPerConnectionAreLimited(t *testing.T) {
	s := oneSite(t)
	w := s.ana(t).dial()
	refused := 0
	for i := range 103 {
		w.subscribe(fmt.Sprint(i), `subscription($id: ID!) { groupChanged(groupId: $id) { snapshot } }`, vars{"id": s.group})
	}
	for range 103 + 3 { // one message for each, and a completion for each refused one
		if m := w.read(); strings.Contains(string(m.Payload), "INVALID") {
			refused++
		}
	}
	if refused != 3 {
		t.Errorf("%d subscriptions refused, want 3", refused)
	}
}

func TestServerSentEventsCarrySubscriptions(t *testing.T) {
	s := oneSite(t)
	body, _ := json.Marshal(vars{"query": groupDocument, "variables": vars{"id": s.group}})
	req, _ := http.NewRequestWithContext(t.Context(), http.MethodPost, s.http.URL+"/graphql", strings.NewReader(string(body)))
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Accept", "text/event-stream")
	req.SetBasicAuth("ana", password)
	resp, err := s.http.Client().Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if kind := resp.Header.Get("Content-Type"); kind != "text/event-stream" {
		t.Errorf("content type %q", kind)
	}
	read := func(text string) {
		t.Helper()
		var got strings.Builder
		for buf := make([]byte, 1); !strings.HasSuffix(got.String(), text); {
			if _, err := io.ReadFull(resp.Body, buf); err != nil {
				t.Fatalf("%v after %q", err, got.String())
			}
			got.Write(buf)
		}
	}
	read(`"snapshot":true`)
	s.check("m1", "1.0.0")
	read(`"inFlight":1`)
	s.handler.Close() // ends the stream
	if _, err := io.Copy(io.Discard, resp.Body); err != nil && !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("end of the stream: %v", err)
	}
}
