package main

import (
	"io"
	"net"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"time"
)

// testDrain: after SIGTERM the server says on /readyz that it stops and answers as before,
// until --stop-delay is over. A request whose body never ends delays the stop by
// --stop-within and does not make it fail.
func testDrain(t *testing.T, binary string) {
	c := startChild(t, binary, []string{"serve", "--listen", "127.0.0.1:0", "--data-dir", t.TempDir(), "--stop-delay", "2s", "--stop-within", "1s"})
	slow, err := new(net.Dialer).DialContext(t.Context(), "tcp", strings.TrimPrefix(c.url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer slow.Close()
	if _, err := io.WriteString(slow, "POST /v1/update/ HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n<"); err != nil {
		t.Fatal(err)
	}
	if err := c.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	get := func(path string) (status int, body string) {
		r, err := client.Get(c.url + path)
		if err != nil {
			return 0, err.Error()
		}
		defer r.Body.Close()
		text, _ := io.ReadAll(r.Body)
		return r.StatusCode, string(text)
	}
	drained := false
	for status, body := 200, ""; status != 0; status, body = get("/readyz") {
		if status == http.StatusServiceUnavailable {
			if body != "the server stops\n" {
				t.Errorf("/readyz: %s", body)
			}
			drained = true
			if other, text := get("/healthz"); other != http.StatusOK && other != 0 {
				t.Errorf("/healthz during the delay: %d %s", other, text)
			}
		}
		time.Sleep(20 * time.Millisecond)
	}
	if !drained {
		t.Error("/readyz never answered 503 before the server stopped")
	}
	if err := c.cmd.Wait(); err != nil {
		t.Errorf("exit: %v; log: %s", err, c.log)
	}
	if !strings.Contains(c.log.String(), "closed the connections of requests that did not end in time") {
		t.Errorf("the log does not name the request that was cut: %s", c.log)
	}
}
