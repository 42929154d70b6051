package server

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/coreroller/coreroller/fleet"
	"github.com/coreroller/coreroller/rollout"
)

// What scrapes read from the database is read at most every half minute, and not at all
// while the database cannot be used. Then no old numbers are shown.
func TestScrapesReadTheDatabaseRarely(t *testing.T) {
	now := time.Date(2026, time.March, 2, 10, 0, 0, 0, time.UTC)
	var state fakeStore
	var failure error
	reads := 0
	m := newMetrics()
	m.measureDatabase(&state, func() time.Time { return now })
	m.measureRollouts(func(context.Context) (map[string]int, []fleet.RolloutProgress, error) {
		reads++
		return map[string]int{"halted": reads}, []fleet.RolloutProgress{{Application: "a", Group: "g", Counts: rollout.Counts{Lost: 3}, InFlight: 2, Limit: 5}}, failure
	}, func() time.Time { return now })
	for i, c := range []struct {
		pass    time.Duration
		failing bool
		failure error
		reads   int
		halted  string
	}{
		{0, false, nil, 1, "1"},
		{29 * time.Second, false, nil, 1, "1"},
		{time.Second, false, nil, 2, "2"},
		{time.Minute, true, nil, 2, ""},
		{0, false, nil, 3, "3"}, // at once when it is back
		{time.Minute, false, errors.New("no connection"), 4, ""},
		{time.Second, false, nil, 4, ""},
		{29 * time.Second, false, nil, 5, "5"},
	} {
		now, failure, state = now.Add(c.pass), c.failure, fakeStore{committed: now}
		if c.failing {
			state.failing = now
		}
		w := httptest.NewRecorder()
		m.handler().ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/metrics", http.NoBody))
		text := w.Body.String()
		_, after, _ := strings.Cut(text, `coreroller_rollouts{state="halted"} `)
		halted, _, _ := strings.Cut(after, "\n")
		lost := strings.Contains(text, `coreroller_rollout_machines{application="a",group="g",is="lost"} 3`+"\n")
		if reads != c.reads || halted != c.halted || lost != (c.halted != "") {
			t.Errorf("scrape %d: %d reads, halted %q, lost shown %t; want %d and %q", i, reads, halted, lost, c.reads, c.halted)
		}
	}
}
