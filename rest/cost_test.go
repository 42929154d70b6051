package rest_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"runtime"
	"runtime/metrics"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"entgo.io/ent"
	"github.com/google/uuid"

	"github.com/coreroller/coreroller/ent/db/audit"
	"github.com/coreroller/coreroller/ent/db/groupcount"
	"github.com/coreroller/coreroller/fleet"
	"github.com/coreroller/coreroller/fleet/account"
	"github.com/coreroller/coreroller/fleet/catalog"
	"github.com/coreroller/coreroller/rollout"
	"github.com/coreroller/coreroller/store"
	"github.com/coreroller/coreroller/store/storetest"
)

// statements counts the statements of the read-only client.
func (s *site) statements() func() int64 {
	var n atomic.Int64
	s.store.Reader().Intercept(ent.InterceptFunc(func(next ent.Querier) ent.Querier {
		return ent.QuerierFunc(func(ctx context.Context, q ent.Query) (ent.Value, error) {
			n.Add(1)
			return next.Query(ctx, q)
		})
	}))
	return func() int64 { return n.Swap(0) }
}

// more creates an application with n packages, channels and groups.
func (s *site) more(name string, n int) (app uuid.UUID, group uuid.UUID) {
	s.t.Helper()
	row, err := s.CreateApplication(s.ctx, fleet.CreateApplication{Name: name})
	s.ok(err)
	for i := range n {
		pkg, err := s.CreatePackage(s.ctx, fleet.CreatePackage{
			ApplicationID: row.ID, Type: catalog.PackageFlatcar, Version: fmt.Sprintf("1.%d.0", i), URL: "https://example.com/", Filename: "a", Size: 1,
			SHA256: strings.Repeat("ab", 32),
		})
		s.ok(err)
		ch, err := s.CreateChannel(s.ctx, fleet.CreateChannel{ApplicationID: row.ID, Name: fmt.Sprint("c", i), PackageID: &pkg.ID})
		s.ok(err)
		other, err := s.CreateChannel(s.ctx, fleet.CreateChannel{ApplicationID: row.ID, Name: fmt.Sprint("d", i)})
		s.ok(err)
		_, err = s.BlacklistPackage(s.ctx, fleet.BlacklistPackage{ChannelID: other.ID, PackageID: pkg.ID})
		s.ok(err)
		g, err := s.CreateGroup(s.ctx, fleet.CreateGroup{ApplicationID: row.ID, Name: fmt.Sprint("g", i), ChannelID: &ch.ID})
		s.ok(err)
		group = g.ID
		for m := range n {
			s.machine(fmt.Sprint("m", i, "-", m), "1.0.0", group.String(), "<ping/><updatecheck/>")
		}
	}
	return row.ID, group
}

// Each route costs a fixed number of statements for any number of objects.
func TestRoutesReadWithinStatementBudget(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		small, smallGroup := s.more("small", 1)
		large, largeGroup := s.more("large", 4)
		count := s.statements()
		get := func(path string) int64 {
			t.Helper()
			count()
			if r := s.ask("admin:admin", http.MethodGet, path, http.NoBody); r.status != http.StatusOK {
				t.Fatalf("%s: %d %s", path, r.status, r.data)
			}
			return count()
		}
		get("/api/apps") // signs in
		for route, budget := range map[string]int64{
			"": 18, "/groups": 10, "/channels": 6, "/packages": 5, "/groups/{group}": 9, "/groups/{group}/instances": 4,
			"/groups/{group}/instances/{machine}/status_history": 3,
		} {
			path := func(app, group uuid.UUID, machine string) string {
				return "/api/apps/" + app.String() + strings.NewReplacer("{group}", group.String(), "{machine}", machine).Replace(route)
			}
			few, many := get(path(small, smallGroup, "m0-0")), get(path(large, largeGroup, "m3-3"))
			if many != few || many != budget {
				t.Errorf("GET /api/apps/{app}%s: %d statements with one object of each kind, %d with four, want %d", route, few, many, budget)
			}
		}
		if few, many := get("/api/apps?perpage=1&page=2"), get("/api/apps"); many > few || many > 18 {
			t.Errorf("GET /api/apps: %d statements for one application, %d for all", few, many)
		}
		if n := get("/api/activity"); n > 1 {
			t.Errorf("GET /api/activity: %d statements", n)
		}
	})
}

