package server

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"
)

// Four connections may be open. The fifth is served after one closes. While all
// four are open, connections are closed after their response.
func TestConnectionsAreLimited(t *testing.T) {
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var log bytes.Buffer // written by Accept only
	limited := LimitConnections(listener, ConnectionLimits{Name: "listen", Open: 4, PerAddress: 4, Log: slog.New(slog.NewTextHandler(&log, nil))})
	web := &http.Server{Handler: limited.LimitKeepAlives(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "hello") }))}
	ended := make(chan error, 1)
	go func() { ended <- web.Serve(limited) }()
	t.Cleanup(func() {
		_ = web.Close()
		if err := <-ended; !errors.Is(err, net.ErrClosed) { // the test closed it
			t.Error(err)
		}
		if n := limited.full.Load(); n == 0 || !strings.Contains(log.String(), "all connections are in use") || !strings.Contains(log.String(), "listener=listen limit=4") {
			t.Errorf("full %d times, log %q", n, log.String())
		}
	})

	dial := func() (net.Conn, *bufio.Reader) {
		c, err := new(net.Dialer).DialContext(t.Context(), "tcp", listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = c.Close() })
		return c, bufio.NewReader(c)
	}
	send := func(c net.Conn) {
		if _, err := fmt.Fprint(c, "GET / HTTP/1.1\r\nHost: x\r\n\r\n"); err != nil {
			t.Fatal(err)
		}
	}
	read := func(in *bufio.Reader) (closes bool) {
		r, err := http.ReadResponse(in, nil)
		if err != nil {
			t.Fatal(err)
		}
		defer r.Body.Close()
		if body, err := io.ReadAll(r.Body); err != nil || string(body) != "hello" {
			t.Fatalf("%s %v", body, err)
		}
		return r.Close
	}
	type client struct {
		conn net.Conn
		in   *bufio.Reader
	}
	var kept []client
	for range 2 {
		c, in := dial()
		send(c)
		if read(in) {
			t.Error("a connection is closed below the threshold")
		}
		kept = append(kept, client{c, in})
	}
	silent := make([]net.Conn, 2)
	for i := range silent {
		silent[i], _ = dial() // accepted before the next, in this order
	}
	late, in := dial()
	send(late)
	_ = silent[0].Close()
	if !read(in) {
		t.Error("a connection is kept open above the threshold")
	}
	_ = silent[1].Close()
	for limited.open.Load() > 2 { // until the server has closed its side
		c, in := dial()
		send(c)
		read(in)
		_ = c.Close()
	}
	send(kept[0].conn)
	if read(kept[0].in) {
		t.Error("a connection is closed although only two are open")
	}
	if err := limited.Close(); err != nil {
		t.Error(err)
	}
	if _, err := limited.Accept(); err == nil || !strings.Contains(err.Error(), "closed") {
		t.Errorf("a closed listener accepts: %v", err)
	}
}

// A client that is between two requests loses its connection when another one waits.
func TestIdleConnectionsMakeRoom(t *testing.T) {
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	limited := LimitConnections(listener, ConnectionLimits{Name: "listen", Open: 20, PerAddress: 100})
	web := &http.Server{Handler: limited.LimitKeepAlives(http.NotFoundHandler())}
	limited.CloseIdleOf(web)
	ended := make(chan error, 1)
	go func() { ended <- web.Serve(limited) }()
	t.Cleanup(func() {
		_ = web.Close()
		if err := <-ended; !errors.Is(err, http.ErrServerClosed) {
			t.Error(err)
		}
	})
	get := func() {
		t.Helper()
		c, err := new(net.Dialer).DialContext(t.Context(), "tcp", listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = c.Close() })
		if err := c.SetDeadline(time.Now().Add(time.Minute)); err != nil {
			t.Fatal(err)
		}
		if _, err := fmt.Fprint(c, "GET / HTTP/1.1\r\nHost: x\r\n\r\n"); err != nil {
			t.Fatal(err)
		}
		r, err := http.ReadResponse(bufio.NewReader(c), nil)
		if err != nil {
			t.Fatal(err)
		}
		_ = r.Body.Close()
	}
	for range 18 { // 90 %: the server keeps them
		get()
	}
	for range 2 { // these send nothing
		c, err := new(net.Dialer).DialContext(t.Context(), "tcp", listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
	}
	get()
	if limited.full.Load() == 0 {
		t.Error("the connections were never all in use: the test shows nothing")
	}
}

// lastFile is a listener for which no file is left, once.
type lastFile struct {
	net.Listener
	tries int
}

func (l *lastFile) Accept() (net.Conn, error) {
	if l.tries++; l.tries == 1 {
		return nil, &net.OpError{Op: "accept", Net: "tcp", Err: os.NewSyscallError("accept4", syscall.EMFILE)}
	}
	return l.Listener.Accept()
}

// A process without a file left says so, and net/http tries again.
func TestAcceptWithoutAFileIsLogged(t *testing.T) {
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var log bytes.Buffer // written by Accept only
	limited := LimitConnections(&lastFile{Listener: listener}, ConnectionLimits{Name: "listen", Open: 4, PerAddress: 4, Log: slog.New(slog.NewTextHandler(&log, nil))})
	web := &http.Server{Handler: http.NotFoundHandler(), ErrorLog: slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)}
	ended := make(chan error, 1)
	go func() { ended <- web.Serve(limited) }()
	r, err := http.Get("http://" + listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	_ = r.Body.Close()
	_ = web.Close()
	if err := <-ended; !errors.Is(err, http.ErrServerClosed) {
		t.Error(err)
	}
	if text := log.String(); strings.Count(text, "no further file can be opened") != 1 || !strings.Contains(text, "too many open files") {
		t.Errorf("log %q", text)
	}
}
