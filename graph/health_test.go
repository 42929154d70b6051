package graph_test

import "testing"

func TestServerHealthReportsTheProcess(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		for _, m := range []string{"m1", "m2", "m3"} {
			s.check(m, "1.0.0")
		}
		s.must(s.Upkeep.Work(s.ctx))
		const document = `{ serverHealth { asOf databaseLatency checksPerSecond waitingCheckIns waitingCheckInLimit cachedMachines memory subscriptions jobs { name interval lastRunAt lastError } } }`
		got := s.ana(t).get(document, nil)
		want(t, got, "waitingCheckIns", 0, "waitingCheckInLimit", 4000, "subscriptions", 0, "jobs.0.interval", "PT0.25S", "jobs.0.lastError", "")
		if at(t, got, "memory").(float64) < 1<<20 || at(t, got, "databaseLatency").(string) == "PT0S" || at(t, got, "jobs.0.lastRunAt") == nil {
			t.Errorf("%v", got)
		}
		watcher := s.ana(t).dial()
		watcher.subscribe("1", `subscription { fleetChanged { asOf } }`, nil)
		watcher.next()
		want(t, s.ana(t).get(document, nil), "subscriptions", 1)
		watcher.stop("1")
		for range 100 { // the counter changes shortly after the completion
			if got = s.ana(t).get(document, nil); at(t, got, "subscriptions") == 0.0 {
				return
			}
		}
		t.Errorf("%v subscriptions after the last one ended, want 0", at(t, got, "subscriptions"))
	})
}
