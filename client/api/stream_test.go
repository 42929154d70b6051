package api_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/coreroller/coreroller/client/api"
)

// A lost connection is made again; a refusal ends the subscription.
func TestFollowSubscribesAgainUntilRefused(t *testing.T) {
	requests := 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		requests++
		if r.Header.Get("Authorization") != "Bearer crt_x" {
			t.Errorf("no token: %v", r.Header)
		}
		w.Header().Set("Content-Type", "text/event-stream")
		if requests == 2 {
			fmt.Fprint(w, "event: next\ndata: {\"errors\":[{\"message\":\"gone\",\"extensions\":{\"code\":\"UNAUTHENTICATED\"}}]}\n\n")
			return
		}
		fmt.Fprint(w, ":\n\nevent: next\ndata: {\"data\":{\"n\":1}}\n\n")
	}))
	defer server.Close()
	s := &api.Server{URL: server.URL, Token: "crt_x"}
	defer s.Close()
	lost, received := 0, 0
	err := s.Follow(t.Context(), "subscription { n }", nil, func(error) { lost++ }, func(data json.RawMessage) error {
		received++
		if string(data) != `{"n":1}` {
			t.Errorf("%s", data)
		}
		return nil
	})
	if api.Code(err) != api.Unauthenticated || lost != 1 || received != 1 || requests != 2 {
		t.Errorf("%v after %d requests, %d losses, %d messages", err, requests, lost, received)
	}
}

func TestFollowEndsWithItsReceiver(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		fmt.Fprint(w, "data: {\"data\":{}}\n\nevent: complete\n\n")
	}))
	defer server.Close()
	s := &api.Server{URL: server.URL}
	defer s.Close()
	other := errors.New("enough")
	for _, c := range []struct{ returned, want error }{{api.ErrEnd, nil}, {other, other}} {
		err := s.Follow(t.Context(), "", nil, func(err error) { t.Error(err) }, func(json.RawMessage) error { return c.returned })
		if !errors.Is(err, c.want) {
			t.Errorf("%v, want %v", err, c.want)
		}
	}
	// A context that ends while the pause before the next request lasts.
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if err := s.Follow(ctx, "", nil, func(error) {}, func(json.RawMessage) error { return nil }); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("%v", err)
	}
}

func TestFollowFailsAtOnceWithoutAServer(t *testing.T) {
	server := httptest.NewServer(http.NotFoundHandler())
	defer server.Close()
	s := &api.Server{URL: server.URL}
	defer s.Close()
	if err := s.Follow(t.Context(), "", nil, func(err error) { t.Error(err) }, nil); err == nil {
		t.Error("no error")
	}
}
