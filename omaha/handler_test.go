package omaha

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coreroller/coreroller/fleet/checkin"
	"github.com/coreroller/coreroller/fleet/fault"
)

const check = `<request protocol="3.0"><app appid="a" version="1.0.0" machineid="m"><updatecheck/></app></request>`

func script(lines ...string) *fakeFleet { return &fakeFleet{script: lines} }

// A rejected request is delayed, but does not count as in flight.
func TestRejectedRequestsAreDelayed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		full := true
		h := newTestHandler(t, fleetFunc(func(context.Context, checkin.CheckIn) (checkin.Answer, error) {
			if full {
				full = false
				return checkin.Answer{}, fault.Errorf(fault.Unavailable, "", "full")
			}
			return checkin.Answer{}, nil
		}), Options{MaxInFlight: 1})
		start := time.Now()
		rejected := make(chan *httptest.ResponseRecorder)
		go func() { rejected <- post(h, check) }()
		synctest.Wait()
		if w := post(h, check); w.Code != http.StatusOK {
			t.Errorf("during the delay: status %d: %s", w.Code, w.Body)
		}
		w := <-rejected
		if w.Code != http.StatusServiceUnavailable || w.Header().Get("Retry-After") != "300" || w.Header().Get("X-Retry-After") != "300" {
			t.Errorf("status %d, headers %v: %s", w.Code, w.Header(), w.Body)
		}
		if delay := time.Since(start); delay != rejectDelay {
			t.Errorf("the delay is %v", delay)
		}
	})
}

// A disconnected client is not a fault of the server.
func TestDisconnectedClientIsNotLogged(t *testing.T) {
	var log bytes.Buffer
	ctx, cancel := context.WithCancel(t.Context())
	h := newTestHandler(t, fleetFunc(func(ctx context.Context, _ checkin.CheckIn) (checkin.Answer, error) {
		cancel()
		return checkin.Answer{}, fmt.Errorf("wait for the lane: %w", ctx.Err())
	}), Options{Log: slog.New(slog.NewTextHandler(&log, nil))})
	w := serve(h, httptest.NewRequest("POST", "/omaha", strings.NewReader(check)).WithContext(ctx))
	if w.Code != http.StatusServiceUnavailable || log.Len() > 0 {
		t.Errorf("status %d, log %s", w.Code, &log)
	}
}

type fleetFunc func(context.Context, checkin.CheckIn) (checkin.Answer, error)

func (fleetFunc) Refuse(checkin.Refused) {}

func (fleetFunc) RequestAttributes(appID string) []string { return keepSome(appID) }

func (f fleetFunc) CheckIn(ctx context.Context, in checkin.CheckIn) (checkin.Answer, error) {
	return f(ctx, in)
}

// The response contains the request id, but not the text of the error.
func TestFaultsAreLoggedOnceWithTheRequestID(t *testing.T) {
	const two = `<request><app appid="a" machineid="m"><updatecheck/></app><app appid="b"><updatecheck/></app></request>`
	for _, test := range []struct {
		name, body, middleware string
		script                 []string
		code, lines            int
	}{
		{"one app", check, "", []string{"error internal"}, 500, 1},
		{"id of middleware", check, "req-7", []string{"error internal"}, 500, 1},
		{"both apps", two, "", []string{"error internal", "error internal"}, 500, 2},
		{"other expected error", check, "", []string{"error not_found"}, 500, 1},
		{"one of two", two, "", []string{"error internal", "hold paused"}, 200, 1},
	} {
		t.Run(test.name, func(t *testing.T) {
			var log bytes.Buffer
			h := newTestHandler(t, script(test.script...), Options{Log: slog.New(slog.NewJSONHandler(&log, nil))})
			w := httptest.NewRecorder()
			if test.middleware != "" {
				w.Header().Set("X-Request-Id", test.middleware)
			}
			h.ServeHTTP(w, httptest.NewRequest("POST", "/omaha", strings.NewReader(test.body)))
			if w.Code != test.code || strings.Contains(w.Body.String(), "EOF") {
				t.Errorf("status %d: %s", w.Code, w.Body)
			}
			if test.code == 200 && !strings.Contains(w.Body.String(), "<app appid=\"a\" status=\"error-internal\">\n<updatecheck status=\"error-internal\"/>") {
				t.Errorf("answer %s", w.Body)
			}
			lines := strings.Split(strings.TrimSpace(log.String()), "\n")
			if len(lines) != test.lines {
				t.Fatalf("log %s", &log)
			}
			var line struct {
				ID    string `json:"request_id"`
				App   string `json:"app"`
				Error string `json:"error"`
			}
			if err := json.Unmarshal([]byte(lines[0]), &line); err != nil {
				t.Fatal(err)
			}
			if line.ID == "" || line.ID != w.Header().Get("X-Request-Id") || line.App != "a" || line.Error == "" ||
				(test.middleware != "" && line.ID != test.middleware) || (test.code == 500 && !strings.Contains(w.Body.String(), line.ID)) {
				t.Errorf("log %s, header %v, body %s", lines[0], w.Header(), w.Body)
			}
		})
	}
}

