package acceptance

import (
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coreroller/coreroller/ent/db"
	"github.com/coreroller/coreroller/fleet"
	"github.com/coreroller/coreroller/fleet/view"
)

// refusedRows writes and returns the refused requests, the last seen first.
func (s *site) refusedRows() []*db.RefusedRequest {
	s.t.Helper()
	s.work()
	rows, err := s.View.RefusedRequests().Rows(s.ctx, 2000)
	s.ok(err)
	return rows
}

func TestRefusedRequestsAreCountedByWhatTheyName(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		post := func(path, body string) {
			t.Helper()
			r := httptest.NewRequest(http.MethodPost, path, strings.NewReader(body))
			r.RemoteAddr = "198.51.100.7:4000"
			_, err := serve(s.handler, r)
			s.ok(err)
		}
		send := func(change func(r *request)) {
			t.Helper()
			r := s.checking("m", "1.0.0")
			r.attrs = map[string]string{"board": "amd64-usr"}
			change(&r)
			post("/v1/update/", document(r))
		}
		unknown := "0d0d0d0d-0000-4000-8000-000000000000"
		app := s.app.String()
		steps := []struct {
			want string // reason, app, track, version and board
			do   func()
		}{
			{"unknown_track " + app + " prod 1.0.0 amd64-usr", func() { send(func(r *request) { r.track = ` "prod"` }) }},
			{"unknown_track " + app + " t 1.0.0 riscv", func() { send(func(r *request) { r.attrs["board"] = "riscv" }) }},
			{"unknown_application " + unknown + " t 1.0.0 amd64-usr", func() { send(func(r *request) { r.app = unknown }) }},
			{"no_application  t 1.0.0 amd64-usr", func() { send(func(r *request) { r.app = "" }) }},
			{"invalid_version " + app + " t 1.2 amd64-usr", func() { send(func(r *request) { r.version = "1.2" }) }},
			{"invalid_machine " + app + " t 1.0.0 amd64-usr", func() { send(func(r *request) { r.machine = "" }) }},
			{"unreadable    ", func() { post("/v1/update/", "<request") }},
			{"too_large    ", func() { post("/v1/update/", strings.Repeat(" ", 64<<10+1)) }},
			{"wrong_path    ", func() { post("/v1/update/stable", document(s.checking("m", "1.0.0"))) }},
		}
		for _, step := range steps {
			for range 2 {
				s.advance(time.Second)
				step.do()
			}
		}
		check := func(each int64) {
			t.Helper()
			rows := s.refusedRows()
			if len(rows) != len(steps) {
				t.Fatalf("%d rows, want %d: %v", len(rows), len(steps), rows)
			}
			for i, step := range steps {
				r := rows[len(rows)-1-i]
				got := strings.Join([]string{r.Reason, r.App, r.Track, r.Version, r.Board}, " ")
				if got != step.want || r.Requests != each || r.Address != "198.51.100.7" || !r.FirstSeenAt.Before(r.LastSeenAt) {
					t.Errorf("row %+v, want %q", r, step.want)
				}
			}
		}
		check(2)
		for _, step := range steps {
			s.advance(time.Second)
			step.do()
		}
		check(3) // added to the rows
		check(3) // and only once
		for reason, n := range s.Machines.RefusedRequests() {
			want := map[string]int64{"unknown_track": 6, "secret_missing": 0}
			if strings.HasPrefix(reason, "machine_secret_") || strings.HasPrefix(reason, "certificate_") {
				want[reason] = 0 // see machine_secrets_test.go and machine_certificates_test.go
			}
			if w, ok := want[reason]; n != w && ok || !ok && n != 3 {
				t.Errorf("%d requests refused for %s", n, reason)
			}
		}
		// A request that is served is not counted.
		s.check("m", "1.0.0")
		check(3)
	})
}

func TestMissingSecretIsCounted(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		s.omaha.Secret = "s3cret"
		s.join()
		guarded := s.on(1)
		for _, path := range []string{"/v1/update/", "/omaha/wrong", "/v1/update/s3cret"} {
			guarded.post(path, document(s.checking("m", "1.0.0")))
		}
		if rows := guarded.refusedRows(); len(rows) != 1 || rows[0].Reason != "secret_missing" || rows[0].Requests != 2 {
			t.Errorf("refused: %v", rows)
		}
	})
}

