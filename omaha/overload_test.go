package omaha

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coreroller/coreroller/fleet/checkin"
)

// While the fleet blocks, requests up to the limit wait and further ones get 503.
// Requests above half of the limit get a longer poll interval. Afterwards responses
// are normal again.
func TestOverloadRejectsAboveTheLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const limit, excess = 8, 3
		arrived, release := make(chan struct{}), make(chan struct{})
		h := newTestHandler(t, fleetFunc(func(context.Context, checkin.CheckIn) (checkin.Answer, error) {
			arrived <- struct{}{}
			<-release
			return checkin.Answer{}, nil
		}), Options{MaxInFlight: limit})
		answers := make(chan *httptest.ResponseRecorder, limit)
		for range limit {
			go func() { answers <- post(h, check) }()
			<-arrived // in order, so that the second half is above limit/2
		}
		for range excess {
			w := post(h, check)
			if w.Code != http.StatusServiceUnavailable || w.Header().Get("Retry-After") != "300" || w.Header().Get("X-Retry-After") != "300" {
				t.Errorf("status %d, headers %v: %s", w.Code, w.Header(), w.Body)
			}
		}
		close(release)
		slowed := 0
		for range limit {
			w := <-answers
			if w.Code != http.StatusOK {
				t.Errorf("status %d: %s", w.Code, w.Body)
			}
			if strings.Contains(w.Body.String(), ` PollInterval="5400"`) {
				slowed++
			}
		}
		if slowed != limit/2 {
			t.Errorf("%d of %d got a longer poll interval", slowed, limit)
		}
		go func() { <-arrived }()
		if w := post(h, check); w.Code != http.StatusOK || strings.Contains(w.Body.String(), "PollInterval") {
			t.Errorf("after the overload: status %d: %s", w.Code, w.Body)
		}
	})
}

func TestSlowDownDoublesThePollInterval(t *testing.T) {
	for own, want := range map[time.Duration]time.Duration{
		0: 90 * time.Minute, time.Minute: 90 * time.Minute, time.Hour: 2 * time.Hour, 3 * time.Hour: maxPollInterval, 4 * time.Hour: maxPollInterval,
	} {
		r := []reply{{status: statusOK, answer: checkin.Answer{PollInterval: own}}, {status: statusInvalidAppID}}
		slowDown(r)
		if r[0].answer.PollInterval != want || r[1].answer.PollInterval != 0 {
			t.Errorf("%v was changed to %v and %v", own, r[0].answer.PollInterval, r[1].answer.PollInterval)
		}
	}
}
