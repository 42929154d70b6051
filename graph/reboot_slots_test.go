package graph_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/coreroller/coreroller/auth"
	"github.com/coreroller/coreroller/fleet"
	"github.com/coreroller/coreroller/fleet/account"
	"github.com/coreroller/coreroller/omaha"
	"github.com/coreroller/coreroller/server"
)

// locks sends a FleetLock request to the server, as the Flatcar client does.
func (s *site) locks(operation, client string, code int) {
	s.t.Helper()
	r, err := http.NewRequestWithContext(s.t.Context(), http.MethodPost, s.http.URL+"//v1/"+operation,
		strings.NewReader(`{"client_params": {"id": "`+client+`", "group": "`+s.group.String()+`"}}`))
	s.must(err)
	r.Header.Set("fleet-lock-protocol", "true")
	w, err := s.http.Client().Do(r)
	s.must(err)
	s.must(w.Body.Close())
	if w.StatusCode != code {
		s.t.Errorf("%s of %s is answered %s, want %d", operation, client, w.Status, code)
	}
}

const slotFields = `{ clientId state sentence address takenAt expectedAt instance { machineId } group { id } }`

const slotsOfGroup = `rebootSlots { limit waitingCount hold holdCode holdUntil held ` + slotFields + ` waiting ` + slotFields + ` }`

// coordinate gives the group reboot slots.
func (s *site) coordinate(t *testing.T, slots int) {
	t.Helper()
	want(t, s.ana(t).get(mutate("updatePolicy", "group { policy { rebootSlots rebootWindows { start } rebootOverdueAfter rebootReleaseAfter rebootOverdueLimit } }"),
		vars{"in": vars{"groupId": s.group, "policy": vars{"rebootSlots": slots}}}),
		"group.policy.rebootSlots", slots, "group.policy.rebootWindows", []any{}, "group.policy.rebootOverdueAfter", "PT1H",
		"group.policy.rebootReleaseAfter", "PT0S", "group.policy.rebootOverdueLimit", 1)
}

func TestRebootSlotsAreShownLiveAndReleased(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		ana := s.ana(t)
		s.check("web-1", "2.0.0")
		s.locks("pre-reboot", "web-1", http.StatusConflict)
		s.coordinate(t, 1)
		w := ana.dial()
		w.subscribe("1", `subscription($id: ID!) { groupChanged(groupId: $id) { group { `+slotsOfGroup+` } } }`, vars{"id": s.group})
		want(t, w.next(), "group.rebootSlots.limit", 1, "group.rebootSlots.held", []any{}, "group.rebootSlots.hold", "", "group.rebootSlots.holdCode", nil)
		s.locks("pre-reboot", "web-1", http.StatusOK)
		want(t, w.until("group.rebootSlots.holdCode", "slots_full"), "group.rebootSlots.held.0.clientId", "web-1", "group.rebootSlots.held.0.state", "HELD", "group.rebootSlots.held.0.instance.machineId", "web-1",
			"group.rebootSlots.held.0.group.id", s.group.String(), "group.rebootSlots.held.0.address", "127.0.0.1", "group.rebootSlots.waitingCount", 0)
		s.locks("pre-reboot", "unknown", http.StatusConflict)
		want(t, w.until("group.rebootSlots.waitingCount", 1.0), "group.rebootSlots.waiting.0.clientId", "unknown", "group.rebootSlots.waiting.0.state", "WAITING", "group.rebootSlots.waiting.0.instance", nil,
			"group.rebootSlots.waiting.0.takenAt", nil, "group.rebootSlots.waitingCount", 1)
		w.stop("1")
		want(t, ana.get(`query($id: ID!) { instance(id: $id) { rebootSlot `+slotFields+` } }`, vars{"id": s.instance("web-1")}), "rebootSlot.state", "HELD")
		want(t, ana.get(`query($id: ID!) { explainUpdate(instanceId: $id) { rebootSlot { state } } }`, vars{"id": s.instance("web-1")}), "rebootSlot.state", "HELD")
		release := mutate("releaseRebootSlot", "group { "+slotsOfGroup+" }")
		want(t, ana.get(release, vars{"in": vars{"groupId": s.app, "id": "web-1"}}), "userErrors.0.code", "NOT_FOUND", "userErrors.0.field", "groupId")
		want(t, ana.get(release, vars{"in": vars{"groupId": s.group, "id": "unknown"}}), "userErrors.0.code", "CONFLICT", "userErrors.0.field", "id")
		want(t, ana.get(release, vars{"in": vars{"groupId": s.group, "id": "web-1", "reason": "scrapped"}}), "userErrors", []any{}, "group.rebootSlots.held", []any{})
		s.locks("pre-reboot", "unknown", http.StatusOK)
		s.locks("steady-state", "unknown", http.StatusOK)
	})
}

// Slots of a group are visible and can be released only within the caller's grants.
func TestRebootSlotsKeepToTheCallersGrants(t *testing.T) {
	s := oneSite(t)
	n := newTenants(t, s)
	s.coordinate(t, 1)
	s.check("web-1", "2.0.0")
	s.locks("pre-reboot", "web-1", http.StatusOK)
	s.must(second(s.Accounts.CreateUser(s.ctx, account.CreateUser{Username: "vic", Password: password, TeamID: n.other, Grants: []auth.Grant{{Role: auth.Viewer, Group: s.group}}})))
	release := mutate("releaseRebootSlot", "")
	in := vars{"in": vars{"groupId": s.group, "id": "web-1"}}
	want(t, n.as(t, "eve").get(release, in), "userErrors.0.code", "NOT_FOUND", "userErrors.0.field", "groupId")
	want(t, n.as(t, "vic").get(release, in), "userErrors.0.code", "FORBIDDEN")
	want(t, n.as(t, "vic").get(`query($id: ID!) { group(id: $id) { `+slotsOfGroup+` } }`, vars{"id": s.group}), "rebootSlots.held.0.clientId", "web-1")
	if _, err := s.ReleaseRebootSlot(s.ctx, fleet.ReleaseRebootSlot{GroupID: s.group, ID: "web-1"}); err != nil {
		t.Error(err)
	}
}

// With a listener of its own for machines, FleetLock is served there and nowhere else.
func TestFleetLockIsServedWhereMachinesAre(t *testing.T) {
	s := oneSite(t)
	s.coordinate(t, 1)
	apart := server.New(server.Options{
		Fleet: s.Service, Store: s.store, Omaha: omaha.NewHandler(s.Machines, omaha.Options{Now: s.now}), Now: s.now, SeparateMachines: true, OmahaSecret: "hidden",
	})
	t.Cleanup(apart.Close)
	for _, c := range []struct {
		h    http.Handler
		path string
		want bool
	}{
		{apart.Machines(), "/fleetlock/hidden/v1/pre-reboot", true},
		{apart.Machines(), "/v1/pre-reboot", false},
		{apart, "/fleetlock/hidden/v1/pre-reboot", false},
	} {
		r := httptest.NewRequest(http.MethodPost, c.path, strings.NewReader(`{"client_params": {"id": "m", "group": "prod"}}`))
		r.Header.Set("fleet-lock-protocol", "true")
		w := httptest.NewRecorder()
		c.h.ServeHTTP(w, r)
		if (w.Code == http.StatusOK) != c.want {
			t.Errorf("%s is answered %d", c.path, w.Code)
		}
	}
}
