package graph

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/99designs/gqlgen/graphql/handler/transport"
	"github.com/gorilla/websocket"

	"github.com/coreroller/coreroller/event"
)

func TestClientThatStopsReadingIsDisconnected(t *testing.T) {
	dropped := make(chan error, 1)
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithCancel(r.Context())
		c := &socket{cancel: cancel, closing: make(chan struct{}), all: new(atomic.Int64)}
		r = r.WithContext(context.WithValue(ctx, socketKey{}, c))
		conn, err := (&gorilla{writeTimeout: 50 * time.Millisecond}).Accept(w, r, transport.WebsocketAcceptOptions{})
		for err == nil {
			err = conn.WriteJSON(strings.Repeat("x", 1<<20))
		}
		if ctx.Err() == nil {
			err = errors.Join(err, errors.New("its subscriptions were not canceled"))
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
		if !strings.Contains(err.Error(), "timeout") || strings.Contains(err.Error(), "not canceled") {
			t.Errorf("disconnected with %v, want a timeout", err)
		}
	case <-time.After(20 * time.Second):
		t.Error("the client was not disconnected")
	}
}

// Events that arrive before the interval has passed are kept.
func TestEventsWaitForTheInterval(t *testing.T) {
	bus := event.NewMemory()
	sub := bus.Subscribe(nil)
	defer sub.Close()
	bus.Publish(event.Event{Kind: event.GroupChanged})
	began := time.Now()
	const interval = 50 * time.Millisecond
	snapshot, err := waitForEvents(t.Context(), interval, sub)
	if err != nil || snapshot || time.Since(began) < interval {
		t.Errorf("snapshot %v, err %v, after %v", snapshot, err, time.Since(began))
	}
}

// The interval grows with the number of subscribers, which bounds the cost of
// sending.
func TestManySubscribersGetFewerMessages(t *testing.T) {
	e := &execution{}
	ctx := context.WithValue(t.Context(), executionContextKey{}, e)
	for subscribers, want := range map[int64]time.Duration{1: 150600 * time.Microsecond, 1000: 750 * time.Millisecond, 10_000: 6150 * time.Millisecond} {
		e.subscribers.Store(subscribers)
		if got := intervalOf(ctx, messageInterval); got != want {
			t.Errorf("interval for %d subscribers is %v, want %v", subscribers, got, want)
		}
	}
	if got := intervalOf(t.Context(), messageInterval); got != messageInterval {
		t.Errorf("interval of a subscription that is not shared is %v, want %v", got, messageInterval)
	}
}

// Notification is spread over a quarter of the additional interval.
func TestManySubscribersAreNotifiedInBatches(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const subscribers = 1000
		e := newExecution(executionKey{})
		e.subscribers.Store(subscribers)
		notified := make(chan time.Duration, subscribers)
		began := time.Now()
		for range subscribers {
			batch, sequence := e.add()
			_, _, changed := e.newer(sequence, batch)
			go func() {
				<-changed
				notified <- time.Since(began)
			}()
		}
		e.notify()
		synctest.Wait()
		close(notified)
		batches := map[time.Duration]int{}
		for after := range notified {
			batches[after]++
			if after > subscribers*delayPerSubscriber/4 {
				t.Errorf("a subscriber is notified after %v", after)
			}
		}
		for after, n := range batches {
			if n > subscribers/notifyBatches+1 {
				t.Errorf("%d subscribers are notified at once after %v", n, after)
			}
		}
	})
}
