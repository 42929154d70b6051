package acceptance

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/coreroller/coreroller/ent/db"
	"github.com/coreroller/coreroller/ent/db/historyentry"
	"github.com/coreroller/coreroller/ent/db/rebootslot"
	"github.com/coreroller/coreroller/fleet"
	"github.com/coreroller/coreroller/fleet/fault"
	"github.com/coreroller/coreroller/fleet/quota"
	"github.com/coreroller/coreroller/fleet/reboot"
	"github.com/coreroller/coreroller/rollout"
	"github.com/coreroller/coreroller/rollout/calendar"
	"github.com/coreroller/coreroller/store/storetest"
)

// slots coordinates the reboots of G.
func slots(n int) option { return withPolicy(func(p *rollout.Policy) { p.RebootSlots = n }) }

// lockAnswer is the answer to a request of FleetLock.
type lockAnswer struct {
	code        int
	header      http.Header
	Kind, Value string
}

// locking makes a request of a client as the protocol requires.
func locking(path, group, id string) *http.Request {
	r := httptest.NewRequest(http.MethodPost, "http://server.example/v1/"+path, strings.NewReader(fmt.Sprintf(`{"client_params": {"id": %q, "group": %q}}`, id, group)))
	r.Header.Set("fleet-lock-protocol", "true")
	return r
}

func (s *site) lock(r *http.Request) (a lockAnswer) {
	s.t.Helper()
	w := httptest.NewRecorder()
	s.handler.ServeHTTP(w, r)
	if err := json.Unmarshal(w.Body.Bytes(), &a); err != nil || a.Kind == "" || a.Value == "" {
		s.t.Errorf("%s is answered %d %q, want kind and value", r.URL, w.Code, w.Body)
	}
	a.code, a.header = w.Code, w.Header()
	return a
}

// reboots asks for a slot of G and expects it.
func (s *site) reboots(id string) {
	s.t.Helper()
	if a := s.lock(locking("pre-reboot", s.group.String(), id)); a.code != http.StatusOK {
		s.t.Errorf("%s may not reboot: %+v", id, a)
	}
}

// waits asks for a slot of G and expects a refusal with a kind and these texts.
func (s *site) waits(id, kind string, texts ...string) {
	s.t.Helper()
	a := s.lock(locking("pre-reboot", s.group.String(), id))
	if a.code != http.StatusConflict || a.Kind != kind || a.header.Get("Retry-After") == "" {
		s.t.Errorf("%s is answered %+v, want %s", id, a, kind)
	}
	for _, text := range texts {
		if !strings.Contains(a.Value, text) {
			s.t.Errorf("%s is answered %q, want %q", id, a.Value, text)
		}
	}
}

// steady gives the slot of a client in G back.
func (s *site) steady(id string) {
	s.t.Helper()
	if a := s.lock(locking("steady-state", s.group.String(), id)); a.code != http.StatusOK {
		s.t.Errorf("steady-state of %s is answered %+v", id, a)
	}
}

func (s *site) slotOf(id string) *db.RebootSlot {
	s.t.Helper()
	row, err := s.store.Reader().RebootSlot.Query().Where(rebootslot.LockID(id)).Only(s.ctx)
	if db.IsNotFound(err) {
		return nil
	}
	s.ok(err)
	return row
}

func TestRebootSlots(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		s.steady("a") // before it ever had a slot
		s.reboots("a")
		s.reboots("b")
		s.reboots("a") // the answer got lost: no second slot
		s.waits("c", "slots_full", "group G: 2 of 2 reboot slots are held: a since 2026-03-02 10:00:00 UTC, b since")
		s.steady("c") // holds nothing, and takes nothing from others
		s.waits("c", "slots_full")
		s.steady("a")
		s.steady("a")
		s.reboots("c")
		s.waits("a", "slots_full")
		if row := s.slotOf("a"); row == nil || row.TakenAt != nil || row.Reason != "slots_full" {
			t.Errorf("a waits as %+v", row)
		}
		s.policy(func(p *rollout.Policy) { p.RebootSlots = 3 })
		s.reboots("a")
		s.policy(func(p *rollout.Policy) { p.RebootSlots = 0 })
		s.reboots("a")
		s.waits("d", "not_coordinated")
		for _, id := range []string{"a", "b", "c"} {
			s.steady(id)
		}
		if n, err := s.store.Reader().RebootSlot.Query().Count(s.ctx); n != 0 || err != nil {
			t.Errorf("%d rows are left, %v", n, err)
		}
	}, slots(2))
}

