package server

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func TestMetricsNeedTheirTokenOnEachListener(t *testing.T) {
	s := testServer(t, func(o *Options) { o.MetricsToken = "s3cret" })
	for _, h := range []http.Handler{s, s.Metrics()} {
		for sent, want := range map[string]int{
			"": 401, "Bearer": 401, "Bearer ": 401, "Bearer s3cre": 401, "Bearer s3cret2": 401, "Basic s3cret": 401, "s3cret": 401,
			"Bearer s3cret": 200, "bearer s3cret": 200,
		} {
			r, w := httptest.NewRequest(http.MethodGet, "/metrics", http.NoBody), httptest.NewRecorder()
			if sent != "" {
				r.Header.Set("Authorization", sent)
			}
			h.ServeHTTP(w, r)
			if w.Code != want || strings.Contains(w.Body.String(), "go_goroutines") != (want == 200) || (w.Header().Get("WWW-Authenticate") == "") != (want == 200) {
				t.Errorf("%q: %d", sent, w.Code)
			}
		}
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/livez", http.NoBody))
		if w.Code != 200 {
			t.Errorf("/livez: %d", w.Code)
		}
	}
}
