package main

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/coreroller/coreroller/fleet"
)

// rebooting asks for a reboot slot of the group, as a client of FleetLock.
func rebooting(t *testing.T, p *Program, k *testGroup, id string, want int) {
	t.Helper()
	// The Flatcar client doubles the slash after a URL that ends with one.
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, p.URL()+"//v1/pre-reboot", strings.NewReader(`{"client_params":{"id":"`+id+`","group":"`+k.group.String()+`"}}`))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("fleet-lock-protocol", "true")
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != want {
		t.Errorf("%s is answered %s, want %d", id, resp.Status, want)
	}
}

func TestRemoteRebootSlots(t *testing.T) {
	p := startProgram(t, "")
	policy := fastPolicy(1)
	k := newTestGroup(t, p.fleet, p.store, policy)
	r := remoteUser(t, p, "admin")
	r.run(0, arguments("slot list production"), "coordinates no reboots")
	policy.RebootSlots = 1
	if _, err := k.service.UpdatePolicy(k.ctx, fleet.UpdatePolicy{GroupID: k.group, Policy: policy}); err != nil {
		t.Fatal(err)
	}
	checkIn(t, p, k, "web-1")
	rebooting(t, p, k, "web-1", http.StatusOK)
	rebooting(t, p, k, "web-2", http.StatusConflict)
	r.run(0, arguments("slot list production"), "1 of 1 reboot slots of OS/production are held, 1 wait.", "web-1", "The next machine waits: 1 of 1 reboot slot is held", "web-2", "127.0.0.1")
	var list struct {
		Limit, WaitingCount int
		Held                []struct{ State string }
	}
	if err := json.Unmarshal([]byte(r.run(0, arguments("slot list production -o json"))), &list); err != nil || list.Limit != 1 || list.WaitingCount != 1 || len(list.Held) != 1 || list.Held[0].State != "HELD" {
		t.Errorf("%v: %+v", err, list)
	}
	r.run(2, arguments("slot release web-1"), "--reason is missing")
	r.run(1, arguments("slot release web-2 --reason x"), `no machine "web-2"`, "--group")
	r.run(1, arguments("slot release web-2 --group production --reason x"), "waits for a reboot slot and holds none")
	r.run(0, arguments("slot release web-1 --reason scrapped"), "The reboot slot of web-1 is released.")
	r.run(1, arguments("slot release web-1 --reason again"), "holds no reboot slot")
	r.run(0, arguments("activity --group production"), "scrapped", "by admin")
	rebooting(t, p, k, "web-2", http.StatusOK)
	r.run(0, arguments("slot release web-2 --group production --reason gone"), "is released")
}
