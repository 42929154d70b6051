//go:build !race

// Under the race detector sync.Pool drops objects at random.

package omaha

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/coreroller/coreroller/fleet/checkin"
)

// The allocations are the text of the request and the parsed Request, also with attributes
// that the application keeps: the check has two of them.
func TestCheckAllocatesAtMost8Times(t *testing.T) {
	const limit = 8
	answer, err := scripted("hold up_to_date")
	if err != nil {
		t.Fatal(err)
	}
	h := newTestHandler(t, fleetFunc(func(context.Context, checkin.CheckIn) (checkin.Answer, error) { return answer, nil }), Options{})
	body := bytes.NewReader(daemonCheck)
	r := httptest.NewRequest(http.MethodPost, "/v1/update/", io.NopCloser(body))
	r.ContentLength = int64(len(daemonCheck))
	w := &discard{header: make(http.Header)}
	if n := testing.AllocsPerRun(1000, func() {
		body.Reset(daemonCheck)
		h.ServeHTTP(w, r)
	}); n > limit || w.code != 0 {
		t.Errorf("%.1f allocations, limit %d; status %d", n, limit, w.code)
	}
}
