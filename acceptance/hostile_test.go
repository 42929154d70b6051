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

	"github.com/coreroller/coreroller/ent/db/audit"
	"github.com/coreroller/coreroller/ent/db/instance"
	"github.com/coreroller/coreroller/fleet"
	"github.com/coreroller/coreroller/fleet/fault"
	"github.com/coreroller/coreroller/fleet/quota"
	"github.com/coreroller/coreroller/fleet/view"
	"github.com/coreroller/coreroller/fleet/view/machines"
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
		if (a.Kind == view.AttentionRefusals || a.Kind == view.AttentionFailedChecks) && strings.Contains(a.Sentence, text) {
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
	return s.sendFrom(address, s.checking(machine, version))
}

func (s *site) sendFrom(address string, app request) appAnswer {
	s.t.Helper()
	r := httptest.NewRequest(http.MethodPost, "/v1/update/", strings.NewReader(document(app)))
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

// An operator removes made-up machines. Every counter stays exact, which the end of
// each test checks.
func TestHostile_MadeUpMachinesAreForgotten(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		s.grants("real", "1.0.0", "2.0.0")
		s.reports("real", "1.0.0", "13/1")
		s.grants("bad", "1.0.0", "2.0.0")
		s.reports("bad", "1.0.0", "13/1", "3/0 10")
		s.grants("flying", "1.0.0", "2.0.0")
		s.reports("flying", "1.0.0", "13/1")
		for i := range 600 {
			s.check(fmt.Sprint("made-up ", i), "1.9.9")
		}
		for _, m := range []string{"bad", "flying"} {
			s.ok(s.ForgetInstance(s.ctx, fleet.ForgetInstance{ID: s.instanceID(m), Reason: "made up"}))
			if s.instance(m) != nil || len(s.history(m)) > 0 || len(s.attempts(m)) > 0 {
				t.Errorf("%s is still stored", m)
			}
		}
		s.refused(s.ForgetInstance(s.ctx, fleet.ForgetInstance{ID: s.instanceID("bad")}), fault.NotFound)
		s.inFlight(1)
		if n := s.numbers().Funnel; n.Failed != 1 || n.Released != 1 {
			t.Errorf("attempts %+v, want one failed and one interrupted", n)
		}
		_, err := s.ForgetInstances(s.ctx, fleet.ForgetInstances{})
		s.refused(err, fault.Invalid)
		made := machines.Filter{Group: &s.group, Versions: []string{"1.9.9"}}
		done, err := s.ForgetInstances(s.ctx, fleet.ForgetInstances{Filter: made, Reason: "made up"})
		s.ok(err)
		if done.Machines != 600 || done.More {
			t.Errorf("forgotten %+v, want 600 machines", done)
		}
		if n := s.numbers(); n.Total != 1 || s.rows().machines != 1 {
			t.Errorf("numbers %+v, want one machine", n)
		}
		audits, err := s.store.Reader().Audit.Query().Where(audit.VerbIn("forgetInstance", "forgetInstances")).All(s.ctx)
		s.ok(err)
		if len(audits) != 2+3 || audits[0].Actor != operator || audits[0].Reason != "made up" {
			t.Errorf("%d records in the audit, want 5: %+v", len(audits), audits)
		}
		// It comes back as a new machine, also from the idle cache.
		s.advance(time.Hour)
		s.check("made-up 0", "1.9.9")
		if m := s.instance("made-up 0"); m == nil || !m.CreatedAt.Equal(s.clock.Now()) {
			t.Errorf("after its next check it is %+v", m)
		}
		s.check("bad", "1.0.0")
		if m := s.instance("bad"); m == nil || m.Failures != 0 || m.LastOutcome != 0 {
			t.Errorf("after its next check it is %+v", m)
		}
	}, limit(3, 15*time.Minute))
}

// Many addresses together register as many machines as the group allows, and events
// of unknown machines leave nothing.
func TestHostile_ManyAddressesAndEventsOfUnknownMachines(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		for i := range 200 {
			s.from(fmt.Sprintf("198.51.100.%d", i), fmt.Sprint("m", i), "3.0.0")
		}
		before := s.rows()
		if before.machines != 50 {
			t.Errorf("%d machines, want 50", before.machines)
		}
		for i := range 200 {
			s.reports(fmt.Sprint("unknown ", i), "1.0.0", "3/0 10", "3/1", "3/2 from 1.0.0", "800/1")
		}
		if after := s.rows(); after != before {
			t.Errorf("rows %+v, before %+v", after, before)
		}
	}, quotas(quota.Quotas{NewMachinesPerAddress: 10, NewMachinesPerGroup: 50}))
}

// A machine that goes back and forth between groups takes no slots and writes little.
func TestHostile_MachineThatChangesGroups(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		s.newGroup("H", "u", casePolicy())
		for i := range 100 {
			r := s.checking("m", "1.0.0")
			r.track = []string{"t", "u"}[i%2]
			s.ask(r)
		}
		// Each group grants 2 updates in the period.
		if n := s.rows(); n.machines != 1 || n.attempts > 4 || n.history > 21 || n.activities > 10 {
			t.Errorf("rows %+v", n)
		}
	}, quotas(quota.Quotas{HistoryPerMachine: 20}))
}

// A machine that goes back and forth between two versions adds little to the activity.
func TestHostile_FlappingMachineWritesFewActivities(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		s.grants("m", "1.0.0", "2.0.0")
		for range 200 {
			s.check("m", "2.0.0")
			s.check("m", "1.0.0")
		}
		if n := s.rows(); n.activities > 50 || n.attempts > 2 || n.history > 31 {
			t.Errorf("%+v", n)
		}
		if v := s.instance("m").QuarantinedVersion; v != "2.0.0" {
			t.Errorf("quarantined from %q", v)
		}
		s.recount()
	}, quotas(quota.Quotas{HistoryPerMachine: 30}))
}