// What holds the next reboot, and that steady-state works meanwhile.
func TestRebootsAreHeld(t *testing.T) {
	variants(t, map[string]struct {
		hold func(s *site)
		kind string
		text string
	}{
		"paused": {func(s *site) { s.pause("audit") }, "paused", "by olga: audit"},
		"halted": {func(s *site) { s.halt("smoke") }, "halted", "smoke"},
		"the window closes": {func(s *site) {
			s.policy(func(p *rollout.Policy) {
				p.RebootWindows = []calendar.Window{{Days: []time.Weekday{time.Monday}, Start: 9 * 60, End: 11 * 60}}
			})
			s.reboots("inside")
			s.steady("inside")
			s.advance(time.Hour)
		}, "outside_window", "opens at 2026-03-09 09:00:00 UTC"},
		"frozen": {func(s *site) {
			s.policy(func(p *rollout.Policy) {
				p.Freezes = []calendar.Freeze{{From: begin, Until: begin.Add(24 * time.Hour), Reason: "year end"}}
			})
		}, "frozen", "year end until 2026-03-03 10:00:00 UTC"},
	}, func(_ *testing.T, s *site, c struct {
		hold func(s *site)
		kind string
		text string
	},
	) {
		s.clock.Set(begin)
		s.grants("m", "1.0.0", "2.0.0") // starts the rollout
		s.reboots("holder")
		c.hold(s)
		s.reboots("holder")
		s.waits("other", c.kind, c.text)
		s.steady("other")
		s.steady("holder")
		s.waits("holder", c.kind)
	}, slots(2))
}

// A holder that dies is overdue, stops further reboots, and is released by a person.
func TestOverdueHolderIsReleasedByAPerson(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		s.grants("m", "1.0.0", "2.0.0")
		s.reports("m", "1.0.0", "13/1", "14/1", "3/1")
		s.reboots("m")
		s.advance(59 * time.Minute)
		s.work()
		s.activityCount(rollout.ActivityRebootSlotOverdue, 0)
		s.reboots("other")
		s.steady("other")
		s.advance(time.Minute)
		s.work()
		s.work()
		s.activityCount(rollout.ActivityRebootSlotOverdue, 1)
		if a := s.activities(rollout.ActivityRebootSlotOverdue)[0]; a.MachineID != "m" || !strings.Contains(a.Detail, "since 2026-03-02 10:00:00") {
			t.Errorf("%+v", a)
		}
		uses, err := s.Reboots.Uses(s.ctx)
		if want := (reboot.Use{Application: s.app.String(), Group: s.group.String(), Limit: 2, Held: 1, Overdue: 1}); err != nil || len(uses) != 1 || uses[0] != want {
			t.Errorf("slots in the metrics %+v %v, want %+v", uses, err, want)
		}
		s.waits("other", "overdue_holder", "1 reboot slot overdue: m since")
		release := func(id string) error {
			_, err := s.ReleaseRebootSlot(s.ctx, fleet.ReleaseRebootSlot{GroupID: s.group, ID: id, Reason: "burnt"})
			return err
		}
		s.refused(release("nothing"), fault.NotFound)
		s.refused(release("other"), fault.Conflict)
		s.ok(release("m"))
		s.activityCount(rollout.ActivityRebootSlotReleased, 1)
		if a := s.activities(rollout.ActivityRebootSlotReleased)[0]; a.MachineID != "m" || a.Actor != operator || !strings.Contains(a.Detail, "burnt") {
			t.Errorf("%+v", a)
		}
		s.reboots("other")
	}, slots(2))
}

