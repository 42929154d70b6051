package acceptance

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/coreroller/coreroller/fleet/clock"
	"github.com/coreroller/coreroller/fleet/view"
	"github.com/coreroller/coreroller/rollout"
	web "github.com/coreroller/coreroller/server"
	"github.com/coreroller/coreroller/store/storetest"
)

const day = 24 * time.Hour

// host returns the readings of a host. If its clock is wrong, it is s.ahead of the
// test's clock.
func (s *site) host(wrong bool) func() clock.Reading {
	return func() clock.Reading {
		now := s.clock.Now()
		r := clock.Reading{Wall: now, Steps: now.Sub(begin)}
		if wrong {
			r.Wall = now.Add(time.Duration(s.ahead.Load()))
		}
		return r
	}
}

// sharedClock gives all servers the test's clock as that of the database. The clock
// of the host of server 1 is wrong.
func sharedClock(s *site, _ *server, i int) clock.Options {
	return clock.Options{Host: s.host(i == 1), Database: func(context.Context) (time.Time, error) { return s.clock.Now(), nil }}
}

// ownClock gives all servers no clock but that of the one host, as on SQLite.
func ownClock(s *site, _ *server, _ int) clock.Options { return clock.Options{Host: s.host(true)} }

// goes sets how far the wrong clock is ahead.
func (s *site) goes(ahead time.Duration) { s.ahead.Store(int64(ahead)) }

// page returns the response to a GET request to the server.
func (s *site) page(path string) (status int, body string) {
	s.t.Helper()
	h := web.New(web.Options{Fleet: s.Service, Store: s.store, Omaha: noMachines{}, Now: s.clock.Now})
	defer h.Close()
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, http.NoBody))
	return w.Code, w.Body.String()
}

type noMachines struct{}

func (noMachines) Mount(*http.ServeMux) {}

// clockIs checks what the server says about its clock. Text "" is none.
func (s *site) clockIs(text, offset string) {
	s.t.Helper()
	status, body := s.page("/readyz")
	if problem := strings.TrimPrefix(body, "ok\n"); status != http.StatusOK || problem == body || (text == "") != (problem == "") || !strings.Contains(problem, text) {
		s.t.Errorf("/readyz answered %d %q, want %q", status, body, text)
	}
	if _, metrics := s.page("/metrics"); !strings.Contains(metrics, "\ncoreroller_clock_offset_seconds "+offset+"\n") {
		s.t.Errorf("the metrics have no offset of %s", offset)
	}
	all, err := s.View.Attention(s.ctx)
	s.ok(err)
	found := ""
	for _, a := range all {
		if a.Kind == view.AttentionClock {
			found += a.Sentence
		}
	}
	if (text == "") != (found == "") || !strings.Contains(found, text) {
		s.t.Errorf("attention %q, want %q", found, text)
	}
	health, err := s.Upkeep.Health(s.ctx)
	s.ok(err)
	for _, j := range health.Jobs {
		if j.Name == "compare the clocks" && !strings.Contains(j.LastError, text) {
			s.t.Errorf("job %+v", j)
		}
	}
}

func TestServerWithAWrongClockUsesTheDatabasesTime(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		wrong := s.on(1)
		s.goes(day)
		s.beat()
		wrong.beat()
		s.clockIs("", "0")
		wrong.clockIs("the clock of this host is 24h0m0s ahead of the database's", "86400")
		s.grants("m", "1.0.0", "2.0.0")
		wrong.work()
		wrong.holds("n", "1.0.0", "safe_mode_first")
		s.attemptsEnded("m")
		s.updates("m", "1.0.0", "2.0.0")
		wrong.grants("o", "1.0.0", "2.0.0")
		if m := s.instance("o"); !m.GrantedAt.Equal(begin) || !m.LastSeenAt.Equal(begin) || !m.LeaseUntil.Equal(begin.Add(time.Hour)) {
			t.Errorf("granted at %s, seen at %s, lease until %s", m.GrantedAt, m.LastSeenAt, m.LeaseUntil)
		}
		s.runs(time.Hour + time.Minute)
		wrong.beat()
		wrong.work() // no background work, so the lease is not ended
		s.attemptsEnded("o")
		s.work()
		s.attemptsEnded("o", rollout.OutcomeTimeout)
		s.activityCount(rollout.ActivityTimesRepaired, 0)
	}, servers(2), clocks(sharedClock), safeMode, lease(time.Hour))
}

func TestServerWorksAgainWhenItsClockIsSetRight(t *testing.T) {
	each(t, func(_ *testing.T, right *site) {
		s := right.on(1)
		s.goes(-day)
		s.beat()
		s.clockIs("24h0m0s behind the database's", "-86400")
		s.grants("m", "1.0.0", "2.0.0")
		right.runs(time.Hour + time.Minute)
		s.beat()
		s.work()
		s.attemptsEnded("m")
		s.goes(time.Second)
		s.beat()
		s.clockIs("", "1")
		s.work()
		s.attemptsEnded("m", rollout.OutcomeTimeout)
	}, servers(2), clocks(sharedClock), lease(time.Hour))
}

