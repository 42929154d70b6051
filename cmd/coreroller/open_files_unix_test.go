//go:build unix

package main

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
)

// testFewFiles: a process that may have 128 files open accepts as many connections as leave
// room for its own files. Further ones wait and are answered when others are idle. The log
// and the metrics say so.
func testFewFiles(t *testing.T, binary string) {
	metrics := freeAddress(t)
	c := startChild(t, "/bin/sh", []string{
		"-c", `ulimit -n 128 && exec "$0" "$@"`, binary, "serve", "--listen", "127.0.0.1:0", "--listen-metrics", metrics,
		"--data-dir", t.TempDir(), "--max-connections-per-address", "1000",
	})
	address := strings.TrimPrefix(c.url, "http://")
	dial := func() net.Conn {
		conn, err := new(net.Dialer).DialContext(t.Context(), "tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = conn.Close() })
		return conn
	}
	measured := func(name string) bool {
		r, err := http.Get("http://" + metrics + "/metrics")
		if err != nil {
			t.Fatal(err)
		}
		defer r.Body.Close()
		text, err := io.ReadAll(r.Body)
		return err == nil && strings.Contains(string(text), "\n"+name+"\n")
	}
	for range 66 { // clients that send nothing
		dial()
	}
	await(t, "all connections are in use", func() bool { return measured(`coreroller_connections_open{listener="listen"} 64`) })
	if !measured(`coreroller_connections_limit{listener="listen"} 64`) {
		t.Error("the limit is not 64")
	}
	late := dial()
	if err := late.SetDeadline(time.Now().Add(90 * time.Second)); err != nil {
		t.Fatal(err)
	}
	if _, err := fmt.Fprint(late, "GET /readyz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	answer, err := io.ReadAll(late)
	if err != nil || !strings.HasPrefix(string(answer), "HTTP/1.1 200 ") {
		t.Errorf("the connection that waited: %q %v", answer, err)
	}
	t.Logf("answered after %v", time.Since(began).Round(time.Millisecond))
	c.stop(t)
	for _, text := range []string{"the limit of open files allows fewer connections", "files=128 connections=64", "all connections are in use"} {
		if n := strings.Count(c.log.String(), text); n != 1 {
			t.Errorf("%d lines with %q in the log:\n%s", n, text, c.log)
		}
	}
}