// The policy releases the slot of a holder that died, which still counts until it is
// back.
func TestOverdueHolderIsReleasedByThePolicy(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		s.reboots("a")
		s.advance(3 * time.Hour)
		s.work()
		if row := s.slotOf("a"); row.TakenAt != nil || row.LostAt == nil {
			t.Fatalf("%+v", row)
		}
		s.activityCount(rollout.ActivityRebootSlotReleased, 1)
		s.reboots("b")
		s.advance(3 * time.Hour)
		s.work()
		s.waits("c", "overdue_holder", "2 machines did not come back")
		s.reboots("a") // it is back, so only b is missing
		s.waits("c", "slots_full")
		s.steady("a")
		s.reboots("c")
	}, slots(1), withPolicy(func(p *rollout.Policy) { p.RebootOverdueLimit, p.RebootReleaseAfter = 2, 2*time.Hour }))
}

// A machine that comes back with another version needs its slot no more, even if its
// client does not say so.
func TestSlotEndsWithTheNewVersion(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		s.grants("m", "1.0.0", "2.0.0")
		s.reports("m", "1.0.0", "13/1", "14/1", "3/1")
		s.waits("n", "not_coordinated")
		s.policy(func(p *rollout.Policy) { p.RebootSlots = 1 })
		s.reboots("m")
		s.waits("n", "slots_full")
		s.work()
		s.waits("n", "slots_full")
		s.advance(time.Minute)
		s.holds("m", "2.0.0", "up_to_date")
		s.work()
		s.reboots("n")
		texts := s.lastDetails("m")
		for _, want := range []string{"reboot slot 1 of 1 is granted", "was seen on 2.0.0"} {
			if !strings.Contains(texts, want) {
				t.Errorf("the history of m is %q, want %q", texts, want)
			}
		}
	})
}

func (s *site) lastDetails(machine string) string {
	s.t.Helper()
	rows, err := s.store.Reader().HistoryEntry.Query().Where(historyentry.InstanceID(s.instanceID(machine))).Order(historyentry.ByID()).All(s.ctx)
	s.ok(err)
	var all []string
	for _, row := range rows {
		all = append(all, row.Detail)
	}
	return strings.Join(all, "\n")
}

