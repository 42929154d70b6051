package store_test

import (
	"slices"
	"testing"
	"time"

	"github.com/coreroller/coreroller/rollout"
	"github.com/coreroller/coreroller/store/storetest"
)

func TestUptimesFromTheFutureAreRemoved(t *testing.T) {
	storetest.Each(t, func(t *testing.T, url string) {
		s := open(t, url)
		at := func(d time.Duration) time.Time { return start.Add(d) }
		for _, d := range []time.Duration{0, 24 * time.Hour, 24*time.Hour + time.Second} { // the clock jumps
			check(t, s.Beat(t.Context(), at(d)))
		}
		if want := []rollout.Outage{{From: start, To: at(24 * time.Hour)}}; !slices.Equal(s.Outages(), want) {
			t.Fatalf("outages %v, want %v", s.Outages(), want)
		}
		check(t, s.Beat(t.Context(), at(time.Second))) // and is set back
		if len(s.Outages()) != 0 {
			t.Errorf("outages %v", s.Outages())
		}
		check(t, s.Beat(t.Context(), at(time.Minute))) // outages are recorded again
		if want := []rollout.Outage{{From: at(time.Second), To: at(time.Minute)}}; !slices.Equal(s.Outages(), want) {
			t.Errorf("outages %v, want %v", s.Outages(), want)
		}
		check(t, s.Beat(t.Context(), at(30*time.Second))) // a beat that waited for its connection
		if n := s.Reader().Uptime.Query().CountX(t.Context()); n != 2 {
			t.Errorf("%d rows", n)
		}
	})
}
