package acceptance

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/coreroller/coreroller/fleet"
	"github.com/coreroller/coreroller/fleet/disk"
	"github.com/coreroller/coreroller/fleet/view"
	"github.com/coreroller/coreroller/omaha"
	"github.com/coreroller/coreroller/rollout"
	web "github.com/coreroller/coreroller/server"
)

// When the disk is nearly full, new machines get 503 and come back, known machines and
// people go on, and the dashboard, the metrics and /readyz show why.
func TestNearlyFullDiskRefusesNewMachinesOnly(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		var free atomic.Int64
		free.Store(1 << 30)
		f, err := fleet.New(s.ctx, fleet.Options{Store: s.store, Now: s.clock.Now, Disk: disk.New(disk.Options{
			Folders: []disk.Folder{{Name: "data", Dir: "/srv", Machines: true}}, Bounds: disk.Bounds{Warn: 2000, Reserve: 1000},
			Space: func(string) (int64, int64, bool) { return free.Load(), 1 << 40, true },
		})})
		s.ok(err)
		defer f.Close()
		h := web.New(web.Options{Fleet: f, Store: s.store, Omaha: omaha.NewHandler(f.Machines, omaha.Options{Now: s.clock.Now}), Now: s.clock.Now})
		defer h.Close()
		ask := func(app request) *answer {
			t.Helper()
			a, err := serve(h, httptest.NewRequest(http.MethodPost, "/v1/update/", strings.NewReader(document(app))))
			s.ok(err)
			return a
		}
		attention := func() (severities []rollout.Severity) {
			t.Helper()
			s.ok(f.Upkeep.Work(s.ctx)) // looks at the disk
			all, err := f.View.Attention(s.ctx)
			s.ok(err)
			for _, a := range all {
				if a.Kind == view.AttentionDisk {
					severities = append(severities, a.Severity)
				}
			}
			return severities
		}
		page := func(path string) string {
			w := httptest.NewRecorder()
			h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, http.NoBody))
			if w.Code != http.StatusOK {
				t.Errorf("%s: %d %s", path, w.Code, w.Body)
			}
			return w.Body.String()
		}
		a := ask(s.checking("known", "1.0.0"))
		if all := attention(); a.code != http.StatusOK || len(all) > 0 || page("/readyz") != "ok\n" {
			t.Fatalf("with room: %d, attention %v", a.code, all)
		}
		free.Store(1500)
		if all := attention(); len(all) != 1 || all[0] != rollout.SeverityWarning {
			t.Errorf("attention %v", all)
		}
		if a := ask(s.checking("new-1", "2.0.0")); a.code != http.StatusOK {
			t.Errorf("a new machine above the reserve: %d", a.code)
		}

		free.Store(999)
		if all := attention(); len(all) != 1 || all[0] != rollout.SeverityError {
			t.Errorf("attention %v", all)
		}
		if a := ask(s.checking("new-2", "2.0.0")); a.code != http.StatusServiceUnavailable || a.header.Get("Retry-After") != "300" {
			t.Errorf("a new machine: %d %v %s", a.code, a.header, a.body)
		}
		a = ask(s.checking("known", "1.0.0", "3/1"))
		if a.code != http.StatusOK {
			t.Errorf("an event of a known machine: %d %s", a.code, a.body)
		}
		for id, code := range map[string]int{"new-3": http.StatusServiceUnavailable, "known": http.StatusOK} {
			w := httptest.NewRecorder()
			h.ServeHTTP(w, locking("pre-reboot", s.group.String(), id))
			if w.Code != code {
				t.Errorf("a reboot slot for %s: %d %s", id, w.Code, w.Body)
			}
		}
		_, err = f.PauseUpdates(s.ctx, fleet.PauseUpdates{GroupID: s.group, Reason: "the disk is full"})
		s.ok(err)
		if text := page("/readyz"); !strings.Contains(text, "999 B free") || !strings.HasPrefix(text, "ok\n") {
			t.Errorf("/readyz: %q", text)
		}
		metrics := page("/metrics")
		for _, line := range []string{`coreroller_disk_free_bytes{folder="data"} 999`, `coreroller_disk_reserve_bytes{folder="data"} 1000`, "coreroller_disk_refused_machines_total 2"} {
			if !strings.Contains(metrics, "\n"+line+"\n") {
				t.Errorf("the metrics lack %s", line)
			}
		}
		free.Store(5000)
		if all := attention(); len(all) > 0 {
			t.Errorf("attention %v", all)
		}
		if a := ask(s.checking("new-2", "2.0.0")); a.code != http.StatusOK {
			t.Errorf("a new machine, with room again: %d", a.code)
		}
		if n := s.numbers().Total; n != 3 {
			t.Errorf("%d machines are stored", n)
		}
	}, slots(1))
}
