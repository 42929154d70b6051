package main

import (
	"database/sql"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/coreroller/coreroller/auth"
	"github.com/coreroller/coreroller/fleet"
	"github.com/coreroller/coreroller/fleet/fault"
	"github.com/coreroller/coreroller/simulate"
	"github.com/coreroller/coreroller/simulate/load"
	"github.com/coreroller/coreroller/store/storetest"
)

// startTrialOnSQLite starts the program on a file of its own, under load.
func startTrialOnSQLite(t *testing.T, binary string) (x *trial, server *child, args []string) {
	t.Helper()
	file := storetest.SQLite(t)
	k := prepareTrial(t, file)
	args = []string{"serve", "--listen", freeAddress(t), "--log-level", "warn", "--data-dir", filepath.Dir(file)}
	server = startChild(t, binary, args)
	return startTrial(t, k, server.url+"/v1/update/"), server, args
}

// refused waits until n more requests were answered 503.
func (x *trial) refused(n int) {
	x.t.Helper()
	count := func() int {
		x.mu.Lock()
		defer x.mu.Unlock()
		return x.statuses[http.StatusServiceUnavailable]
	}
	want := count() + n
	await(x.t, "machines are refused", func() bool { return count() >= want })
}

// The disk of the embedded database fails in several ways, under load: nothing acknowledged
// is lost, and the server goes on without a restart.
func TestDiskOfTheEmbeddedDatabaseFails(t *testing.T) {
	chaos(t)
	binary := buildProgram(t)
	for _, c := range []struct {
		name, inject string
		refuses      bool
	}{
		{"each sync of the embedded database takes 200 ms longer", "fsync,fdatasync:delay_enter=200ms", false},
		{"each write of the embedded database fails (EIO)", "pwrite64:error=EIO", true},
		{"each sync of the embedded database fails (EIO)", "fsync,fdatasync:error=EIO", true},
		{"the disk of the embedded database becomes read-only (EROFS)", "pwrite64,ftruncate:error=EROFS", true},
	} {
		t.Run(c.name, func(t *testing.T) {
			x, server, _ := startTrialOnSQLite(t, binary)
			end := inject(t, c.inject, server.cmd.Process.Pid)
			if c.refuses {
				x.refused(10)
				await(t, "not ready", func() bool {
					status, err := http.Get(server.url + "/readyz")
					if err != nil {
						return false
					}
					_ = status.Body.Close()
					return status.StatusCode == http.StatusServiceUnavailable
				})
			} else {
				time.Sleep(5 * time.Second)
			}
			end()
			took := x.well(0)
			x.end(c.name, took)
			server.stop(t)
		})
	}
}

// The server with the embedded database is killed at its first, second, fourth … write or
// sync of a file under load.
func TestEmbeddedServerIsKilledAtAWrite(t *testing.T) {
	chaos(t)
	binary := buildProgram(t)
	x, server, args := startTrialOnSQLite(t, binary)
	kills := 0
	for _, call := range []string{"pwrite64", "fsync,fdatasync"} {
		for n := 1; n <= 64; n *= 4 {
			inject(t, fmt.Sprintf("%s:signal=KILL:when=%d", call, n), server.cmd.Process.Pid)
			_ = server.cmd.Wait() // the error is the signal
			if server.cmd.ProcessState.Exited() {
				t.Fatalf("the server ended by itself: %s", server.log)
			}
			kills++
			server = startChild(t, binary, args)
			x.well(0)
		}
	}
	x.end(fmt.Sprintf("kill -9 at a write or sync of the embedded database, %d times", kills), 0)
	server.stop(t)
}

// A folder that cannot be written is refused at the start, with its name.
func TestReadOnlyFolderIsRefused(t *testing.T) {
	dir := smallDisk(t, "8")
	if err := syscall.Mount("", dir, "", syscall.MS_REMOUNT|syscall.MS_RDONLY, ""); err != nil {
		t.Fatal(err)
	}
	p := NewProgram(Config{Listen: "127.0.0.1:0", DataDir: dir}, discard(), time.Now)
	if err := p.Run(t.Context()); err == nil || !strings.Contains(err.Error(), dir) || !strings.Contains(err.Error(), "read-only") {
		_ = p.Close()
		t.Errorf("started with %v", err)
	}
}

// damage overwrites the first page of a table in a database file that is not in use.
func damage(t *testing.T, file, table string) {
	t.Helper()
	d, err := sql.Open("sqlite", file)
	if err != nil {
		t.Fatal(err)
	}
	var page, size int64
	err = errors.Join(
		d.QueryRowContext(t.Context(), "SELECT rootpage FROM sqlite_master WHERE name = ?", table).Scan(&page),
		d.QueryRowContext(t.Context(), "PRAGMA page_size").Scan(&size), d.Close(),
	)
	if err != nil {
		t.Fatal(err)
	}
	f, err := os.OpenFile(file, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	_, err = f.WriteAt([]byte(strings.Repeat("damage", int(size)/6)), (page-1)*size)
	if err := errors.Join(err, f.Close()); err != nil {
		t.Fatal(err)
	}
}

// The file of the embedded database is damaged: as soon as the server reads such a part, it
// acknowledges nothing more and says what to do. A file that is no database is refused.
func TestDamagedDatabaseIsNoticed(t *testing.T) {
	const text = "the file of the database is damaged"
	c := Config{Listen: "127.0.0.1:0", DataDir: t.TempDir()}
	file := filepath.Join(c.DataDir, databaseFile)
	p := NewProgram(c, discard(), time.Now)
	if err := p.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	newTestGroup(t, p.fleet, p.store, fastPolicy(5)).promote(t)
	if err := p.Close(); err != nil {
		t.Fatal(err)
	}
	damage(t, file, "history_entries") // a grant writes there
	p = NewProgram(c, discard(), time.Now)
	if err := p.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	client := simulate.NewClient(p.OmahaURL(), 1)
	defer client.Close()
	f := load.NewFleet("io.example.os", trackName)
	for i := range 3 {
		r := client.Send(t.Context(), f.Append(nil, fmt.Sprint("machine-", i), "1.0.0", load.Check))
		if r.Status != http.StatusServiceUnavailable {
			t.Errorf("machine %d was answered %d %s", i, r.Status, r.Body)
		}
	}
	ctx := auth.With(t.Context(), commandPrincipal("test"))
	_, err := p.fleet.CreateApplication(ctx, fleet.CreateApplication{Name: "x"})
	if all := fault.All(err); len(all) != 1 || all[0].Code != fault.Unavailable || !strings.Contains(all[0].Message, text) {
		t.Errorf("people read %v, from %v", all, err)
	}
	await(t, "not ready", func() bool {
		status, body := probe(t, p, "/readyz")
		return status == http.StatusServiceUnavailable && strings.Contains(body, text)
	})
	if err := p.Close(); err != nil && !strings.Contains(err.Error(), text) {
		t.Errorf("close: %v", err)
	}

	if err := os.WriteFile(file, []byte(strings.Repeat("no database ", 1000)), 0o600); err != nil {
		t.Fatal(err)
	}
	p = NewProgram(c, discard(), time.Now)
	if err := p.Run(t.Context()); err == nil || !strings.Contains(err.Error(), text) || !strings.Contains(err.Error(), file) {
		_ = p.Close()
		t.Errorf("a file that is no database: %v", err)
	}
}
