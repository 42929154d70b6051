package main

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"
	"go.uber.org/goleak"

	"github.com/coreroller/coreroller/rollout"
	"github.com/coreroller/coreroller/store"
	"github.com/coreroller/coreroller/store/storetest"
)

// startProgram runs a complete server on a free port until the end of the test.
func startProgram(t *testing.T, databaseURL string) *Program {
	t.Helper()
	c := Config{Listen: "127.0.0.1:0", DataDir: t.TempDir(), DatabaseURL: databaseURL}
	p := NewProgram(c, discard(), time.Now)
	if err := p.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := p.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return p
}

func TestRolloutReachesEveryMachine(t *testing.T) {
	storetest.EachEmpty(t, func(t *testing.T, databaseURL string) {
		defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
		if !store.IsPostgres(databaseURL) {
			databaseURL = "" // a file in the program's own data directory
		}
		p := startProgram(t, databaseURL)
		defer func() { _ = p.Close() }() // must end before goleak checks
		policy := fastPolicy(20)
		policy.SafeMode = true
		policy.Waves = []rollout.Wave{{Share: 0.1}, {Share: 0.5, MinFinished: 5, MinSuccessShare: 0.9}, {Share: 1}}
		k := newTestGroup(t, p.fleet, p.store, policy)
		k.promote(t)

		s := startSimulation(t, p.OmahaURL(), 10000, flawlessFleet(50), nil)
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
		defer cancel()
		err := k.until(ctx, "the rollout is completed and all machines run 2.0.0", func() (bool, error) {
			state, err := k.state()
			return state == rollout.RolloutCompleted && k.versions(t)["2.0.0"] == 50, err
		})
		seen := s.stop()
		if err != nil {
			t.Fatalf("%v\n%s%v %+v", err, seen.Summary(), k.versions(t), k.progress(t))
		}
		if seen.Refused+seen.Downgrades+seen.Unacknowledged+seen.Unanswered+seen.Failed > 0 {
			t.Errorf("machines report errors: %s", seen.Summary())
		}
		counts := k.progress(t)
		if seen.Offers != 50 || counts.Granted != 50 || counts.Succeeded != 50 || counts.Failed != 0 {
			t.Errorf("machines got %d offers, the server counts %+v", seen.Offers, counts)
		}
		recount(t, p.store)
	})
}

func TestServerCountsEqualWhatMachinesReported(t *testing.T) {
	p := startProgram(t, "")
	policy := fastPolicy(50)
	policy.MaxAttempts = 100 // no machine is quarantined, so that the rollout can complete
	k := newTestGroup(t, p.fleet, p.store, policy)
	k.promote(t)

	f := flawlessFleet(50)
	f.Behavior.Failure, f.Behavior.Deferral, f.Behavior.Interruption = 0.2, 0.1, 0.1
	s := startSimulation(t, p.OmahaURL(), 10000, f, nil)
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	err := k.until(ctx, "all machines run 2.0.0", func() (bool, error) {
		state, err := k.state()
		return state == rollout.RolloutCompleted && k.versions(t)["2.0.0"] == 50, err
	})
	seen := s.stop()
	counts := k.progress(t)
	if err != nil {
		t.Fatalf("%v\n%s%v %+v", err, seen.Summary(), k.versions(t), counts)
	}
	// Every machine succeeds at last, which replaces its failures.
	if counts.Succeeded != 50 || counts.Failed != 0 || counts.Granted != seen.Offers-seen.Failed ||
		counts.Granted != counts.Succeeded+counts.Failed+counts.Released {
		t.Errorf("machines: %sthe server counts %+v", seen.Summary(), counts)
	}
	if seen.Failed == 0 || seen.Deferred == 0 || counts.Released <= seen.Deferred {
		t.Errorf("too few failures to test anything: %s", seen.Summary())
	}
	recount(t, p.store)
}

func TestCloseWorksTwiceAndWithoutRun(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	p := NewProgram(Config{Listen: "127.0.0.1:0", DataDir: t.TempDir()}, discard(), time.Now)
	if p.URL() != "" {
		t.Errorf("the URL is %s before Run", p.URL())
	}
	if err := p.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := askHealth(t.Context(), http.DefaultClient, p.URL()); err != nil {
		t.Error(err)
	}
	for range 2 {
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	}
	if _, err := askHealth(t.Context(), http.DefaultClient, p.URL()); err == nil {
		t.Error("the server still responds after Close")
	}
	if err := NewProgram(Config{}, discard(), time.Now).Close(); err != nil {
		t.Error(err)
	}
}

// Shutdown closes websockets and event streams, so that their clients reconnect to
// another process.
func TestSubscriptionsDoNotDelayShutdown(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	p := startProgram(t, "")
	header := http.Header{}
	request := http.Request{Header: header}
	request.SetBasicAuth("admin", "admin")
	dialer := websocket.Dialer{Subprotocols: []string{"graphql-transport-ws"}}
	socket, resp, err := dialer.DialContext(t.Context(), "ws"+strings.TrimPrefix(p.URL(), "http")+"/graphql", header)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = socket.Close() }()
	_ = resp.Body.Close()
	const query = `{"query":"subscription { activityAdded { asOf } }"}`
	for _, text := range []string{`{"type":"connection_init"}`, `{"id":"1","type":"subscribe","payload":` + query + `}`} {
		if err := socket.WriteMessage(websocket.TextMessage, []byte(text)); err != nil {
			t.Fatal(err)
		}
	}
	for _, want := range []string{"connection_ack", `"next"`} {
		if _, text, err := socket.ReadMessage(); err != nil || !strings.Contains(string(text), want) {
			t.Fatalf("%s, %v", text, err)
		}
	}
	post, err := http.NewRequestWithContext(t.Context(), http.MethodPost, p.URL()+"/graphql", strings.NewReader(query))
	if err != nil {
		t.Fatal(err)
	}
	post.SetBasicAuth("admin", "admin")
	post.Header.Set("Accept", "text/event-stream")
	post.Header.Set("Content-Type", "application/json")
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	stream, err := client.Do(post)
	if err != nil {
		t.Fatal(err)
	}
	defer stream.Body.Close()
	if _, err := stream.Body.Read(make([]byte, 1)); err != nil {
		t.Fatal(err)
	}

	start := time.Now()
	if err := p.Close(); err != nil {
		t.Error(err)
	}
	if took := time.Since(start); took > defaultStopWithin/2 {
		t.Errorf("Close took %s", took)
	}
	for err == nil {
		_, _, err = socket.ReadMessage()
	}
}
