package acceptance

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/coreroller/coreroller/ent/db/instance"
	"github.com/coreroller/coreroller/fleet/quota"
	"github.com/coreroller/coreroller/fleet/view"
	"github.com/coreroller/coreroller/store"
	"github.com/coreroller/coreroller/store/storetest"
)

// Clients without credentials cannot steer: each test is one hostile script.

// refusals returns the total of a kind, and checks that the list of what needs
// attention has an item for it that contains a text.
func (s *site) refusals(k quota.Kind, text string) int64 {
	s.t.Helper()
	s.work()
	all, err := s.View.Attention(s.ctx)
	s.ok(err)
	found := 0
	for _, a := range all {
		if a.Kind == view.AttentionRefusals && strings.Contains(a.Sentence, text) {
			found++
		}
	}
	total := s.Machines.Refusals().Total(k)
	if want := min(total, 1); found != int(want) {
		s.t.Errorf("%d items need attention for %q, want %d: %+v", found, text, want, all)
	}
	return total
}

func TestHostile_PagesOfOtherSitesAreRefused(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		for _, c := range []struct {
			name, value string
			code        int
		}{
			{"Origin", "https://evil.example", http.StatusForbidden},
			{"Origin", "null", http.StatusForbidden},
			{"Sec-Fetch-Site", "cross-site", http.StatusForbidden},
			{"Sec-Fetch-Site", "same-site", http.StatusForbidden},
			{"Sec-Fetch-Site", "same-origin", http.StatusOK},
			{"Origin", "http://example.com", http.StatusOK}, // the host of httptest's requests
			{"User-Agent", "update_engine", http.StatusOK},
		} {
			r := httptest.NewRequest(http.MethodPost, "/v1/update/", strings.NewReader(document(s.checking("m "+c.value, "1.0.0"))))
			r.Header.Set(c.name, c.value)
			a, err := serve(s.handler, r)
			s.ok(err)
			if a.code != c.code {
				t.Errorf("%s: %s is answered %d, want %d", c.name, c.value, a.code, c.code)
			}
		}
		if n := s.refusals(quota.CrossSite, "4 requests of a page of another site"); n != 4 {
			t.Errorf("%d refusals, want 4", n)
		}
		if n := s.numbers().Total; n != 3 {
			t.Errorf("%d machines, want 3", n)
		}
	})
}

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

// rows are the rows of the tables that requests fill.
type rows struct{ machines, counts, history, attempts, points, activities int }

func (s *site) rows() (n rows) {
	s.t.Helper()
	r := s.store.Reader()
	for _, c := range []struct {
		into  *int
		count func(context.Context) (int, error)
	}{
		{&n.machines, r.Instance.Query().Count}, {&n.counts, r.GroupCount.Query().Count}, {&n.history, r.HistoryEntry.Query().Count},
		{&n.attempts, r.Attempt.Query().Count}, {&n.points, r.StatPoint.Query().Count}, {&n.activities, r.Activity.Query().Count},
	} {
		var err error
		*c.into, err = c.count(s.ctx)
		s.ok(err)
	}
	return n
}

// from sends a check of a machine from an address.
func (s *site) from(address, machine, version string) appAnswer {
	s.t.Helper()
	r := httptest.NewRequest(http.MethodPost, "/v1/update/", strings.NewReader(document(s.checking(machine, version))))
	r.RemoteAddr = netip.AddrPortFrom(netip.MustParseAddr(address), 1234).String()
	a, err := serve(s.handler, r)
	s.ok(err)
	return a.Apps[0]
}