// A verified password is cached, not hashed for each request.
func TestVerifiedPasswordsAreCached(t *testing.T) {
	s := newSite(t, storetest.SQLite(t))
	s.ask("admin:admin", http.MethodGet, "/api/activity", http.NoBody)
	count := s.statements()
	for range 20 {
		s.ask("admin:admin", http.MethodGet, "/api/activity", http.NoBody)
	}
	if n := count(); n != 20 { // 40 if each request also read the user
		t.Errorf("20 requests cost %d statements", n)
	}
}

// A user's own password change keeps the tokens: scripts do not depend on it.
func TestTokensCallTheAPIAndSurviveAPasswordChange(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		row, token, err := s.Accounts.CreateToken(s.ctx, account.CreateToken{Username: "admin", Name: "ci", ExpiresAt: s.now().Add(time.Hour)})
		s.ok(err)
		if r := s.ask("bearer "+token, http.MethodPost, "/api/apps", strings.NewReader(`{"name":"agent"}`)); r.status != http.StatusOK || r.header.Get("X-Authenticated-Username") != "admin" {
			t.Fatalf("%d %s", r.status, r.data)
		}
		audits, err := s.store.Reader().Audit.Query().Where(audit.Verb("createApplication")).All(s.ctx)
		if err != nil || len(audits) != 1 || audits[0].Credential != "token ci" || audits[0].Actor != "admin" {
			t.Errorf("audit %+v %v", audits, err)
		}
		// With a token the current password is required.
		for body, status := range map[string]int{`{"password":"correct horse"}`: 400, `{"password":"correct horse","current_password":"nonsense"}`: 400} {
			if r := s.ask("bearer "+token, http.MethodPut, "/api/password", strings.NewReader(body)); r.status != status || !strings.Contains(string(r.data), "current_password") {
				t.Errorf("%s: %d %s", body, r.status, r.data)
			}
		}
		if r := s.ask("bearer "+token, http.MethodPut, "/api/password", strings.NewReader(`{"password":"correct horse","current_password":"admin"}`)); r.status != http.StatusNoContent {
			t.Errorf("%d %s", r.status, r.data)
		}
		if r := s.ask("bearer "+token, http.MethodGet, "/api/apps", http.NoBody); r.status != http.StatusOK {
			t.Errorf("status %d after the password change", r.status)
		}
		s.ok(s.Accounts.RevokeToken(s.ctx, account.RevokeToken{ID: row.ID}))
		if r := s.ask("bearer "+token, http.MethodGet, "/api/apps", http.NoBody); r.status != http.StatusUnauthorized {
			t.Errorf("status %d with a revoked token", r.status)
		}
	})
}

// A stolen token cannot guess the password of its user.
func TestGuessesOfTheCurrentPasswordAreLimited(t *testing.T) {
	s := newSite(t, storetest.SQLite(t))
	_, token, err := s.Accounts.CreateToken(s.ctx, account.CreateToken{Username: "admin", Name: "ci", ExpiresAt: s.now().Add(time.Hour)})
	s.ok(err)
	change := func(current string) reply {
		return s.ask("bearer "+token, http.MethodPut, "/api/password", strings.NewReader(`{"password":"correct horse","current_password":"`+current+`"}`))
	}
	for range 8 {
		change("a guess")
	}
	// Not even the right password is checked.
	if r := change("admin"); r.status != http.StatusTooManyRequests || !strings.Contains(string(r.data), "too many failed sign-in attempts") {
		t.Errorf("%d %s", r.status, r.data)
	}
	if r := s.ask("bearer "+token, http.MethodGet, "/api/apps", http.NoBody); r.status != http.StatusOK {
		t.Errorf("status %d: the token must go on working", r.status)
	}
}

