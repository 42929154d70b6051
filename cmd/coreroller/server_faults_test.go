package main

import (
	"strings"
	"testing"
	"time"

	"github.com/coreroller/coreroller/fleet"
	"github.com/coreroller/coreroller/fleet/catalog"
	"github.com/coreroller/coreroller/simulate"
	"github.com/coreroller/coreroller/store/storetest"
)

// twoServers starts two servers on one PostgreSQL; the first one reaches it through a link.
func twoServers(t *testing.T, prepare func(*link)) (k *testGroup, l *link, servers [2]*Program) {
	t.Helper()
	databaseURL := storetest.Postgres(t)
	k = prepareTrial(t, databaseURL)
	l, through := newLink(t, databaseURL)
	l.change(prepare)
	for i, u := range []string{through, databaseURL} {
		servers[i] = NewProgram(Config{Listen: "127.0.0.1:0", DataDir: t.TempDir(), DatabaseURL: u, DatabaseTimeout: 2 * time.Second}, discard(), time.Now)
		if err := servers[i].Run(t.Context()); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if err := servers[i].Close(); err != nil {
				t.Errorf("close: %v", err)
			}
		})
	}
	return k, l, servers
}

// One of two servers does not reach the database for a while: the other one goes on, and
// the cap is exact.
func TestOneServerIsCutOff(t *testing.T) {
	t.Parallel()
	k, l, servers := twoServers(t, func(*link) {})
	x := startTrial(t, k, servers[0].OmahaURL(), servers[1].OmahaURL())
	l.silence(true)
	await(t, "the first server is not ready", func() bool { status, _ := probe(t, servers[0], "/readyz"); return status == 503 })
	x.well(1)
	if status, body := probe(t, servers[1], "/readyz"); status != 200 {
		t.Errorf("the second server: %d %s", status, body)
	}
	l.resume()
	took := x.well(0, 1)
	x.end("one of two servers does not reach PostgreSQL", took)
}

// The notifications of PostgreSQL do not arrive, as behind a pool in transaction mode: the
// server says so, and reads changes by other servers every few seconds.
func TestNotificationsAreLost(t *testing.T) {
	t.Parallel()
	k, _, servers := twoServers(t, func(l *link) { l.deaf = true })
	client := simulate.NewClient(servers[0].OmahaURL(), 1)
	defer client.Close()
	offered := func() bool {
		a, err := k.check(k.ctx, client, "idle", "2.0.0")
		if err != nil {
			t.Fatal(err)
		}
		return a.Offered
	}
	for range 2 { // the second one is answered from memory
		if offered() {
			t.Fatal("an up-to-date machine was offered an update")
		}
	}
	next, err := servers[1].fleet.CreatePackage(k.ctx, fleet.CreatePackage{
		ApplicationID: k.app, Type: catalog.PackageFlatcar, Version: "3.0.0", URL: "https://updates.example.net/3.0.0/",
		Filename: "update.gz", Size: 1 << 20, SHA256: strings.Repeat("ab", 32),
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := servers[1].fleet.PromotePackage(k.ctx, fleet.PromotePackage{ChannelID: k.channel, PackageID: &next.ID}); err != nil {
		t.Fatal(err)
	}
	took := await(t, "the first server has the promotion", offered)
	await(t, "the first server says that it receives no events", func() bool {
		_, body := probe(t, servers[0], "/readyz")
		return strings.Contains(body, "no events of other servers are received")
	})
	if _, body := probe(t, servers[1], "/readyz"); body != "ok\n" {
		t.Errorf("the second server: %s", body)
	}
	x := startTrial(t, k, servers[0].OmahaURL(), servers[1].OmahaURL())
	x.end("the notifications of PostgreSQL are lost", took)
}