func TestHostile_OneAddressRegistersFewMachines(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		ask := func(address string, first, n int) (refused int) {
			for i := range n {
				a := s.from(address, fmt.Sprint("made-up ", first+i), "3.0.0")
				if a.Status != "ok" || a.Ping == nil || a.Check.Status != "noupdate" || a.offered() != "" {
					t.Fatalf("answered %s", a)
				}
				if a.Check.Info == "too_many_new_machines" {
					refused++
				}
			}
			return refused
		}
		if n := ask("192.0.2.1", 0, 30); n != 20 {
			t.Errorf("%d of 30 machines refused, want 20", n)
		}
		if n := s.rows().machines; n != 10 {
			t.Errorf("%d machines, want 10", n)
		}
		if n := ask("192.0.2.1", 0, 10); n != 0 {
			t.Errorf("%d known machines refused", n)
		}
		// A network of 64 bits is one address, whatever the group allows.
		if n := ask("2001:db8::1", 100, 8) + ask("2001:db8::2", 200, 8); n != 6 {
			t.Errorf("%d of 16 machines refused, want 6", n)
		}
		if n := ask("192.0.2.2", 300, 10); n != 5 {
			t.Errorf("%d of 10 machines refused, want 5: the group allows 25", n)
		}
		if n := s.refusals(quota.NewMachine, "31 checks of new machines refused"); n != 31 {
			t.Errorf("%d refusals, want 31", n)
		}
		s.advance(time.Minute)
		if n := ask("192.0.2.1", 10, 10); n != 0 {
			t.Errorf("%d machines refused in the next minute", n)
		}
	}, quotas(quota.Quotas{NewMachinesPerAddress: 10, NewMachinesPerGroup: 25}))
}

// Ten thousand known machines behind one address are never refused by the defaults.
func TestDefaultQuotasDoNotHurtKnownMachines(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		n := storetest.Size(2000, 10_000)
		for i := range n { // new ones
			if i%1000 == 0 {
				s.advance(time.Minute)
			}
			if a := s.from("192.0.2.1", fmt.Sprint("m", i), "2.0.0"); a.Check.Info != "up_to_date" {
				t.Fatalf("machine %d was answered %s", i, a)
			}
		}
		for i := range n { // all in the same minute
			if a := s.from("192.0.2.1", fmt.Sprint("m", i), "2.0.1"); a.Check.Info != "up_to_date" {
				t.Fatalf("machine %d was answered %s", i, a)
			}
		}
		s.work()
		for _, k := range quota.Kinds() {
			if n := s.Machines.Refusals().Total(k); n != 0 {
				t.Errorf("%d refusals of kind %s", n, k)
			}
		}
	}, quotas(quota.Defaults()))
}

// One machine that reports thousands of events fills its hour and no more.
func TestHostile_OneMachineWritesLittleHistory(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		s.pings("m", "1.0.0")
		flood := func() {
			for i := range 20 {
				var all []event
				for k := range 50 {
					all = append(all, event(fmt.Sprintf("3/0 %d", 1+i*50+k)))
				}
				s.reports("m", "1.0.0", all...)
			}
		}
		flood()
		flood()
		if n := s.rows().history; n != 31 {
			t.Errorf("%d history entries, want 30 and the one that says so", n)
		}
		if last := s.history("m")[0]; !strings.Contains(last.Detail, "further ones of this hour") {
			t.Errorf("last entry %+v", last)
		}
		if n := s.refusals(quota.History, "1970 history entries were not stored"); n != 1970 {
			t.Errorf("%d refusals, want 1970", n)
		}
		s.advance(time.Hour)
		for range 100 {
			s.reports("m", "1.0.0", "3/0 7")
		}
		if n := s.rows().history; n != 32 {
			t.Errorf("%d history entries, want one more: equal ones are stored once", n)
		}
		if n := s.Machines.Refusals().Total(quota.Merged); n != 99 {
			t.Errorf("%d merged, want 99", n)
		}
		// Others are not affected.
		s.grants("other", "1.0.0", "2.0.0")
		if n := len(s.history("other")); n == 0 {
			t.Error("the history of another machine is empty")
		}
	}, quotas(quota.Quotas{HistoryPerMachine: 30}))
}

