package graph_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/coreroller/coreroller/auth"
	"github.com/coreroller/coreroller/fleet/account"
)

const inspectionDocument = `subscription($url: String!) { payloadInspected(url: $url) { received total facts { size sha1 sha256 } userErrors { code field message } } }`

// lastInspection reads messages until the one with the result.
func lastInspection(w *watcher) map[string]any {
	w.t.Helper()
	for range 100 {
		m := w.next()
		if m["facts"] != nil || len(m["userErrors"].([]any)) > 0 {
			return m
		}
	}
	w.t.Fatal("no result")
	return nil
}

func TestPayloadInspected(t *testing.T) {
	s := oneSite(t)
	half, arrived, left := make(chan struct{}), make(chan struct{}, 2), make(chan struct{}, 2)
	files := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/hello":
			_, _ = w.Write([]byte("hello\n"))
		case "/half": // the second half when the test has seen the first
			w.Header().Set("Content-Length", "6")
			_, _ = w.Write([]byte("hel"))
			_ = http.NewResponseController(w).Flush()
			<-half
			_, _ = w.Write([]byte("lo\n"))
		case "/slow":
			w.WriteHeader(http.StatusOK)
			_ = http.NewResponseController(w).Flush()
			arrived <- struct{}{}
			<-r.Context().Done()
			left <- struct{}{}
		case "/private":
			http.Redirect(w, r, "http://10.1.2.3/", http.StatusFound)
		default:
			http.NotFound(w, r)
		}
	}))
	defer files.Close()
	w := s.ana(t).dial()
	complete := func() {
		t.Helper()
		if m := w.read(); m.Type != "complete" {
			t.Errorf("got %+v", m)
		}
	}

	w.subscribe("hello", inspectionDocument, vars{"url": files.URL + "/hello"})
	want(t, lastInspection(w), "received", 6, "total", 6, "facts.size", 6, "facts.sha1", "9XLTlvrpIGYocU+yzgD3LpTyJY8=",
		"facts.sha256", "5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03")
	complete()

	w.subscribe("half", inspectionDocument, vars{"url": files.URL + "/half"})
	want(t, w.next(), "received", 3, "total", 6, "facts", nil)
	close(half)
	want(t, lastInspection(w), "facts.size", 6)
	complete()

	for address, message := range map[string]string{
		files.URL + "/missing":          "404",
		files.URL + "/private":          "may not fetch from the address 10.1.2.3",
		"http://169.254.169.254/latest": "may not fetch from the address 169.254.169.254",
		"ftp://example.com/x":           "http or https",
	} {
		w.subscribe(address, inspectionDocument, vars{"url": address})
		m := lastInspection(w)
		want(t, m, "facts", nil, "userErrors.0.code", "INVALID", "userErrors.0.field", "url")
		if text := at(t, m, "userErrors.0.message").(string); !strings.Contains(text, message) {
			t.Errorf("%s: %s, want %s", address, text, message)
		}
		complete()
	}

	// A third fetch is refused. Ending a subscription ends its fetch.
	for _, id := range []string{"slow 1", "slow 2"} {
		w.subscribe(id, inspectionDocument, vars{"url": files.URL + "/slow"})
	}
	other := s.ana(t).dial()
	<-arrived
	<-arrived
	other.subscribe("third", inspectionDocument, vars{"url": files.URL + "/hello"})
	want(t, lastInspection(other), "facts", nil, "userErrors.0.code", "UNAVAILABLE")
	w.write(message{ID: "slow 1", Type: "complete"})
	<-left
	_ = w.conn.Close() // ends the other one
	<-left
}

func TestPayloadInspectionNeedsARole(t *testing.T) {
	s := oneSite(t)
	s.must(second(s.Accounts.CreateUser(s.ctx, account.CreateUser{Username: "bob", Password: password, Role: auth.Operator})))
	w := (&caller{site: s, t: t, prepare: func(r *http.Request) { r.SetBasicAuth("bob", password) }}).dial()
	w.subscribe("x", inspectionDocument, vars{"url": s.http.URL})
	want(t, lastInspection(w), "userErrors.0.code", "FORBIDDEN")
}
