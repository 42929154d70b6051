package main

import (
	"context"
	"database/sql"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/coreroller/coreroller/fleet"
	"github.com/coreroller/coreroller/fleet/checkin"
	"github.com/coreroller/coreroller/remote/payload"
	"github.com/coreroller/coreroller/rollout"
	"github.com/coreroller/coreroller/store/storetest"
)

const (
	monitoringPage = "../../docs/monitoring.md"
	alertRules     = "../../docs/monitoring/alerts.yml"
)

// Each alert says in the documentation what it means and what to do.
func TestEachAlertHasARunbook(t *testing.T) {
	rules, err := os.ReadFile(alertRules)
	if err != nil {
		t.Fatal(err)
	}
	page, err := os.ReadFile(monitoringPage)
	if err != nil {
		t.Fatal(err)
	}
	alerts := map[string]bool{}
	for _, one := range strings.Split(string(rules), "- alert: ")[1:] {
		name, rest, _ := strings.Cut(one, "\n")
		alerts[name] = true
		if !strings.Contains(string(page), "\n### "+name+"\n") {
			t.Errorf("docs/monitoring.md has no heading %s", name)
		}
		if link := "docs/monitoring.md#" + strings.ToLower(name) + "\n"; strings.Count(rest, link) != 1 {
			t.Errorf("%s has no link to %s", name, link)
		}
	}
	for _, heading := range regexp.MustCompile(`(?m)^### (CoreRoller\w+)$`).FindAllStringSubmatch(string(page), -1) {
		if !alerts[heading[1]] {
			t.Errorf("docs/monitoring.md has %s, which is no alert", heading[1])
		}
	}
	if len(alerts) < 20 {
		t.Errorf("only %d alerts were found", len(alerts))
	}
}

// A real Prometheus reads servers with faults and a healthy one. Each alert fires because
// of a fault, and none for the healthy server.
func TestEachAlertFiresAndNoneWhenAllIsWell(t *testing.T) {
	lookFor(t, "prometheus", "prometheus")
	healthy, well := startHealthy(t)
	faulty, cut := startFaulty(t), startCut(t)
	m := startPrometheus(t, map[string]string{
		"coreroller-healthy": metricsOf(healthy), "coreroller-faulty": metricsOf(faulty.Program), "coreroller-cut": metricsOf(cut.Program), "coreroller-down": freeAddress(t),
	})
	eventually(t, "all metrics are read", func() bool { return len(m.query(`coreroller_build_info`)) == 3 })
	eventually(t, "counters have a value before the faults", func() bool {
		return len(m.query(`count_over_time(coreroller_build_info{job=~".*(cut|faulty)"}[1h]) > 2`)) == 2
	})
	well.promote(t)
	faulty.begin(t)
	cut.begin(t)

	wants := map[string]string{
		"CoreRollerDown": "down", "CoreRollerDatabaseUnusable": "cut", "CoreRollerEventsLost": "cut", "CoreRollerClockWrong": "cut",
		"CoreRollerOverloaded": "cut", "CoreRollerCheckinsFailing": "cut", "CoreRollerCheckinsSlow": "cut", "CoreRollerRequestsFailing": "cut",
		"CoreRollerJobFailing": "cut", "CoreRollerConnectionsFull": "faulty", "CoreRollerDiskLow": "faulty", "CoreRollerDiskFull": "faulty",
		"CoreRollerRetentionBehind": "faulty",
		"CoreRollerJobLate":         "faulty", "CoreRollerRolloutHalted": "faulty", "CoreRollerRolloutStalled": "faulty", "CoreRollerMachinesLost": "faulty",
		"CoreRollerNoCheckins": "faulty", "CoreRollerMirrorFailing": "faulty", "CoreRollerMessagesFailing": "faulty",
		"CoreRollerRebootSlotsOverdue": "faulty", "CoreRollerFirstPassword": "faulty", "CoreRollerAttention": "faulty",
	}
	for _, r := range m.rules() {
		if wants[r.Name] == "" {
			t.Errorf("no fault is made for %s", r.Name)
		}
	}
	missing := func() (all []string) {
		fired := m.fired()
		for alert, job := range wants {
			if !fired[alert+" of coreroller-"+job] {
				all = append(all, alert)
			}
		}
		return all
	}
	began := time.Now()
	for late := began.Add(90 * time.Second); len(missing()) > 0; {
		if time.Now().After(late) {
			t.Fatalf("these alerts did not fire: %s", missing())
		}
		faulty.again(t)
		cut.again(t)
	}
	t.Logf("all alerts fired within %s of the faults", time.Since(began).Round(time.Second))
	for _, r := range m.rules() {
		if r.Health != "ok" {
			t.Errorf("%s: %s", r.Name, r.LastError)
		}
	}
	checkPanels(t, m)
	for _, labels := range m.query(`max_over_time(ALERTS{job="coreroller-healthy",alertstate="firing"}[1h])`) {
		t.Errorf("without a fault: %v", labels)
	}
	for _, expression := range []string{
		`coreroller_decisions_total{job="coreroller-healthy",reason="granted"} > 0`, `coreroller_events_total{job="coreroller-healthy",kind="completed"} > 0`,
		`coreroller_rollouts{job="coreroller-healthy",state="completed"} == 1 or on (job) coreroller_rollout_machines{job="coreroller-healthy",is="succeeded"} > 0`,
		`coreroller_rollouts{job="coreroller-faulty",state="halted"} == 1`, `coreroller_rollout_machines{job="coreroller-faulty",is="lost"} == 1`,
		`coreroller_messages_waiting{job="coreroller-faulty"} > 0`, `coreroller_messages_oldest_age_seconds{job="coreroller-faulty"} > 0`,
	} {
		if len(m.query(expression)) != 1 {
			t.Errorf("not so: %s", expression)
		}
	}
}