// The same with the real clock of PostgreSQL.
func TestServersOnPostgresUseItsClock(t *testing.T) {
	t.Parallel()
	s := start(t, storetest.Postgres(t), servers(2), safeMode, clocks(func(_ *site, n *server, i int) clock.Options {
		return clock.Options{Database: n.store.Clock(), Host: clock.Host(func() time.Time { return time.Now().Add(time.Duration(i) * day) })}
	}))
	wrong := s.on(1)
	before, err := s.store.Clock()(s.ctx)
	s.ok(err)
	s.grants("m", "1.0.0", "2.0.0")
	wrong.beat()
	wrong.work()
	wrong.holds("n", "1.0.0", "safe_mode_first")
	s.updates("m", "1.0.0", "2.0.0")
	wrong.grants("o", "1.0.0", "2.0.0")
	after, err := s.store.Clock()(s.ctx)
	s.ok(err)
	for _, at := range s.grantTimes() {
		// The wall clocks are a day apart, so that a slow test changes nothing.
		if at.Before(before.Add(-time.Minute)) || at.After(after.Add(time.Minute)) {
			t.Errorf("granted at %s, between %s and %s", at, before, after)
		}
	}
	if _, body := wrong.page("/readyz"); !strings.Contains(body, "ahead of the database's") {
		t.Errorf("/readyz answered %q", body)
	}
	s.rolloutIs(rollout.RolloutActive)
}

func TestJumpOfAClockThatIsSetBackChangesNothing(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		s.beat()
		s.grants("a", "1.0.0", "2.0.0")
		s.goes(day)
		s.advance(3 * time.Second)
		s.beat()
		s.clockIs("the clock of this host jumped and is 24h0m0s ahead of the server's time", "86400")
		s.holds("b", "1.0.0", "period_limit")
		s.work()
		s.runs(50 * time.Second)
		s.work()
		s.goes(0)
		s.runs(3 * time.Second)
		s.work()
		s.clockIs("", "0")
		s.attemptsEnded("a")
		s.runs(15 * time.Minute)
		s.grants("b", "1.0.0", "2.0.0")
		s.activityCount(rollout.ActivityTimesRepaired, 0)
		if o := s.store.Outages(); len(o) > 0 {
			t.Errorf("outages %v", o)
		}
	}, withPolicy(func(p *rollout.Policy) { p.MaxUpdatesPerPeriod, p.MaxConcurrentUpdates = 1, 10 }), clocks(ownClock))
}

// The clock is a day ahead for longer than the server waits, and right again after a
// restart.
func TestTimesFromTheFutureAreRepaired(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		s.beat()
		s.holds("idle", "2.0.0", "up_to_date")
		s.grants("before", "1.0.0", "2.0.0")
		s.reports("before", "1.0.0", "13/1")
		s.goes(day)
		s.runs(clock.Settle + 10*time.Second)
		s.work()
		// The jump is an outage: it ends no lease and makes no machine silent.
		s.clockIs("", "0")
		s.attemptsEnded("before")
		if m := s.instance("idle"); m.Standing != rollout.StandingActive {
			t.Errorf("standing %d", m.Standing)
		}
		s.grants("future", "1.0.0", "2.0.0")
		s.holds("waiting", "1.0.0", "period_limit")

		s.goes(0)
		s.join()
		s = s.on(1)
		s.beat()
		s.work()
		now := s.clock.Now()
		s.holds("waiting", "1.0.0", "period_limit")
		s.activityCount(rollout.ActivityTimesRepaired, 1)
		for _, name := range []string{"before", "future", "idle", "waiting"} {
			m := s.instance(name)
			if m.LastSeenAt.After(now) || m.GrantedAt != nil && m.GrantedAt.After(now) || m.LeaseUntil != nil && m.LeaseUntil.After(now.Add(3*time.Hour)) {
				t.Errorf("%s was seen at %s, granted at %v, lease until %v; now is %s", name, m.LastSeenAt, m.GrantedAt, m.LeaseUntil, now)
			}
		}
		for _, o := range s.store.Outages() {
			if o.To.Sub(o.From) > time.Hour {
				t.Errorf("outage %v", o)
			}
		}
		s.runs(15 * time.Minute)
		s.grants("waiting", "1.0.0", "2.0.0")
		s.runs(4 * time.Hour)
		s.work()
		s.attemptsEnded("before", rollout.OutcomeTimeout)
		s.attemptsEnded("future", rollout.OutcomeTimeout)
		s.activityCount(rollout.ActivityTimesRepaired, 1)
	}, withPolicy(func(p *rollout.Policy) { p.MaxUpdatesPerPeriod, p.MaxConcurrentUpdates = 1, 10 }), clocks(ownClock))
}

// A grant that a server of an earlier version left in the future.
func TestGrantFromTheFutureBlocksOnePeriod(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		s.advance(day)
		s.promote("3.0.0")
		s.grants("future", "1.0.0", "3.0.0")
		s.clock.Set(begin)
		s.holds("m", "1.0.0", "period_limit")
		s.activityCount(rollout.ActivityTimesRepaired, 1)
		if !strings.Contains(s.activities(rollout.ActivityTimesRepaired)[0].Detail, "1 day in the future") {
			t.Errorf("activities %v", s.activities(rollout.ActivityTimesRepaired))
		}
		s.work()
		if m := s.instance("future"); !m.LeaseUntil.Equal(begin.Add(time.Hour)) {
			t.Errorf("lease until %s", m.LeaseUntil)
		}
		if r := s.rolloutOf(s.group); !r.CreatedAt.Equal(begin) || !r.StartedAt.Equal(begin) || !r.WaveAt.Equal(begin) {
			t.Errorf("the rollout was created at %s, started at %s", r.CreatedAt, r.StartedAt)
		}
		repaired := 0
		for _, h := range s.history("future") {
			if strings.HasPrefix(h.Detail, "the lease ends ") {
				repaired++
			}
		}
		if repaired != 1 {
			t.Errorf("%d entries, want 1: %v", repaired, s.history("future"))
		}
		s.advance(15 * time.Minute)
		s.grants("m", "1.0.0", "3.0.0")
		s.activityCount(rollout.ActivityTimesRepaired, 1)
	}, withPolicy(func(p *rollout.Policy) { p.MaxUpdatesPerPeriod, p.MaxConcurrentUpdates = 1, 10 }), lease(time.Hour))
}