func TestRefusedRequestsAreBounded(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		name := func(from, until int) {
			for i := from; i < until; i++ {
				s.clock.Advance(time.Millisecond)
				s.ask(s.asking(fmt.Sprint("track", i), "m", "1.0.0"))
			}
		}
		name(0, 1100) // more than memory keeps
		rows := s.refusedRows()
		if len(rows) != 1000 || rows[0].Track != "track1099" || rows[999].Track != "track100" {
			t.Fatalf("%d rows, the first %+v", len(rows), rows[0])
		}
		name(100, 101) // the oldest one is seen again
		name(2000, 2010)
		rows = s.refusedRows()
		if len(rows) != 1000 || rows[0].Track != "track2009" || rows[10].Track != "track100" || rows[10].Requests != 2 || rows[999].Track != "track111" {
			t.Errorf("%d rows, %+v, the last %+v", len(rows), rows[10], rows[len(rows)-1])
		}
		long := strings.Repeat("x", 5000)
		s.ask(s.asking(long, "m", "1.0.0"))
		if row := s.refusedRows()[0]; len(row.Track) == 0 || len(row.Track) > 256 {
			t.Errorf("a track of %d bytes was stored", len(row.Track))
		}
	})
}

func TestReplicasCountRefusedRequestsTogether(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		var wg sync.WaitGroup
		for i := range s.servers {
			wg.Go(func() {
				for k := range 50 {
					s.on(i).ask(s.asking(fmt.Sprint("track", k%5), "m", "1.0.0"))
					if err := s.servers[i].Machines.FlushRefused(s.ctx); err != nil {
						t.Error(err)
					}
				}
			})
		}
		wg.Wait()
		rows := s.refusedRows()
		if len(rows) != 5 {
			t.Fatalf("%d rows, want 5", len(rows))
		}
		for _, r := range rows {
			if want := int64(10 * len(s.servers)); r.Requests != want {
				t.Errorf("%s: %d requests, want %d", r.Track, r.Requests, want)
			}
		}
	}, servers(3))
}

func TestRefusedRequestsAreLoggedOncePerMinute(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		var text strings.Builder
		log := slog.New(slog.NewTextHandler(&text, nil))
		service, err := fleet.New(s.ctx, fleet.Options{Store: s.store, Now: s.clock.Now, Log: log})
		s.ok(err)
		t.Cleanup(service.Close)
		refuse := func() {
			for range 3 {
				service.Machines.RefusePath("198.51.100.7")
			}
		}
		refuse()
		s.advance(59 * time.Second)
		refuse()
		if n := strings.Count(text.String(), "refused a request"); n != 1 {
			t.Errorf("%d log lines in a minute: %s", n, &text)
		}
		s.advance(time.Second)
		refuse()
		lines := strings.Split(strings.TrimSpace(text.String()), "\n")
		if len(lines) != 2 || !strings.Contains(lines[1], "level=WARN") || !strings.Contains(lines[1], "reason=wrong_path") ||
			!strings.Contains(lines[1], "address=198.51.100.7") || !strings.Contains(lines[1], "not_logged=5") {
			t.Errorf("log: %s", &text)
		}
	})
}

func TestUnknownTracksNeedAttentionUntilAGroupHasThem(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		reported := func() (all []string) {
			t.Helper()
			s.work()
			list, err := s.View.Attention(s.ctx)
			s.ok(err)
			for _, a := range list {
				if a.Kind == view.AttentionUnknownTrack {
					all = append(all, a.Sentence)
				}
			}
			return all
		}
		foreign := s.asking("prod", "m", "1.0.0")
		foreign.app = "0d0d0d0d-0000-4000-8000-000000000000"
		s.ask(foreign)
		if all := reported(); len(all) != 0 {
			t.Errorf("a request for an unknown application needs attention: %v", all)
		}
		s.ask(s.asking("prod", "m", "1.0.0"))
		if all := reported(); len(all) != 1 || all[0] != `machines ask for 1 track that no group has, such as "prod"` {
			t.Errorf("attention: %v", all)
		}
		_, err := s.UpdateGroup(s.ctx, fleet.UpdateGroup{ID: s.group, Aliases: []string{"prod"}})
		s.ok(err)
		if all := reported(); len(all) != 0 {
			t.Errorf("the alias exists, still: %v", all)
		}
		s.ask(s.asking("other", "m", "1.0.0"))
		s.advance(25 * time.Hour)
		if all := reported(); len(all) != 0 {
			t.Errorf("a day later: %v", all)
		}
	})
}