// startHealthy starts a server whose machines update without a failure once the group is
// promoted, and check on.
func startHealthy(t *testing.T) (*Program, *testGroup) {
	t.Helper()
	p := NewProgram(Config{Listen: "127.0.0.1:0", DataDir: t.TempDir(), FirstPassword: "a good password"}, discard(), time.Now)
	running(t, p)
	k := newTestGroup(t, p.fleet, p.store, fastPolicy(5))
	machines := startSimulation(t, p.OmahaURL(), 5000, flawlessFleet(20), nil)
	t.Cleanup(func() { machines.stop() })
	return p, k
}

func running(t *testing.T, p *Program) {
	t.Helper()
	if err := p.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := p.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
}

// faults is a server with faults.
type faults struct {
	*Program
	shift atomic.Int64 // of the clock of its host
	hook  *hook
	k     *testGroup

	notifier uuid.UUID
}

func (f *faults) now() time.Time { return time.Now().Add(time.Duration(f.shift.Load())) }

func (f *faults) report(t *testing.T, track, machine, version string, events ...rollout.Event) checkin.Answer {
	t.Helper()
	a, err := f.fleet.Machines.CheckIn(f.k.ctx, checkin.CheckIn{
		AppID: f.k.app.String(), Track: track, Machine: machine, Version: version, Board: "amd64-usr", Events: events, UpdateCheck: len(events) == 0,
	})
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// startFaulty starts a server whose fleet has faults.
func startFaulty(t *testing.T) *faults {
	t.Helper()
	f := &faults{hook: startHook(t)}
	c := Config{Listen: "127.0.0.1:0", DataDir: t.TempDir(), MaxConnections: 30, Disk: Disk{Warn: 2 << 30, Reserve: 1 << 30}}
	c.Web.ListenMetrics, c.Web.MaxConnectionsPerAddress = "127.0.0.1:0", 30
	c.Web.MetricsToken.secret = metricsToken
	c.Notify.To = payload.Sources{Networks: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}}
	c.Payloads.Dir = t.TempDir()
	c.Disk.space = func(dir string) (int64, int64, bool) {
		if dir == c.DataDir {
			return 3 << 29, 1 << 40, true // low
		}
		return 1 << 20, 1 << 40, true // full
	}
	f.Program = NewProgram(c, discard(), f.now)
	running(t, f.Program)
	policy := fastPolicy(5)
	policy.LostAfter, policy.RebootOverdueAfter, policy.RebootSlots = time.Second, time.Second, 1
	f.k = newTestGroup(t, f.fleet, f.store, policy)
	for _, track := range []string{"stalled", "paused"} {
		g, err := f.fleet.CreateGroup(f.k.ctx, fleet.CreateGroup{ApplicationID: f.k.app, Name: track, Track: track, ChannelID: &f.k.channel, Policy: &policy})
		if err != nil {
			t.Fatal(err)
		}
		if track != "paused" {
			continue
		}
		if _, err := f.fleet.PauseUpdates(f.k.ctx, fleet.PauseUpdates{GroupID: g.ID, Reason: "forgotten"}); err != nil {
			t.Fatal(err)
		}
	}
	f.k.promote(t)
	f.report(t, "stalled", "other-build", "2.0.0+other")
	if a := f.report(t, trackName, "lost", "1.0.0"); a.Decision.Reason != rollout.ReasonGranted {
		t.Fatalf("%+v", a.Decision)
	}
	f.report(t, trackName, "lost", "1.0.0", rollout.Event{Type: 13, Result: 1}, rollout.Event{Type: 14, Result: 1}, rollout.Event{Type: 800, Result: 1})
	f.report(t, trackName, "idle", "2.0.0") // later, because the first machine alone would complete the rollout
	rebooting(t, f.Program, f.k, "idle", http.StatusOK)

	upstream := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTeapot) }))
	t.Cleanup(upstream.Close)
	r := remoteUser(t, f.Program, "admin")
	r.run(0, arguments("mirror add hq --url "+upstream.URL+" --channel OS/stable=main --mode notify"))
	for n := 1; n <= 3; n++ {
		r.run(0, arguments("mirror run hq"))
		eventually(t, "the mirror fails", func() bool {
			all := f.fleet.MirrorStates()
			return len(all) == 1 && all[0].Failures >= n
		})
	}
	f.hook.fail(true)
	r.run(0, arguments("webhook create tracker --url "+f.hook.URL+"/in --group production"))
	row, err := f.store.Reader().Notifier.Query().Only(f.k.ctx)
	if err != nil {
		t.Fatal(err)
	}
	f.notifier = row.ID

	eventually(t, "a machine is lost", func() bool { return f.attention(t)["lost_machines"] == 1 })
	r.run(0, []string{"halt", "production", "--reason", "kernel panics"})
	f.shift.Store(int64(25 * time.Hour)) // the pause is forgotten
	eventually(t, "the faults need attention", func() bool {
		all := f.attention(t)
		return all["lost_machines"] == 1 && all["halted"] == 1 && all["stalled"] == 1 && all["reboot_slot_overdue"] == 1 && all["paused"] == 1 && all["default_password"] == 1
	})
	return f
}