// fleetOf fills a group with machines and counters as in the middle of a rollout.
func (s *site) fleetOf(n int) (app, group uuid.UUID) {
	s.t.Helper()
	row, err := s.CreateApplication(s.ctx, fleet.CreateApplication{Name: "large"})
	s.ok(err)
	g, err := s.CreateGroup(s.ctx, fleet.CreateGroup{ApplicationID: row.ID, Name: "all"})
	s.ok(err)
	const batch = 5000
	for from := 0; from < n; from += batch {
		s.ok(s.store.Write(s.ctx, s.now(), func(tx *store.Tx) error {
			states, err := tx.LockGroups(s.ctx, []uuid.UUID{g.ID})
			if err != nil {
				return err
			}
			b := &store.Batch{Groups: states}
			for i := from; i < min(n, from+batch); i++ {
				id := fmt.Sprintf("%08x", uint32(i)*2654435761)
				version, _ := rollout.ParseVersion(fmt.Sprintf("1.%d.0", i%3))
				m := &store.Machine{InstanceID: store.InstanceID(row.ID, id), ApplicationID: row.ID, GroupID: g.ID, Reported: store.Reported{Address: "192.0.2.1"}}
				m.ID, m.Version, m.FirstSeenAt, m.LastSeenAt, m.StateChangedAt = id, version, s.now(), s.now(), s.now()
				m.State = []rollout.State{rollout.StateNone, rollout.StateComplete, rollout.StateOnHold}[i%7%3]
				b.Machines = append(b.Machines, m)
			}
			return tx.Save(s.ctx, b)
		}))
	}
	return row.ID, g.ID
}

// live returns the bytes of reachable memory.
func live() int64 {
	runtime.GC()
	sample := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
	metrics.Read(sample)
	return int64(sample[0].Value.Uint64())
}

// many is the size of lists that must not be in memory as a whole.
var many = storetest.Size(20_000, 100_000)

// Page by page, a list contains each machine once. Neither the pages nor one answer
// with all machines hold the whole list in memory.
func TestManyInstancesPageInConstantMemory(t *testing.T) {
	storetest.Each(t, func(t *testing.T, url string) { // not in parallel: other tests use memory too
		s := newSite(t, url)
		app, group := s.fleetOf(many)
		if counted, err := s.store.Reader().GroupCount.Query().Where(groupcount.GroupID(group)).All(s.ctx); err != nil || len(counted) < 6 {
			t.Fatalf("%d kinds of machines, %v", len(counted), err)
		}
		path := "/api/apps/" + app.String() + "/groups/" + group.String() + "/instances"
		seen := map[string]bool{}
		pages := 0
		for page := 1; ; page++ {
			data := s.send("admin:admin", http.MethodGet, fmt.Sprintf("%s?page=%d&perpage=1000", path, page), http.NoBody).data
			var machines []struct{ ID string }
			s.ok(json.Unmarshal(data, &machines))
			if len(machines) == 0 {
				break
			}
			pages++
			for _, m := range machines {
				if seen[m.ID] {
					t.Fatalf("%s is on two pages", m.ID)
				}
				seen[m.ID] = true
			}
		}
		if len(seen) != many || pages != many/1000 {
			t.Fatalf("%d machines on %d pages", len(seen), pages)
		}
		clear(seen)

		// A page deep in the list, before and after the cached positions expire.
		deep := fmt.Sprintf("%s?perpage=77&page=%d", path, many/77)
		first := s.ask("admin:admin", http.MethodGet, deep, http.NoBody).data
		s.wait(time.Hour) // the cached positions expire
		again := s.ask("admin:admin", http.MethodGet, deep, http.NoBody).data
		if string(first) != string(again) || !strings.Contains(string(first), `"id"`) {
			t.Errorf("a page deep in the list: %.200s and %.200s", first, again)
		}

		// All machines in one response.
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.http.URL+path+"?perpage=10000000", http.NoBody)
		s.ok(err)
		req.SetBasicAuth("admin", "admin")
		before := live()
		resp, err := s.http.Client().Do(req)
		s.ok(err)
		defer resp.Body.Close()
		var bytes, most int64
		buffer := make([]byte, 1<<20)
		for {
			n, err := io.ReadFull(resp.Body, buffer)
			bytes += int64(n)
			most = max(most, live()-before)
			if err != nil {
				break
			}
		}
		if perMachine := bytes / int64(many); perMachine < 200 {
			t.Fatalf("%d bytes of %d machines", bytes, many)
		}
		// All rows and their JSON take 100 MB or more.
		if most > 16<<20 {
			t.Errorf("a response of %d MB took %d MB of memory", bytes>>20, most>>20)
		}
	})
}
