package main

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

// pocketServer offers 2.0.0 to everybody.
type pocketServer struct {
	mu     sync.Mutex
	events map[string]int
}

func (p *pocketServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	req, err := omaha.ParseRequest(r.Header.Get("Content-Type"), r.Body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	app := req.Apps[0]
	for _, e := range app.Events {
		p.events[fmt.Sprintf("%d/%d", e.Type, e.Result)]++
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

func TestAFleetUpdatesOverHTTP(t *testing.T) {
	defer goleak.VerifyNone(t)
	pocket := &pocketServer{events: map[string]int{}}
	server := httptest.NewServer(pocket)
	defer server.Close()

	o := simulateOptions{URL: server.URL, App: "a", Kind: "daemon", Machines: 40, Senders: 4, Speed: 20000,
		Versions: "1.0.0:3,1.1.0:1", Seed: 1, Habits: defaultHabits()}
	o.Habits.Failure, o.Habits.Rollback, o.Habits.Silence, o.Habits.Interruption, o.Habits.Deferral = 0, 0, 0, 0, 0
	machines, err := o.fleet()
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	client := newOmahaClient(server.URL, o.Senders)
	defer client.close()
	s := simulation{Machines: machines, Speed: o.Speed, Senders: o.Senders, Send: client.send, Now: time.Now}
	updated := 0
	s.Observe = func(x exchange) {
		if x.Turn.Updated {
			updated++
		}
		if updated == len(machines) {
			cancel()
		}
	}
	tally := s.Run(ctx)
	if tally.Updated < 40 || tally.Versions["2.0.0"] != 40 || len(tally.Versions) != 1 {
		t.Errorf("not everybody came to 2.0.0: %s", tally.summary())
	}
	if tally.Refused+tally.Downgrades+tally.Unacked+tally.Unanswered+tally.Failed > 0 {
		t.Errorf("something went wrong: %s", tally.summary())
	}
	for _, kind := range []string{"13/1", "14/1", "3/1"} {
		if pocket.events[kind] != 40 {
			t.Errorf("%d events %s instead of 40", pocket.events[kind], kind)
		}
	}
}

func TestSimulateEndsAfterItsDurationAndSaysWhatItSaw(t *testing.T) {
	defer goleak.VerifyNone(t)
	server := httptest.NewServer(&pocketServer{events: map[string]int{}})
	defer server.Close()
	o := simulateOptions{URL: server.URL, App: "a", Track: "t", Kind: "program", Machines: 5, Senders: 2, Speed: 20000,
		Versions: "1.0.0", Duration: 300 * time.Millisecond, Habits: defaultHabits()}
	var human, machines strings.Builder
	if err := simulate(t.Context(), o, &human, time.Now); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(human.String(), "5 machines, 0s:") || !strings.Contains(human.String(), "2.0.0:5") {
		t.Errorf("summary: %s", human.String())
	}
	o.JSON = true
	if err := simulate(t.Context(), o, &machines, time.Now); err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(machines.String(), `{"machines":5,`) {
		t.Errorf("line: %s", machines.String())
	}
}

func TestSimulateFailsWhenNobodyAnswers(t *testing.T) {
	defer goleak.VerifyNone(t)
	server := httptest.NewServer(http.NotFoundHandler())
	defer server.Close()
	o := simulateOptions{URL: server.URL, App: "a", Kind: "daemon", Machines: 5, Senders: 2, Speed: 20000,
		Versions: "1.0.0", Duration: 300 * time.Millisecond, Habits: defaultHabits()}
	if err := simulate(t.Context(), o, io.Discard, time.Now); err == nil {
		t.Error("no error")
	}
}

func TestSlowServersDoNotPileUpRequests(t *testing.T) {
	defer goleak.VerifyNone(t)
	var mu sync.Mutex
	now, most := 0, 0
	send := func(context.Context, []byte) reply {
		mu.Lock()
		now++
		most = max(most, now)
		mu.Unlock()
		time.Sleep(time.Millisecond) // the slow server itself; nothing waits for it to be over
		mu.Lock()
		now--
		mu.Unlock()
		return reply{200, []byte(noUpdate)}
	}
	o := simulateOptions{App: "a", Machines: 500, Versions: "1.0.0", Habits: defaultHabits()}
	machines, err := o.fleet()
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	s := simulation{Machines: machines, Speed: 1e6, Senders: 3, Send: send, Now: time.Now}
	n := 0
	s.Observe = func(exchange) {
		if n++; n == 300 {
			cancel()
		}
	}
	tally := s.Run(ctx)
	if most != 3 || tally.Requests < 300 || tally.Held["period_limit"] == 0 {
		t.Errorf("%d at once, %d requests, held %v", most, tally.Requests, tally.Held)
	}
}
