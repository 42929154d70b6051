//go:build !race

// The race detector lets pools lose what they keep.

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

// A check that is answered from memory allocates no more than this in the
// endpoint: the text of the request and what is read of it.
func TestAllocationsOfACheck(t *testing.T) {
	const most = 8
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
	}); n > most || w.code != 0 {
		t.Errorf("%.1f allocations, %d are allowed; status %d", n, most, w.code)
	}
}
