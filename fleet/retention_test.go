package fleet_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/coreroller/coreroller/ent/db/pacepoint"
	"github.com/coreroller/coreroller/ent/db/statpoint"
	"github.com/coreroller/coreroller/rollout"
	"github.com/coreroller/coreroller/store/storetest"
)

// A fleet that updates for a year has no more rows at its end than after the longest
// period. The points of each day are kept for two years.
func TestTablesStayFlatOverAYear(t *testing.T) {
	machines, step := storetest.Size(3, 20), time.Duration(storetest.Size(7, 1))*24*time.Hour
	eachDatabase(t, func(t *testing.T, d *harness) {
		s := d.setup()
		sizes := func() map[string]int {
			r := d.store.Reader()
			return map[string]int{
				"activities": r.Activity.Query().CountX(d.ctx), "attempts": r.Attempt.Query().CountX(d.ctx),
				"history_entries": r.HistoryEntry.Query().CountX(d.ctx),
				"stat_points":     r.StatPoint.Query().Where(statpoint.ResolutionNEQ(86400)).CountX(d.ctx),
				"pace_points":     r.PacePoint.Query().Where(pacepoint.ResolutionNEQ(86400)).CountX(d.ctx),
				"uptimes":         r.Uptime.Query().CountX(d.ctx),
			}
		}
		begin, was, version := d.clock(), map[string]int(nil), "2.0.0"
		for n := 0; d.clock().Sub(begin) < 365*24*time.Hour; n++ {
			next := fmt.Sprintf("2.0.%d", n+1)
			d.addPackage(s, next)
			d.promote(s, next)
			for m := range machines {
				name := fmt.Sprint("m", m)
				d.check(s, name, version)
				if m == 0 {
					d.report(s, name, version, rollout.Event{Type: 3, Result: 0, Code: 9})
				}
				d.check(s, name, next)
				d.wait(time.Minute * 16) // the period of the policy
			}
			version = next
			d.must(d.Upkeep.Work(d.ctx))
			d.wait(step)
			d.must(d.Upkeep.Work(d.ctx))
			if was == nil && d.clock().Sub(begin) > 100*24*time.Hour {
				was = sizes()
			}
		}
		for table, n := range sizes() {
			if most := was[table] + was[table]/5 + 2; n > most || table != "uptimes" && n == 0 {
				t.Errorf("%s has %d rows after a year, and had %d after 100 days", table, n, was[table])
			}
		}
		deleted := map[string]int64{}
		for _, p := range must(d.Upkeep.Retention(d.ctx))(t) {
			deleted[p.Name] = p.Deleted
			if p.Behind != 0 || p.Name != "uploads" && (p.Ended == nil || !p.Ended.Equal(d.clock())) {
				t.Errorf("period %+v", p)
			}
			if p.Name == "attempts" && (p.Oldest == nil || d.clock().Sub(*p.Oldest) > p.Keep) {
				t.Errorf("the oldest attempt is from %v", p.Oldest)
			}
		}
		for _, name := range []string{"history", "attempts", "activities", "statistics-30s", "statistics-5m", "statistics-1h"} {
			if deleted[name] == 0 {
				t.Errorf("no records of %s were deleted: %v", name, deleted)
			}
		}
	})
}
