package acceptance

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/coreroller/coreroller/fleet/quota"
	"github.com/coreroller/coreroller/store"
)

// inBraces returns a machine id in the form of Nebraska's syncer.
func inBraces(i int) string { return fmt.Sprintf("{3e2f7c52-0ad5-4a0b-8a5e-%012d}", i) }

func TestCase62_IDInBracesIsAMachine(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		for i := range 2 {
			s.grants(inBraces(i), "1.0.0", "2.0.0")
		}
		s.holds(inBraces(2), "1.0.0", "concurrency_limit")
		// Half a declaration is none.
		r := s.checking("m", "1.0.0")
		r.syncer = true
		if a := s.ask(r)[0]; a.Check.Info != "concurrency_limit" {
			t.Errorf("the version of a syncer with the id of a machine: %s", a)
		}
		r = s.checking(inBraces(2), "1.0.0")
		r.attrs = map[string]string{"installsource": "ondemandupdate", "multi_manifest_ok": "false"}
		if a := s.ask(r)[0]; a.Check.Info != "concurrency_limit" {
			t.Errorf("multi_manifest_ok is false: %s", a)
		}
		if n := s.numbers(); n.Total != 4 || n.InFlight != 2 {
			t.Errorf("numbers %+v, want 4 machines, 2 in flight", n)
		}
		s.work()
		if all, err := s.View.Mirrors(s.ctx); err != nil || len(all) != 0 {
			t.Errorf("mirrors %+v, %v", all, err)
		}
	})
}

func TestCase62_MirrorsAreListed(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		floors(s)
		nebraska, other := s.checking(inBraces(1), "2700.0.0"), s.checking("mirror", "1000.0.0")
		nebraska.syncer = true
		other.attrs = map[string]string{"multi_manifest_ok": "true"}
		s.ask(nebraska)
		s.advance(time.Hour)
		s.ask(nebraska)
		s.ask(other)
		s.work()
		other.version = "3000.0.0"
		s.advance(time.Minute)
		s.ask(other) // nothing to fetch
		s.work()
		all, err := s.View.Mirrors(s.ctx)
		s.ok(err)
		if len(all) != 2 {
			t.Fatalf("%d mirrors, want 2", len(all))
		}
		a, b := all[0], all[1]
		if a.MachineID != "mirror" || a.Fetched != "2000.0.0 2500.0.0 3000.0.0" || a.Version != "3000.0.0" || a.Requests != 2 || !a.Served {
			t.Errorf("mirror %+v", a.Mirror)
		}
		if b.MachineID != inBraces(1) || b.Fetched != "3000.0.0" || b.Requests != 2 || b.Address == "" || b.Group.ID != s.group || b.Application.ID != s.app ||
			!b.FirstSeenAt.Equal(begin) || !b.LastSeenAt.Equal(begin.Add(time.Hour)) {
			t.Errorf("mirror %+v", b.Mirror)
		}
	})
}

func TestHostile_MirrorsThatAreNotListedAreMachines(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		ask := func(i int) appAnswer {
			r := s.checking(inBraces(i), "1.0.0")
			r.attrs = map[string]string{"multi_manifest_ok": "true"}
			return s.ask(r)[0]
		}
		for i := range 5 { // 0 is listed
			a := ask(i)
			if want := map[bool]string{true: "2.0.0"}[i <= 2]; a.offered() != want {
				t.Errorf("mirror %d was answered %s, want %q", i, a, want)
			}
		}
		if n := s.numbers(); n.Total != 4 || n.InFlight != 2 {
			t.Errorf("numbers %+v, want 4 machines, 2 in flight", n)
		}
		if n := s.refusals(quota.Mirror, "4 checks of mirrors"); n != 4 {
			t.Errorf("%d refusals, want 4", n)
		}
		all, err := s.View.Mirrors(s.ctx)
		s.ok(err)
		served := 0
		for _, m := range all {
			if m.Served {
				served++
			}
		}
		if len(all) != 5 || served != 1 {
			t.Errorf("%d mirrors, %d served, want 5 and 1", len(all), served)
		}
	}, quotas(quota.Quotas{Mirrors: quota.Mirrors{Listed: true, IDs: []string{strings.ToUpper(inBraces(0))}}}))
}

// Made-up mirrors change no number of the group and fill a bounded table.
func TestHostile_MadeUpMirrorsFillABoundedTable(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		for i := range 3 * store.MaxMirrors / 2 {
			if i == store.MaxMirrors {
				s.work()
				s.advance(time.Second)
			}
			r := s.checking(inBraces(i), "1.0.0")
			r.syncer = true
			s.ask(r)
		}
		s.work()
		if all, err := s.View.Mirrors(s.ctx); err != nil || len(all) != store.MaxMirrors || all[0].MachineID < inBraces(store.MaxMirrors) {
			t.Errorf("%d mirrors, want %d, the last ones first (%v)", len(all), store.MaxMirrors, err)
		}
		if n := s.numbers(); n.Total != 0 || n.GrantedInPeriod != 0 {
			t.Errorf("numbers %+v, want none", n)
		}
	})
}
