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

// While the fleet answers nobody, as many requests wait as may; the others are
// told to come back; those who came late are told to poll less often. Afterwards
// all is as before.
func TestPressure(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const most, more = 8, 3
		arrived, release := make(chan struct{}), make(chan struct{})
		h := newTestHandler(t, fleetFunc(func(context.Context, checkin.CheckIn) (checkin.Answer, error) {
			arrived <- struct{}{}
			<-release
			return checkin.Answer{}, nil
		}), Options{InWork: most})
		answers := make(chan *httptest.ResponseRecorder, most)
		for range most {
			go func() { answers <- post(h, check) }()
			<-arrived // one after the other: the second half is late
		}
		for range more {
			w := post(h, check)
			if w.Code != http.StatusServiceUnavailable || w.Header().Get("Retry-After") != "300" || w.Header().Get("X-Retry-After") != "300" {
				t.Errorf("%d %v %s", w.Code, w.Header(), w.Body)
			}
		}
		close(release)
		slowed := 0
		for range most {
			w := <-answers
			if w.Code != http.StatusOK {
				t.Errorf("%d %s", w.Code, w.Body)
			}
			if strings.Contains(w.Body.String(), ` PollInterval="5400"`) {
				slowed++
			}
		}
		if slowed != most/2 {
			t.Errorf("%d of %d were asked to poll less often", slowed, most)
		}
		go func() { <-arrived }()
		if w := post(h, check); w.Code != http.StatusOK || strings.Contains(w.Body.String(), "PollInterval") {
			t.Errorf("afterwards %d %s", w.Code, w.Body)
		}
	})
}

func TestSlowDown(t *testing.T) {
	for own, want := range map[time.Duration]time.Duration{
		0: 90 * time.Minute, time.Minute: 90 * time.Minute, time.Hour: 2 * time.Hour, 3 * time.Hour: longestPoll, 4 * time.Hour: longestPoll,
	} {
		r := []reply{{status: statusOK, answer: checkin.Answer{PollInterval: own}}, {status: statusInvalidAppID}}
		slowDown(r)
		if r[0].answer.PollInterval != want || r[1].answer.PollInterval != 0 {
			t.Errorf("%v becomes %v and %v", own, r[0].answer.PollInterval, r[1].answer.PollInterval)
		}
	}
}
