package simulate

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/kinvolk/go-omaha/omaha"
	"go.uber.org/goleak"
)

// fakeServer offers 2.0.0 to every machine.
type fakeServer struct {
	mu     sync.Mutex
	events map[string]int
}

func (s *fakeServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	req, err := omaha.ParseRequest(r.Header.Get("Content-Type"), r.Body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	app := req.Apps[0]
	for _, e := range app.Events {
		s.events[fmt.Sprintf("%d/%d", e.Type, e.Result)]++
	}
	body := acknowledged
	if app.UpdateCheck != nil {
		body = offerOf("2.0.0", false)
		if app.Version == "2.0.0" {
			body = strings.Replace(noUpdate, "period_limit", "up_to_date", 1)
		}
	}
	_, _ = io.WriteString(w, body)
}

func TestFleetUpdatesOverHTTP(t *testing.T) {
	defer goleak.VerifyNone(t)
	fake := &fakeServer{events: map[string]int{}}
	server := httptest.NewServer(fake)
	defer server.Close()

	f := Fleet{App: "a", Kind: KindDaemon, Machines: 40, Versions: "1.0.0:3,1.1.0:1", Seed: 1, Behavior: DefaultBehavior().Flawless()}
	machines, err := f.NewMachines()
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	client := NewClient(server.URL, 4)
	defer client.Close()
	s := Simulation{Machines: machines, Speed: 20000, Connections: 4, Send: client.Send, Now: time.Now}
	updated := 0
	s.OnExchange = func(x Exchange) {
		if x.Result.Updated {
			updated++
		}
		if updated == len(machines) {
			cancel()
		}
	}
	stats := s.Run(ctx)
	if stats.Updated < 40 || stats.Versions["2.0.0"] != 40 || len(stats.Versions) != 1 {
		t.Errorf("not all machines run 2.0.0: %s", stats.Summary())
	}
	if stats.Refused+stats.Downgrades+stats.Unacknowledged+stats.Unanswered+stats.Failed > 0 {
		t.Errorf("unexpected errors: %s", stats.Summary())
	}
	for _, kind := range []string{"13/1", "14/1", "3/1"} {
		if fake.events[kind] != 40 {
			t.Errorf("%d events %s, want 40", fake.events[kind], kind)
		}
	}
}

func TestRunEndsAfterItsDurationAndPrintsASummary(t *testing.T) {
	defer goleak.VerifyNone(t)
	server := httptest.NewServer(&fakeServer{events: map[string]int{}})
	defer server.Close()
	o := shortRun(server.URL, KindProgram)
	var text, lines strings.Builder
	if err := Run(t.Context(), o, &text, time.Now); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(text.String(), "5 machines, 0s:") || !strings.Contains(text.String(), "2.0.0:5") {
		t.Errorf("summary: %s", text.String())
	}
	o.JSON = true
	if err := Run(t.Context(), o, &lines, time.Now); err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(lines.String(), `{"machines":5,`) {
		t.Errorf("JSON lines: %s", lines.String())
	}
}

func TestRunFailsIfNoRequestIsAnswered(t *testing.T) {
	defer goleak.VerifyNone(t)
	server := httptest.NewServer(http.NotFoundHandler())
	defer server.Close()
	if err := Run(t.Context(), shortRun(server.URL, KindDaemon), io.Discard, time.Now); err == nil {
		t.Error("no error")
	}
}

// shortRun is five machines for 300 ms.
func shortRun(url, kind string) Options {
	return Options{URL: url, Connections: 2, Speed: 20000, Duration: 300 * time.Millisecond,
		Fleet: Fleet{App: "a", Track: "t", Kind: kind, Machines: 5, Versions: "1.0.0", Behavior: DefaultBehavior()}}
}

func TestConnectionsLimitConcurrentRequests(t *testing.T) {
	defer goleak.VerifyNone(t)
	var mu sync.Mutex
	inFlight, most := 0, 0
	send := func(context.Context, []byte) Response {
		mu.Lock()
		inFlight++
		most = max(most, inFlight)
		mu.Unlock()
		time.Sleep(time.Millisecond) // a slow server
		mu.Lock()
		inFlight--
		mu.Unlock()
		return Response{200, []byte(noUpdate)}
	}
	f := Fleet{App: "a", Machines: 500, Versions: "1.0.0", Behavior: DefaultBehavior()}
	machines, err := f.NewMachines()
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	s := Simulation{Machines: machines, Speed: 1e6, Connections: 3, Send: send, Now: time.Now}
	n := 0
	s.OnExchange = func(Exchange) {
		if n++; n == 300 {
			cancel()
		}
	}
	stats := s.Run(ctx)
	if most != 3 || stats.Requests < 300 || stats.Held["period_limit"] == 0 {
		t.Errorf("%d concurrent, %d requests, held %v", most, stats.Requests, stats.Held)
	}
}
