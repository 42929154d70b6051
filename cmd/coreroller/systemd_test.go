package main

import (
	"context"
	"errors"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// The service manager is notified when requests are accepted, and when the server stops.
func TestServeNotifiesSystemd(t *testing.T) {
	for _, abstract := range []bool{false, true} {
		dir, err := os.MkdirTemp("", "") //nolint:usetesting // t.TempDir is too long for the name of a socket
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = os.RemoveAll(dir) }()
		name := filepath.Join(dir, "notify")
		if abstract {
			name = "@" + name
		}
		manager, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: name, Net: "unixgram"})
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = manager.Close() }()
		if err := manager.SetReadDeadline(time.Now().Add(time.Minute)); err != nil {
			t.Fatal(err)
		}
		states := make(chan string, 2)
		go func() {
			defer close(states)
			for buffer := make([]byte, 100); ; {
				n, err := manager.Read(buffer)
				if err != nil {
					return
				}
				states <- string(buffer[:n])
			}
		}()
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan int)
		go func() {
			out, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0)
			if err != nil {
				t.Error(err)
			}
			defer func() { _ = out.Close() }()
			p := process{Environ: []string{"NOTIFY_SOCKET=" + name}, Stdout: out, Stderr: out}
			ended <- run(ctx, p, []string{"serve", "--listen", "127.0.0.1:0", "--data-dir", filepath.Join(dir, "data")})
		}()
		if state := <-states; state != "READY=1" {
			t.Errorf("first state %q", state)
		}
		stop()
		if state := <-states; state != "STOPPING=1" {
			t.Errorf("second state %q", state)
		}
		if code := <-ended; code != 0 {
			t.Errorf("exit code %d", code)
		}
	}
	err := notifySystemd(t.Context(), []string{"NOTIFY_SOCKET=/none/socket"}, "READY=1")
	if _, ok := errors.AsType[*net.OpError](err); !ok {
		t.Errorf("a socket that does not exist: %v", err)
	}
	if err := notifySystemd(t.Context(), []string{"NOTIFY_SOCKET="}, "READY=1"); err != nil {
		t.Error(err)
	}
}
