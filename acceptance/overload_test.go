package acceptance

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/coreroller/coreroller/store"
)

// While the database is blocked, more machines check in than the lane can queue.
// Queued machines are answered after the block; all others get 503 with
// Retry-After. Checks that write nothing are still answered. After the overload
// the server answers normally.
func TestOverloadAnswers503(t *testing.T) {
	const machines = 6000
	each(t, func(t *testing.T, s *site) {
		s.holds("idle", "2.0.0", "up_to_date")
		held, release := make(chan struct{}), make(chan struct{})
		stuck := make(chan error, 1)
		go func() {
			stuck <- s.store.Write(s.ctx, s.clock.Now(), func(tx *store.Tx) error {
				_, err := tx.LockGroups(s.ctx, []uuid.UUID{s.group})
				close(held)
				<-release
				return err
			})
		}()
		<-held

		answers := make(chan *answer, machines)
		ask := func(machine, version string) *answer {
			r := httptest.NewRequest(http.MethodPost, "/v1/update/", strings.NewReader(document(s.checking(machine, version))))
			a, err := serve(s.handler, r)
			if err != nil {
				t.Error(err)
			}
			return a
		}
		for i := range machines {
			go func() { answers <- ask(fmt.Sprint("m", i), "2.0.0") }()
		}
		first := <-answers // a rejection: the lane is full, and queued checks cannot finish
		if a := ask("idle", "2.0.0"); a.code != http.StatusOK {
			t.Errorf("a check that writes nothing is answered %d %s", a.code, a.body)
		}
		close(release)
		s.ok(<-stuck)

		served, slowed := 0, 0
		for i := range machines {
			a := first
			if i > 0 {
				a = <-answers
			}
			switch {
			case a.code == http.StatusOK && a.Apps[0].Status == "ok" && a.Apps[0].Check.Info == "up_to_date":
				served++
				if a.Apps[0].Check.PollInterval == "5400" {
					slowed++
				}
			case a.code != http.StatusServiceUnavailable || a.header.Get("Retry-After") != "300":
				t.Fatalf("answered %d %v %s", a.code, a.header, a.body)
			}
		}
		if served < 4000 || served == machines || slowed == 0 {
			t.Errorf("%d of %d machines were served, %d of them with a longer poll interval", served, machines, slowed)
		}
		if n := s.numbers().Total; n != served+1 { // plus the idle machine
			t.Errorf("%d machines are stored, %d were served", n, served+1)
		}
		s.advance(time.Minute)
		if a := ask("afterwards", "2.0.0"); a.code != http.StatusOK || a.Apps[0].Check.PollInterval != "" {
			t.Errorf("after the overload: %d %s", a.code, a.body)
		}
	})
}
