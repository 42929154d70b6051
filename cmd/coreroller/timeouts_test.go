package main

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"testing"
	"time"
)

// A client that sends its request too slowly is cut, also if it never stops sending.
func TestSlowHeadersAndBodiesAreCut(t *testing.T) {
	if d := NewProgram(Config{}, discard(), time.Now).timeouts; d.header != 10*time.Second || d.request != 20*time.Second {
		t.Errorf("timeouts %+v differ from docs/security.md", d)
	}
	p := NewProgram(Config{Listen: "127.0.0.1:0", DataDir: t.TempDir(), Web: Web{ListenMachines: "127.0.0.1:0"}}, discard(), time.Now)
	p.timeouts.header, p.timeouts.request = 50*time.Millisecond, 100*time.Millisecond
	if err := p.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	}()
	const half = "POST %s HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
	for _, listener := range []string{"listen", "listen-machines"} {
		for path, drip := range map[string]bool{"/graphql": false, "/api/apps": true, "/v1/update/": true} {
			address, header := p.part(listener).listener.Addr().String(), fmt.Sprintf(half, path)
			if status, body := slowly(t, address, header+"X-Long: ", drip); status != http.StatusRequestTimeout && status != 0 {
				t.Errorf("%s %s: a slow header is answered %d %s", listener, path, status, body)
			}
			if status, body := slowly(t, address, header+"Content-Length: 100000\r\n\r\n<", drip); status == http.StatusOK {
				t.Errorf("%s %s: a slow body is answered %d %s", listener, path, status, body)
			}
		}
	}
}

// slowly sends the beginning of a request, then nothing, or a byte now and then, until
// the server ends the connection. It returns what was answered; 0: nothing.
func slowly(t *testing.T, address, begin string, drip bool) (status int, body string) {
	t.Helper()
	c, err := new(net.Dialer).DialContext(t.Context(), "tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, err := io.WriteString(c, begin); err != nil {
		t.Fatal(err)
	}
	stop := make(chan struct{})
	defer close(stop)
	if drip {
		go func() {
			for {
				select {
				case <-stop:
					return
				case <-time.After(10 * time.Millisecond):
					_, _ = io.WriteString(c, "x") // fails when the server has closed
				}
			}
		}()
	}
	if err := c.SetReadDeadline(time.Now().Add(time.Minute)); err != nil { // far above the limits
		t.Fatal(err)
	}
	in := bufio.NewReader(c)
	if r, err := http.ReadResponse(in, nil); err == nil {
		text, _ := io.ReadAll(r.Body)
		_ = r.Body.Close()
		status, body = r.StatusCode, string(text)
	}
	if _, err := in.ReadByte(); err == nil {
		t.Errorf("the server sent more than one answer")
	} else if timeout, ok := err.(net.Error); ok && timeout.Timeout() { //nolint:errorlint // not wrapped
		t.Error("the connection stays open")
	}
	return status, body
}
