package server

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"testing/fstest"
	"time"
)

// serveLimited serves h with limits of connections until the end of the test.
func serveLimited(t *testing.T, h http.Handler, limit, perAddress int, proxies ...netip.Prefix) (address string) {
	t.Helper()
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	web := &http.Server{Handler: h, ReadHeaderTimeout: time.Minute}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = web.Serve(LimitConnections(l, ConnectionLimits{Open: limit, PerAddress: perAddress, Proxies: proxies}))
	}()
	t.Cleanup(func() { _ = web.Close(); <-ended })
	return l.Addr().String()
}

// dialFrom connects from one of the addresses of this host.
func dialFrom(t *testing.T, from, to string) net.Conn {
	t.Helper()
	d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(from)}, Timeout: 10 * time.Second}
	c, err := d.DialContext(t.Context(), "tcp", to)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

// Slow bodies of one address hold only its own share of the connections: the health
// check of another address is answered at once.
func TestSlowBodiesOfOneAddressBlockNoOther(t *testing.T) {
	address := serveLimited(t, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { _, _ = io.Copy(io.Discard, r.Body) }), 8, 4)
	slow := make([]net.Conn, 20)
	for i := range slow {
		slow[i] = dialFrom(t, "127.0.0.2", address)
		_, _ = io.WriteString(slow[i], "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n{")
	}
	other := dialFrom(t, "127.0.0.3", address)
	_ = other.SetDeadline(time.Now().Add(10 * time.Second))
	_, _ = io.WriteString(other, "GET /healthz HTTP/1.0\r\n\r\n")
	if answer, err := io.ReadAll(other); err != nil || !strings.Contains(string(answer), "200 OK") {
		t.Fatalf("another address: %q %v", answer, err)
	}
	_ = slow[19].SetReadDeadline(time.Now().Add(10 * time.Second))
	if _, err := slow[19].Read(make([]byte, 1)); err == nil || strings.Contains(err.Error(), "timeout") {
		t.Errorf("a connection above the limit stays open: %v", err)
	}
}

// All clients of a trusted proxy have its address: their connections are not limited,
// but each client's requests in progress are.
func TestClientsBehindAProxyAreLimitedByTheirOwnAddress(t *testing.T) {
	proxies := []netip.Prefix{netip.MustParsePrefix("127.0.0.2/32")}
	release, entered := make(chan struct{}), make(chan struct{}, 10)
	slow := http.HandlerFunc(func(http.ResponseWriter, *http.Request) { entered <- struct{}{}; <-release })
	address := serveLimited(t, newClients(2).limitForwarded(newResolver(proxies, ""), slow), 20, 1, proxies...)
	ask := func(client string) net.Conn {
		c := dialFrom(t, "127.0.0.2", address)
		_, _ = io.WriteString(c, "GET / HTTP/1.0\r\nX-Forwarded-For: "+client+"\r\n\r\n")
		return c
	}
	for _, client := range []string{"192.0.2.1", "192.0.2.1", "192.0.2.2"} {
		ask(client)
		<-entered
	}
	if answer, err := io.ReadAll(ask("192.0.2.1")); err != nil || !strings.Contains(string(answer), "429") || !strings.Contains(string(answer), "Retry-After") {
		t.Errorf("the third request of a client: %q %v", answer, err)
	}
	close(release)
}

// slowWriter records the deadlines that are set.
type slowWriter struct {
	*httptest.ResponseRecorder
	deadlines []time.Time
	largest   int
}

func (w *slowWriter) SetWriteDeadline(t time.Time) error {
	w.deadlines = append(w.deadlines, t)
	return nil
}

func (w *slowWriter) Write(data []byte) (int, error) {
	w.largest = max(w.largest, len(data))
	return w.ResponseRecorder.Write(data)
}

// A long answer is written in parts, each with a deadline: a client that reads slowly gets
// it all, and one that does not read is given up. A handler's own deadlines count more.
func TestEveryPartOfAnAnswerHasADeadline(t *testing.T) {
	long := bytes.Repeat([]byte("x"), 5*chunk+1)
	w := &slowWriter{ResponseRecorder: httptest.NewRecorder()}
	rec := &recorder{ResponseWriter: w}
	if n, err := rec.Write(long); n != len(long) || err != nil || len(w.deadlines) != 6 || w.largest != chunk || w.Body.Len() != len(long) {
		t.Errorf("wrote %d bytes (%v) with %d deadlines in parts of %d", n, err, len(w.deadlines), w.largest)
	}
	if left := time.Until(w.deadlines[5]); left <= 0 || left > chunkTime {
		t.Errorf("the deadline is in %v", left)
	}
	own := time.Now().Add(time.Hour)
	if err := http.NewResponseController(rec).SetWriteDeadline(own); err != nil {
		t.Fatal(err)
	}
	_, _ = rec.Write([]byte("x"))
	if w.deadlines[len(w.deadlines)-1] != own {
		t.Error("the handler's deadline was replaced")
	}
}