// The request shapes of Zincati, of the Flatcar client and of people with curl.
func TestFleetLockRequests(t *testing.T) {
	const machine = "3d1219c7c4c5404aaa1f6d2a48adfda4"
	derived, _ := reboot.Derived(machine)
	each(t, func(t *testing.T, s *site) {
		s.check(machine, "2.0.0")
		s.check("{3D1219C7-0000-4000-8000-6D2A48ADFDA4}", "2.0.0")
		edit := func(id string, change func(r *http.Request)) *http.Request {
			r := locking("pre-reboot", "t", id)
			change(r)
			return r
		}
		body := func(text string) *http.Request {
			r := httptest.NewRequest(http.MethodPost, "/v1/pre-reboot", strings.NewReader(text))
			r.Header.Set("fleet-lock-protocol", "true")
			return r
		}
		for name, c := range map[string]struct {
			r    *http.Request
			code int
			kind string
		}{
			"zincati": {body("{\n  \"client_params\": {\n    \"group\": \"t\",\n    \"id\": \"" + derived + "\"\n  }\n}"), 200, "success"},
			"flatcar, doubled slash": {edit("f", func(r *http.Request) {
				r.URL.Path = "//v1/pre-reboot"
				r.Header.Set("Content-Type", "application/json")
			}), 200, "success"},
			"curl":                    {edit("c", func(r *http.Request) { r.Header.Set("Content-Type", "application/x-www-form-urlencoded") }), 200, "success"},
			"below fleetlock":         {edit("p", func(r *http.Request) { r.URL.Path = "/fleetlock//v1/pre-reboot/" }), 200, "success"},
			"group by id":             {locking("pre-reboot", s.group.String(), "i"), 200, "success"},
			"group by name":           {locking("pre-reboot", "g", "n"), 200, "success"},
			"group of the machine":    {locking("pre-reboot", "default", machine), 200, "success"},
			"machine with dashes":     {locking("pre-reboot", "default", "3d1219c7-0000-4000-8000-6d2a48adfda4"), 200, "success"},
			"further keys":            {body(`{"x": 1, "client_params": {"id": "k", "group": "t", "y": []}}`), 200, "success"},
			"unknown group":           {locking("pre-reboot", "nowhere", "u"), 404, "unknown_group"},
			"steady, unknown group":   {locking("steady-state", "nowhere", "u"), 200, "success"},
			"no header":               {edit("h", func(r *http.Request) { r.Header.Del("fleet-lock-protocol") }), 400, "missing_header"},
			"another value":           {edit("h", func(r *http.Request) { r.Header.Set("fleet-lock-protocol", "True") }), 400, "missing_header"},
			"GET":                     {edit("h", func(r *http.Request) { r.Method = http.MethodGet }), 405, "method_not_allowed"},
			"of another site":         {edit("h", func(r *http.Request) { r.Header.Set("Sec-Fetch-Site", "cross-site") }), 403, "forbidden"},
			"wrong secret of the URL": {edit("h", func(r *http.Request) { r.URL.Path = "/wrong/v1/pre-reboot" }), 404, "not_found"},
			"no JSON":                 {body("id=1"), 400, "bad_request"},
			"no parameters":           {body("{}"), 400, "bad_request"},
			"number as id":            {body(`{"client_params": {"id": 1, "group": "t"}}`), 400, "bad_request"},
			"no id":                   {locking("pre-reboot", "t", ""), 400, "bad_request"},
			"long id":                 {locking("pre-reboot", "t", strings.Repeat("x", 254)), 400, "bad_request"},
			"deceptive id":            {locking("pre-reboot", "t", "a\u202eb"), 400, "bad_request"},
			"no group":                {locking("pre-reboot", "", "x"), 400, "invalid_group"},
			"group with a slash":      {locking("pre-reboot", "a/b", "x"), 400, "invalid_group"},
			"large":                   {body(`{"client_params": {"id": "k", "group": "t", "y": "` + strings.Repeat("x", 20_000) + `"}}`), 413, "too_large"},
		} {
			if a := s.lock(c.r); a.code != c.code || a.Kind != c.kind {
				t.Errorf("%s: %+v, want %d %s", name, a, c.code, c.kind)
			}
		}
		for id, want := range map[string]string{machine: machine, "3d1219c7-0000-4000-8000-6d2a48adfda4": "{3D1219C7-0000-4000-8000-6D2A48ADFDA4}"} {
			if row := s.slotOf(id); row.InstanceID == nil || *row.InstanceID != s.instanceID(want) {
				t.Errorf("%s is the machine %v, want %s", id, row.InstanceID, want)
			}
		}
		if row := s.slotOf(derived); row.InstanceID != nil {
			t.Errorf("%s was matched at once", derived)
		}
		s.work()
		if row := s.slotOf(derived); row.InstanceID == nil || *row.InstanceID != s.instanceID(machine) {
			t.Errorf("%s is the machine %v, want %s", derived, row.InstanceID, machine)
		}
	}, slots(20))
}

// A client holds one slot, also when its group changes.
func TestClientThatChangesGroupsHoldsOneSlot(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		p := casePolicy()
		p.RebootSlots = 1
		s.newGroup("H", "h", p)
		s.reboots("a")
		s.reboots("b")
		if a := s.lock(locking("pre-reboot", "h", "a")); a.code != http.StatusOK {
			t.Errorf("%+v", a)
		}
		s.reboots("c")
		if a := s.lock(locking("pre-reboot", "h", "b")); a.Kind != "slots_full" {
			t.Errorf("%+v", a)
		}
		s.waits("d", "slots_full", "b since", "c since") // b keeps its slot until the other group grants one
		s.steady("a")                                    // it holds a slot of H
		if a := s.lock(locking("pre-reboot", "h", "b")); a.code != http.StatusOK {
			t.Errorf("%+v", a)
		}
		s.reboots("d")
	}, slots(2))
}