func (f *faults) attention(t *testing.T) map[string]int {
	t.Helper()
	all, err := f.fleet.AttentionCounts(f.k.ctx)
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// begin makes the faults that counters show.
func (f *faults) begin(t *testing.T) {
	t.Helper()
	for range 40 {
		c, err := new(net.Dialer).DialContext(t.Context(), "tcp", strings.TrimPrefix(f.URL(), "http://"))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = c.Close() })
	}
	// More old sessions than are deleted at once.
	d, err := sql.Open("sqlite", filepath.Join(f.config.DataDir, databaseFile)+"?_pragma=busy_timeout(20000)")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = d.Close() }()
	if _, err := d.ExecContext(t.Context(), `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n WHERE i < 60000)
		INSERT INTO sessions (token_hash, created_at, expires_at, user_id, address, user_agent)
		SELECT hex(randomblob(16)), 0, (unixepoch() - 864000) * 1000000, (SELECT id FROM users LIMIT 1), '', '' FROM n`); err != nil {
		t.Fatal(err)
	}
}

// again moves the clock: background jobs are late until they run again.
func (f *faults) again(t *testing.T) {
	t.Helper()
	f.shift.Add(int64(2 * time.Hour))
	if _, err := f.fleet.TestNotifier(f.k.ctx, f.notifier); err != nil {
		t.Fatal(err)
	}
}

// startCut starts a server whose database is then lost, on a host whose clock is wrong.
func startCut(t *testing.T) *cutOff {
	t.Helper()
	c := &cutOff{}
	var through string
	c.link, through = newLink(t, storetest.Postgres(t))
	c.shift.Store(int64(time.Hour))
	c.Program = NewProgram(Config{Listen: "127.0.0.1:0", DataDir: t.TempDir(), DatabaseURL: through, DatabaseTimeout: 2 * time.Second}, discard(), c.now)
	running(t, c.Program)
	c.k = newTestGroup(t, c.fleet, c.store, fastPolicy(5))
	c.report(t, trackName, "first", "1.0.0")
	return c
}

// cutOff is a server that loses its database.
type cutOff struct {
	faults
	link *link
	next atomic.Int64
}

// begin stops all bytes between server and database. Then minutes pass.
func (c *cutOff) begin(t *testing.T) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	var machines sync.WaitGroup
	c.link.silence(true)
	for range 3900 { // a little less than what may wait
		machines.Go(func() {
			for ctx.Err() == nil {
				in := checkin.CheckIn{AppID: c.k.app.String(), Track: trackName, Machine: fmt.Sprint("new-", c.next.Add(1)), Version: "1.0.0", Board: "amd64-usr", UpdateCheck: true}
				if _, err := c.fleet.Machines.CheckIn(ctx, in); err != nil {
					pause(ctx, 2*time.Second) // machines come back later
				}
			}
		})
	}
	t.Cleanup(func() { // before the server is closed
		cancel()
		machines.Wait()
		c.link.resume()
	})
	c.shift.Add(int64(2 * time.Minute))
}

// again asks for something that needs the database.
func (c *cutOff) again(t *testing.T) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, c.URL()+"/api/apps", http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	r.SetBasicAuth("admin", "admin")
	if answer, err := http.DefaultClient.Do(r); err == nil {
		_ = answer.Body.Close()
	}
	pause(ctx, time.Second)
}

func pause(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}