func TestEveryAnswerHasSecurityHeaders(t *testing.T) {
	s := testServer(t, func(o *Options) { o.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")} })
	for _, path := range []string{"/", "/graphql", "/api/apps", "/export/audit", "/healthz", "/metrics", "/assets/small-1.css", "/none.js", "/playground"} {
		h := send(s, "GET", path, "Accept", "text/html", "X-Forwarded-Proto", "https").Header()
		for name, value := range map[string]string{"X-Content-Type-Options": "nosniff", "Strict-Transport-Security": "max-age=31536000", "Referrer-Policy": "same-origin"} {
			if h.Get(name) != value {
				t.Errorf("%s: %s is %q", path, name, h.Get(name))
			}
		}
		if policy := h.Get("Content-Security-Policy"); !strings.Contains(policy, "frame-ancestors 'none'") || !strings.Contains(policy, "default-src") {
			t.Errorf("%s: policy %q", path, policy)
		}
		if send(s, "GET", path).Header().Get("Strict-Transport-Security") != "" {
			t.Errorf("%s asks for TLS without TLS", path)
		}
	}
}

// A proxy that is missing in --trusted-proxies is named in the log, once.
func TestProxyThatIsNotTrustedIsLoggedOnce(t *testing.T) {
	for header, trusted := range map[string]bool{"X-Forwarded-Proto": false, "X-Forwarded-For": false, "Forwarded": false, "": true} {
		var log strings.Builder
		s := testServer(t, func(o *Options) {
			o.Log = slog.New(slog.NewTextHandler(&log, nil))
			if trusted {
				o.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")}
				header = "X-Forwarded-Proto"
			}
		})
		for range 3 {
			send(s, "GET", "/", header, "https")
		}
		if n := strings.Count(log.String(), "--trusted-proxies"); n != map[bool]int{true: 0, false: 1}[trusted] {
			t.Errorf("%s, trusted %v: %d lines\n%s", header, trusted, n, log.String())
		}
	}
}

// Machines and metrics can have listeners of their own; the main one then has neither.
func TestMachinesAndMetricsCanBeServedSeparately(t *testing.T) {
	s := testServer(t, func(o *Options) { o.SeparateMachines, o.SeparateMetrics, o.Files = true, true, fstest.MapFS{} })
	for _, c := range []struct {
		handler      http.Handler
		method, path string
		status       int
	}{
		{s, "POST", "/v1/update/", 404}, {s, "GET", "/metrics", 404}, {s, "GET", "/healthz", 200},
		{s.Machines(), "POST", "/v1/update/", 200}, {s.Machines(), "GET", "/metrics", 404}, {s.Machines(), "GET", "/healthz", 200},
		{s.Machines(), "POST", "/graphql", 404}, {s.Machines(), "GET", "/api/apps", 404}, {s.Machines(), "GET", "/", 404},
		{s.Metrics(), "GET", "/metrics", 200}, {s.Metrics(), "GET", "/readyz", 200}, {s.Metrics(), "POST", "/v1/update/", 404}, {s.Metrics(), "POST", "/graphql", 404},
	} {
		if w := send(c.handler, c.method, c.path); w.Code != c.status {
			t.Errorf("%s %s: %d", c.method, c.path, w.Code)
		}
	}
	v := newResolver(nil, "s")
	v.machinesPort = "8443"
	for host, want := range map[string]string{"example.com:8000": "http://example.com:8443/v1/update/s", "example.com": "http://example.com:8443/v1/update/s", "[::1]:8000": "http://[::1]:8443/v1/update/s"} {
		r := httptest.NewRequestWithContext(context.Background(), http.MethodGet, "/", http.NoBody)
		r.Host = host
		if got := v.updateURL(r); got != want {
			t.Errorf("%s: update URL %s", host, got)
		}
	}
}