func TestRebootSlotsNeedTheSecretOfTheGroup(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		text, _ := s.secret("racks", ofGroup(s.group))
		s.require(s.group, true)
		with := func(path string, change func(r *http.Request)) lockAnswer {
			r := locking(path, "t", "m")
			change(r)
			return s.lock(r)
		}
		none := func(*http.Request) {}
		for _, path := range []string{"pre-reboot", "steady-state"} {
			if a := with(path, none); a.code != http.StatusForbidden || a.Kind != "forbidden" {
				t.Errorf("%s without a secret: %+v", path, a)
			}
			for name, change := range map[string]func(r *http.Request){
				"path":     func(r *http.Request) { r.URL.Path = "/fleetlock/" + text + r.URL.Path },
				"password": func(r *http.Request) { r.SetBasicAuth("zincati", text) },
				"bearer":   func(r *http.Request) { r.Header.Set("Authorization", "Bearer "+text) },
			} {
				if a := with(path, change); a.code != http.StatusOK {
					t.Errorf("%s with a secret in the %s: %+v", path, name, a)
				}
			}
		}
	}, slots(1))
}

// Ids that are made up take no room without limit.
func TestMadeUpClientsAreLimited(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		s.check("known", "2.0.0")
		for i := range 10 {
			s.lock(locking("pre-reboot", "t", fmt.Sprint("x", i)))
		}
		if n := s.store.Reader().RebootSlot.Query().CountX(s.ctx); n != 3 {
			t.Errorf("%d rows, want 3", n)
		}
		s.waits("x9", "slots_full")
		s.waits("known", "slots_full")
		if s.slotOf("known") == nil {
			t.Error("a known machine has no row")
		}
		s.steady("x0")
		if a := s.lock(locking("pre-reboot", "t", "x9")); a.code != http.StatusServiceUnavailable {
			t.Errorf("a slot without a row: %+v", a)
		}
		s.advance(25 * time.Hour)
		s.work()
		if s.slotOf("x1") != nil || s.slotOf("known") != nil {
			t.Error("silent clients are kept")
		}
	}, slots(1), quotas(quota.Quotas{NewMachinesPerAddress: 3}))
}

// 40 clients ask 4 processes on one PostgreSQL for 5 slots until all have rebooted.
// Never do more than 5 hold one.
func TestP1_RebootSlotsAreExactAcrossProcesses(t *testing.T) {
	const (
		processes = 4
		clients   = 40
		most      = 5
	)
	s := start(t, storetest.Postgres(t), slots(most))
	addresses := make([]string, processes)
	for i := range addresses {
		addresses[i], _ = process(t, s.url, begin)
	}
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: clients}}
	t.Cleanup(client.CloseIdleConnections)
	var held, peak, refused atomic.Int64
	ask := func(server int, path, id string) int {
		r := locking(path, "t", id)
		out, err := http.NewRequestWithContext(t.Context(), r.Method, addresses[server%processes]+r.URL.Path, r.Body)
		if err != nil {
			t.Error(err)
			return 0
		}
		out.Header = r.Header
		w, err := client.Do(out)
		if err != nil {
			t.Error(err)
			return 0
		}
		defer w.Body.Close()
		return w.StatusCode
	}
	var mu sync.Mutex // orders the count with the answers of others
	atOnce(clients, func(i int) {
		id := fmt.Sprint("m", i)
		for try := i; ; try++ {
			switch code := ask(try, "pre-reboot", id); code {
			case http.StatusOK:
				mu.Lock()
				if n := held.Add(1); n > peak.Load() {
					peak.Store(n)
				}
				mu.Unlock()
				if code := ask(try+1, "pre-reboot", id); code != http.StatusOK { // asked again elsewhere
					t.Errorf("a holder is answered %d", code)
				}
				held.Add(-1) // before it is given back, so that the count is never too high
				if code := ask(try+2, "steady-state", id); code != http.StatusOK {
					t.Errorf("steady-state is answered %d", code)
				}
				return
			case http.StatusConflict:
				refused.Add(1)
			default:
				t.Errorf("pre-reboot is answered %d", code)
				return
			}
		}
	})
	if peak.Load() > most || peak.Load() < 2 || refused.Load() == 0 {
		t.Errorf("%d clients held a slot at once, %d were refused", peak.Load(), refused.Load())
	}
	if n := s.store.Reader().RebootSlot.Query().CountX(s.ctx); n != 0 {
		t.Errorf("%d rows are left", n)
	}
}