func TestTooLargeBodyIsRejectedUnread(t *testing.T) {
	r := httptest.NewRequest("POST", "/omaha", errReader{})
	r.ContentLength = maxBody + 1
	if w := serve(newTestHandler(t, script(), Options{}), r); w.Code != http.StatusRequestEntityTooLarge {
		t.Errorf("status %d: %s", w.Code, w.Body)
	}
}

func TestIncompleteBodyIsRejected(t *testing.T) {
	r := httptest.NewRequest("POST", "/omaha", io.MultiReader(strings.NewReader(check), errReader{}))
	if w := serve(newTestHandler(t, script(), Options{}), r); w.Code != http.StatusBadRequest {
		t.Errorf("status %d: %s", w.Code, w.Body)
	}
}

type errReader struct{}

func (errReader) Read([]byte) (int, error) { return 0, errors.New("connection reset") }

// Requests reuse buffers. Run with -race.
func TestConcurrentRequestsGetTheirOwnResponses(t *testing.T) {
	h := newTestHandler(t, fleetFunc(func(_ context.Context, in checkin.CheckIn) (checkin.Answer, error) {
		return checkin.Answer{PollInterval: time.Duration(len(in.Machine)) * time.Second}, nil
	}), Options{})
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			for j := range 100 {
				machine := strings.Repeat("m", 1+i*100+j)
				w := post(h, `<request><app appid="`+machine+`" machineid="`+machine+`"><updatecheck/></app></request>`)
				want := fmt.Sprintf("<app appid=%q status=\"ok\">\n<updatecheck status=\"noupdate\" PollInterval=\"%d\"/>\n</app>\n</response>\n", machine, len(machine))
				if !strings.HasSuffix(w.Body.String(), want) {
					t.Errorf("got %s", w.Body)
					return
				}
			}
		})
	}
	wg.Wait()
}

// The response is the same if the body arrives byte by byte.
func TestSlowBodiesGetTheSameResponse(t *testing.T) {
	for _, body := range goldenRequests(t) {
		whole := post(newTestHandler(t, script(), Options{}), body)
		r := httptest.NewRequest("POST", "/omaha/", oneByte{strings.NewReader(body)})
		slow := serve(newTestHandler(t, script(), Options{}), r)
		if slow.Code != whole.Code || slow.Body.String() != whole.Body.String() {
			t.Errorf("%s\nwhole: %d %s\nslow: %d %s", body, whole.Code, whole.Body, slow.Code, slow.Body)
		}
	}
}

type oneByte struct{ r io.Reader }

func (o oneByte) Read(p []byte) (int, error) { return o.r.Read(p[:min(1, len(p))]) }

// goldenRequests returns the request bodies of testdata/*.txt.
func goldenRequests(t testing.TB) []string {
	t.Helper()
	var all []string
	entries, err := os.ReadDir("testdata")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if !strings.HasSuffix(e.Name(), ".txt") {
			continue
		}
		raw, err := os.ReadFile("testdata/" + e.Name())
		if err != nil {
			t.Fatal(err)
		}
		for part := range strings.SplitSeq(string(raw), "\n---- ") {
			if body, ok := strings.CutPrefix(part, "request\n"); ok {
				all = append(all, body)
			}
		}
	}
	if len(all) < 50 {
		t.Fatalf("only %d requests in testdata", len(all))
	}
	return all
}
