package graph_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/coreroller/coreroller/auth"
	"github.com/coreroller/coreroller/omaha"
	"github.com/coreroller/coreroller/server"
)

// A caller over the budget gets a clear error from every API until the budget grows
// back; others are served.
func TestCallersOverTheirBudgetAreRefused(t *testing.T) {
	s := oneSite(t)
	limited := server.New(server.Options{
		Fleet: s.Service, Store: s.store, Omaha: omaha.NewHandler(s.Service.Machines, omaha.Options{Now: s.now}), Now: s.now,
		UserBudget: auth.Budget{Time: time.Hour, Bytes: 3000},
	})
	web := httptest.NewServer(limited)
	unlimited := s.http
	t.Cleanup(func() {
		limited.Close()
		web.Client().CloseIdleConnections()
		web.Close()
		s.http = unlimited
	})
	s.http = web
	ana := s.ana(t)
	watcher := ana.dial()
	const document = `{ me { permissions } }`
	if r := ana.ask(document, nil); len(r.Errors) > 0 || len(r.Data) < 300 {
		t.Fatalf("%s %+v", r.Data, r.Errors)
	}
	var r reply
	for range 20 {
		if r = ana.ask(document, nil); len(r.Errors) > 0 {
			break
		}
	}
	if r.status != http.StatusTooManyRequests || r.header.Get("Retry-After") == "" || len(r.Errors) != 1 || r.Errors[0].Extensions.Code != "RATE_LIMITED" ||
		!strings.Contains(r.Errors[0].Message, "wait") {
		t.Errorf("over the budget: %d %v %+v", r.status, r.header, r.Errors)
	}
	watcher.subscribe("1", "{ me { id } }", nil)
	if m := watcher.read(); !strings.Contains(string(m.Payload), "RATE_LIMITED") {
		t.Errorf("over the websocket: %s", m.Payload)
	}
	req, _ := http.NewRequestWithContext(t.Context(), http.MethodGet, web.URL+"/api/apps", http.NoBody)
	req.SetBasicAuth("ana", password)
	resp, err := web.Client().Do(req)
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	if resp.StatusCode != http.StatusTooManyRequests || resp.Header.Get("Retry-After") == "" {
		t.Errorf("REST: %d %v", resp.StatusCode, resp.Header)
	}
	if r := s.anonymous(t).ask("{ serverInfo { version } }", nil); len(r.Errors) > 0 {
		t.Errorf("another caller: %+v", r.Errors)
	}
	s.offset.Store(int64(2 * time.Minute))
	r = ana.ask(document, nil)
	if len(r.Errors) > 0 {
		t.Errorf("after two minutes: %+v", r.Errors)
	}
}

// The budget is shown to callers that ask for it.
func TestBudgetIsShownOnRequest(t *testing.T) {
	s := oneSite(t)
	limited := server.New(server.Options{
		Fleet: s.Service, Store: s.store, Omaha: omaha.NewHandler(s.Service.Machines, omaha.Options{Now: s.now}), Now: s.now,
		UserBudget: auth.Budget{Time: time.Minute, Bytes: 5000},
	})
	t.Cleanup(limited.Close)
	for body, shown := range map[string]bool{`{"query": "{ me { id } }", "extensions": {"budget": true}}`: true, `{"query": "{ me { id } }"}`: false} {
		req := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/graphql", strings.NewReader(body))
		req.Header.Set("Content-Type", "application/json")
		req.SetBasicAuth("ana", password)
		w := httptest.NewRecorder()
		limited.ServeHTTP(w, req)
		if strings.Contains(w.Body.String(), `"budget":{"secondsLeft":`) != shown || strings.Contains(w.Body.String(), `"bytesLeft":4`) != shown {
			t.Errorf("%s: %s", body, w.Body)
		}
	}
}
