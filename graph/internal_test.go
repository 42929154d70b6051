package graph

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/99designs/gqlgen/graphql/handler/transport"
	"github.com/gorilla/websocket"

	"github.com/coreroller/coreroller/auth"
	"github.com/coreroller/coreroller/event"
)

// A client that stopped reading loses its connection; nobody waits for it.
func TestSlowReaderIsDropped(t *testing.T) {
	dropped := make(chan error, 1)
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithCancel(r.Context())
		c := &socket{cancel: cancel, closing: make(chan struct{})}
		r = r.WithContext(context.WithValue(ctx, socketKey{}, c))
		conn, err := (&gorilla{patience: 50 * time.Millisecond}).Accept(w, r, transport.WebsocketAcceptOptions{})
		for err == nil {
			err = conn.WriteJSON(strings.Repeat("x", 1<<20))
		}
		if ctx.Err() == nil {
			err = errors.Join(err, errors.New("what it watches goes on"))
		}
		dropped <- err
	}))
	defer srv.Close()
	conn, resp, err := websocket.DefaultDialer.DialContext(t.Context(), "ws"+strings.TrimPrefix(srv.URL, "http"), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	_ = resp.Body.Close()
	select {
	case err := <-dropped:
		if !strings.Contains(err.Error(), "timeout") || strings.Contains(err.Error(), "goes on") {
			t.Errorf("dropped with %v", err)
		}
	case <-time.After(20 * time.Second):
		t.Error("the server still waits")
	}
}

type endedSession struct{ Guard }

func (endedSession) Recheck(context.Context) error { return auth.ErrUnauthenticated }

// A subscription looks after its session from time to time, and whoever signed
// out elsewhere is told to sign in again.
func TestEndedSessionEndsItsSubscriptions(t *testing.T) {
	r := &Resolver{Options: Options{Guard: endedSession{}}}
	sub := event.NewMemory().Subscribe(nil)
	defer sub.Close()
	look := make(chan time.Time, 1)
	look <- time.Now()
	_, err := r.next(t.Context(), time.Hour, look, sub)
	if !errors.Is(err, auth.ErrUnauthenticated) {
		t.Fatalf("got %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	c := &socket{cancel: cancel}
	r.broken(context.WithValue(ctx, socketKey{}, c), err)
	if c.code.Load() != closeUnauthorized || ctx.Err() == nil {
		t.Errorf("code %d, context %v", c.code.Load(), ctx.Err())
	}
}

// Events before the pace allows a message wait and are not lost.
func TestEventsWaitForThePace(t *testing.T) {
	bus := event.NewMemory()
	sub := bus.Subscribe(nil)
	defer sub.Close()
	bus.Publish(event.Event{Kind: event.GroupChanged})
	began := time.Now()
	const pace = 50 * time.Millisecond
	snapshot, err := (&Resolver{}).next(t.Context(), pace, nil, sub)
	if err != nil || snapshot || time.Since(began) < pace {
		t.Errorf("snapshot %v, err %v, after %v", snapshot, err, time.Since(began))
	}
}

// Few readers do not slow a subscription, many bound what sending costs.
func TestACrowdIsToldLessOften(t *testing.T) {
	sh := &share{}
	ctx := context.WithValue(t.Context(), shareOwner{}, sh)
	for readers, want := range map[int64]time.Duration{1: 150600 * time.Microsecond, 1000: 750 * time.Millisecond, 10_000: 6150 * time.Millisecond} {
		sh.readers.Store(readers)
		if got := paceOf(ctx, pace); got != want {
			t.Errorf("%d readers are told every %v, want %v", readers, got, want)
		}
	}
	if got := paceOf(t.Context(), pace); got != pace {
		t.Errorf("a subscription of its own is told every %v", got)
	}
}

// A crowd is told part by part, each within a quarter of what it waits longer.
func TestACrowdIsToldPartByPart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const crowd = 1000
		sh := newShare(shareKey{})
		sh.readers.Store(crowd)
		told := make(chan time.Duration, crowd)
		began := time.Now()
		for range crowd {
			seat, number := sh.sit()
			_, _, changed := sh.after(number, seat)
			go func() {
				<-changed
				told <- time.Since(began)
			}()
		}
		sh.tell()
		synctest.Wait()
		close(told)
		parts := map[time.Duration]int{}
		for after := range told {
			parts[after]++
			if after > crowd*perReader/4 {
				t.Errorf("one is told after %v", after)
			}
		}
		for after, n := range parts {
			if n > crowd/seats+1 {
				t.Errorf("%d are told at once, after %v", n, after)
			}
		}
	})
}
