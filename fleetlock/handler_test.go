package fleetlock

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/coreroller/coreroller/fleet/catalog"
	"github.com/coreroller/coreroller/fleet/fault"
	"github.com/coreroller/coreroller/fleet/reboot"
	"github.com/coreroller/coreroller/rollout"
)

// fakeFleet answers every request with a reason or an error.
type fakeFleet struct {
	reason rollout.RebootReason
	err    error
	got    reboot.Request
	busy   chan struct{} // nil: answer at once
}

func (f *fakeFleet) Take(_ context.Context, r reboot.Request) (reboot.Answer, error) {
	f.got = r
	if f.busy != nil {
		f.busy <- struct{}{}
		<-f.busy
	}
	d := rollout.RebootDecision{Reason: f.reason, Slots: 1, Held: []rollout.RebootSlot{{Client: "a"}}}
	return reboot.Answer{Group: &catalog.Group{Name: "G"}, Decision: d}, f.err
}

func (f *fakeFleet) GiveBack(_ context.Context, r reboot.Request) error {
	f.got = r
	return f.err
}

func newHandler(f Fleet, o Options) http.Handler {
	o.Address, o.Log = func(*http.Request) string { return "192.0.2.1" }, slog.New(slog.DiscardHandler)
	return NewHandler(f, o).Route(http.NotFoundHandler())
}

func request(path string) *http.Request {
	r := httptest.NewRequest(http.MethodPost, path, strings.NewReader(`{"client_params":{"id":"m","group":"g"}}`))
	r.Header.Set("fleet-lock-protocol", "true")
	return r
}

func serve(t *testing.T, h http.Handler, r *http.Request) (code int, kind string) {
	t.Helper()
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	var a struct{ Kind, Value string }
	if err := json.Unmarshal(w.Body.Bytes(), &a); err == nil && (a.Kind == "" || a.Value == "") {
		t.Errorf("%s is answered %s", r.URL, w.Body)
	}
	return w.Code, a.Kind
}

// Only permission to reboot has a status of 2xx, because clients look at nothing else.
func TestOnlyPermissionIsASuccess(t *testing.T) {
	seen := map[string]bool{}
	for reason := rollout.RebootHeld; reason.String() != ""; reason++ {
		code, kind := serve(t, newHandler(&fakeFleet{reason: reason}, Options{}), request("/v1/pre-reboot"))
		if (code < 300) != reason.Allows() || code >= 300 && code < 400 {
			t.Errorf("%s is answered %d", reason, code)
		}
		seen[kind] = true
	}
	if len(seen) < 8 {
		t.Errorf("only %d kinds", len(seen))
	}
}

func TestFailures(t *testing.T) {
	for _, c := range []struct {
		err  error
		code int
		kind kind
	}{
		{fault.Errorf(fault.Invalid, "", "x"), 400, kindBadRequest},
		{fault.Errorf(fault.NotFound, "", "x"), 404, kindUnknownGroup},
		{fault.Errorf(fault.Forbidden, "", "x"), 403, kindForbidden},
		{fault.Errorf(fault.Unavailable, "", "x"), 503, kindUnavailable},
		{errors.New("disk full"), 500, kindInternal},
	} {
		for _, path := range []string{"/v1/pre-reboot", "/v1/steady-state"} {
			if code, kind := serve(t, newHandler(&fakeFleet{err: c.err}, Options{}), request(path)); code != c.code || kind != string(c.kind) {
				t.Errorf("%v: %s is answered %d %s", c.err, path, code, kind)
			}
		}
	}
}

func TestPaths(t *testing.T) {
	const machine = catalog.SecretPrefix + "MACHINE"
	for _, c := range []struct {
		server, path string
		code         int
		secret       bool // of the machine
	}{
		{"", "/v1/pre-reboot", 200, false},
		{"", "//v1//pre-reboot/", 200, false},
		{"", "/fleetlock/v1/steady-state", 200, false},
		{"", "/" + machine + "/v1/pre-reboot", 200, true},
		{"", "/fleetlock/" + machine + "/v1/pre-reboot", 200, true},
		{"", "/other/v1/pre-reboot", 404, false},
		{"s", "/v1/pre-reboot", 404, false},
		{"s", "/wrong/v1/pre-reboot", 404, false},
		{"s", "/s/v1/pre-reboot", 200, false},
		{"s", "/fleetlock/s/" + machine + "/v1/steady-state", 200, true},
		{"a/b", "/a/b/v1/pre-reboot", 200, false},
		{"", "/v1/pre-reboot/x", 404, false}, // not of this endpoint
		{"", "/pre-reboot", 404, false},
		{"", "/v2/pre-reboot", 404, false},
	} {
		f := &fakeFleet{reason: rollout.RebootGranted}
		code, _ := serve(t, newHandler(f, Options{Secret: c.server}), request(c.path))
		if has := f.got.Secret == catalog.HashSecret(machine); code != c.code || has != c.secret {
			t.Errorf("%s with the secret %q is answered %d, machine secret %v", c.path, c.server, code, has)
		}
	}
}

func TestRequestsInProgressAreLimited(t *testing.T) {
	f := &fakeFleet{reason: rollout.RebootGranted, busy: make(chan struct{})}
	h := newHandler(f, Options{MaxInFlight: 1})
	done := make(chan int)
	go func() {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, request("/v1/pre-reboot"))
		done <- w.Code
	}()
	<-f.busy
	if code, kind := serve(t, h, request("/v1/steady-state")); code != 503 || kind != string(kindUnavailable) {
		t.Errorf("a request too many is answered %d %s", code, kind)
	}
	f.busy <- struct{}{}
	if code := <-done; code != 200 {
		t.Errorf("the first one is answered %d", code)
	}
	if code, _ := serve(t, h, request("/v1/steady-state")); code != 200 {
		t.Errorf("after it: %d", code)
	}
}

// The documents of clients reach the fleet unchanged, and an unknown group is reported.
func TestRequestReachesTheFleet(t *testing.T) {
	f := &fakeFleet{err: fault.Errorf(fault.NotFound, "", "no group")}
	unknown := ""
	h := newHandler(f, Options{UnknownGroup: func(group, address string) { unknown = group + " " + address }})
	serve(t, h, request("/v1/pre-reboot"))
	if f.got.Client != "m" || f.got.Group != "g" || f.got.Address != "192.0.2.1" || unknown != "g 192.0.2.1" {
		t.Errorf("%+v, %q", f.got, unknown)
	}
}
