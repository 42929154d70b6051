package graph_test

import "testing"

func TestServerHealth(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		for _, m := range []string{"m1", "m2", "m3"} {
			s.check(m, "1.0.0")
		}
		s.must(s.Upkeep.Work(s.ctx))
		const document = `{ serverHealth { asOf databaseLatency checksPerSecond waiting waitingLimit knownMachines memory subscriptions jobs { name every lastRunAt lastError } } }`
		got := s.ana(t).get(document, nil)
		want(t, got, "waiting", 0, "waitingLimit", 4000, "subscriptions", 0, "jobs.0.every", "PT0.25S", "jobs.0.lastError", "")
		if at(t, got, "memory").(float64) < 1<<20 || at(t, got, "databaseLatency").(string) == "PT0S" || at(t, got, "jobs.0.lastRunAt") == nil {
			t.Errorf("%v", got)
		}
		watcher := s.ana(t).dial()
		watcher.subscribe("1", `subscription { fleetChanged { asOf } }`, nil)
		watcher.next()
		want(t, s.ana(t).get(document, nil), "subscriptions", 1)
		watcher.stop("1")
		for range 100 { // it ends a moment after it was told to
			if got = s.ana(t).get(document, nil); at(t, got, "subscriptions") == 0.0 {
				return
			}
		}
		t.Errorf("%v subscriptions after the last one ended", at(t, got, "subscriptions"))
	})
}
