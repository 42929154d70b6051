package main

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/coreroller/coreroller/fleet"
	"github.com/coreroller/coreroller/fleet/fault"
	"github.com/coreroller/coreroller/remote/payload/storage"
	"github.com/coreroller/coreroller/simulate"
)

// smallDisk mounts a disk of a size in MiB. Without the right to do so the test ends; the
// bounds are tested without a disk in acceptance.
func smallDisk(t *testing.T, size string) string {
	t.Helper()
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size="+size+"m"); err != nil {
		t.Skipf("mounting a disk needs the user root: %v", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(dir, syscall.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	return dir
}

// fill writes a file until a disk has so many free bytes left.
func fill(t *testing.T, dir string, leave int64) {
	t.Helper()
	f, err := os.OpenFile(filepath.Join(dir, "filler"), os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	for {
		free, _, _ := storage.Space(dir)
		if free <= leave {
			return
		}
		if _, err := f.Write(make([]byte, min(free-leave, 64<<10))); errors.Is(err, syscall.ENOSPC) {
			return
		} else if err != nil {
			t.Fatal(err)
		}
	}
}

// lines is a log that is read while it is written.
type lines struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *lines) Write(data []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(data)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// On a disk that fills up, new machines are refused first. When it is full, machines get
// 503, people a clear sentence, and the log a few lines; nothing acknowledged is lost, and
// the server goes on when there is room, without a restart.
func TestFullDisk(t *testing.T) {
	dir, log := smallDisk(t, "32"), &lines{}
	c := Config{Listen: "127.0.0.1:0", DataDir: dir, Disk: Disk{Warn: 4 << 20, Reserve: 2 << 20}}
	p := NewProgram(c, slog.New(newSampler(slog.NewTextHandler(log, nil), time.Now)), time.Now)
	if err := p.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := p.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	k := newTestGroup(t, p.fleet, p.store, fastPolicy(5))
	k.promote(t)
	machines := startTraffic(k, p)
	await(t, "machines are answered", func() bool { return machines.wellSince(time.Time{}) })
	client := simulate.NewClient(p.OmahaURL(), 1)
	defer client.Close()
	if _, err := k.check(k.ctx, client, "known", "1.0.0"); err != nil {
		t.Fatal(err)
	}

	fill(t, dir, 3<<19)                              // 1.5 MiB: below the reserve
	if err := p.fleet.Disk.Look(k.ctx); err != nil { // new machines would fill it within seconds
		t.Fatal(err)
	}
	await(t, "new machines are refused", func() bool { return p.fleet.Disk.Refused() > 0 })
	if _, err := k.check(k.ctx, client, "known", "1.0.0"); err != nil {
		t.Errorf("a known machine: %v", err)
	}
	if status, body := probe(t, p, "/readyz"); status != http.StatusOK || !strings.Contains(body, "new machines and uploads are refused") {
		t.Errorf("/readyz: %d %s", status, body)
	}
	if _, err := p.fleet.PauseUpdates(k.ctx, fleet.PauseUpdates{GroupID: k.group, Reason: "no room"}); err != nil {
		t.Errorf("a pause: %v", err)
	}

	fill(t, dir, 0)
	tries := 0
	full := func() error { // until nothing is left in the files of the database
		tries++
		_, err := p.fleet.CreateApplication(k.ctx, fleet.CreateApplication{Name: fmt.Sprint("application ", tries), Description: strings.Repeat("long ", 100)})
		return err
	}
	await(t, "people get UNAVAILABLE", func() bool { return fault.CodeOf(full()) == fault.Unavailable })
	if all := fault.All(full()); len(all) != 1 || !strings.Contains(all[0].Message, "the disk of the database is full: make room") {
		t.Errorf("people read %v", all)
	}
	await(t, "not ready", func() bool { status, _ := probe(t, p, "/readyz"); return status == http.StatusServiceUnavailable })

	if err := os.Remove(filepath.Join(dir, "filler")); err != nil {
		t.Fatal(err)
	}
	since := time.Now()
	took := await(t, "machines are answered again", func() bool { return machines.wellSince(since) })
	await(t, "ready", func() bool { status, body := probe(t, p, "/readyz"); return status == http.StatusOK && body == "ok\n" })
	statuses := machines.end(t, p.store)
	text := log.String()
	if n := strings.Count(text, "\n"); n > 20 || !strings.Contains(text, "the disk is nearly full") || !strings.Contains(text, "the database cannot be used") || !strings.Contains(text, "the disk has room again") {
		t.Errorf("%d lines of the log:\n%s", n, text)
	}
	t.Logf("answered again after %v; statuses %v", took.Round(time.Millisecond), statuses)
}