// Made-up versions and platforms fill bounded tables, also without further requests.
// The versions that the server offers are always stored.
func TestHostile_MadeUpVersionsAreStoredAsOther(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		const values, machines = 60, 400
		for i := range machines {
			r := s.checking(fmt.Sprint("m", i), fmt.Sprintf("3.0.%d", i))
			r.attrs = map[string]string{"oem": fmt.Sprint("oem", i)}
			s.ask(r)
		}
		s.advance(time.Second)
		for i := range machines { // one machine with many versions
			s.check("one", fmt.Sprintf("4.0.%d", i))
			s.advance(10 * time.Millisecond)
		}
		before := s.rows()
		if before.machines != machines+1 || before.counts > 2*values {
			t.Errorf("rows %+v, want %d machines and at most %d counters", before, machines+1, 2*values)
		}
		numbers := s.numbers()
		if len(numbers.ByVersion) > values+1 {
			t.Errorf("%d versions, want at most %d", len(numbers.ByVersion), values+1)
		}
		platforms, err := s.store.Reader().Instance.Query().GroupBy(instance.FieldOem).Strings(s.ctx)
		s.ok(err)
		if len(platforms) > values+2 || !slices.Contains(platforms, quota.Other) {
			t.Errorf("%d platforms, want at most %d with \"\" and %q", len(platforms), values+2, quota.Other)
		}
		// The worker writes at most 51 versions per state and point.
		const points = 20
		for range points {
			s.work()
			s.advance(30 * time.Second)
		}
		if n := s.rows().points; n > (points+6)*51*2 {
			t.Errorf("%d rows of statistics after %d points", n, points)
		}
		// A machine with a version too many is decided by the version that it sends.
		s.holds("new", "9.9.9", "up_to_date")
		if m := s.instance("new"); m.Version != quota.OtherVersion {
			t.Errorf("stored version %q", m.Version)
		}
		s.grants("real", "1.0.0", "2.0.0")
		s.updates("real", "1.0.0", "2.0.0")
		if m := s.instance("real"); m.Version != "2.0.0" {
			t.Errorf("the target is stored as %q", m.Version)
		}
		s.refusals(quota.Version, "versions were stored as")
		if n := s.refusals(quota.Platform, "platforms were stored as"); n != machines-values {
			t.Errorf("%d platforms refused, want %d", n, machines-values)
		}
		// When nothing runs a version any more, another one takes its place.
		for i := range 3 {
			s.holds(fmt.Sprint("m", i), "2.0.0", "up_to_date")
		}
		s.advance(time.Hour)
		s.work()
		s.holds("one", "5.0.0", "up_to_date")
		if m := s.instance("one"); m.Version != "5.0.0" {
			t.Errorf("stored version %q, want 5.0.0", m.Version)
		}
	}, quotas(quota.Quotas{ValuesPerGroup: 60}))
}

// Made-up machines that fail or succeed take no more of the caps than others, and
// everything that they leave is bounded by the machines that may register.
func TestHostile_MadeUpMachinesThatFailOrSucceed(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		for minute := range 3 {
			for i := range 100 {
				m := fmt.Sprintf("m%d-%d", minute, i)
				if a := s.check(m, "1.0.0"); a.offered() == "" {
					continue
				}
				if i%2 == 0 {
					s.reports(m, "1.0.0", "13/1", "3/0 10")
				} else {
					s.reports(m, "1.0.0", "13/1", "14/1", "3/1")
					s.check(m, "2.0.0", "3/2 from 1.0.0")
				}
				for range 10 {
					s.check(m, "1.0.0", "3/9 40")
				}
			}
			s.work()
			s.advance(time.Minute)
		}
		n := s.rows()
		// 20 machines per minute; 5 grants in the period.
		if n.machines != 60 || n.attempts > 5 || n.history > 60*20 || n.activities > 60 || n.counts > 60 || n.points > 6*60 {
			t.Errorf("rows %+v", n)
		}
		if got := s.numbers(); got.GrantedInPeriod != 5 {
			t.Errorf("%d grants in the period, want 5", got.GrantedInPeriod)
		}
	}, limit(5, time.Hour), quotas(quota.Quotas{NewMachinesPerAddress: 20, HistoryPerMachine: 20, ValuesPerGroup: 100}))
}
