package main

import (
	"context"
	"database/sql"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/lib/pq"
)

// postgresFault disturbs a PostgreSQL that one server uses under load.
type postgresFault struct {
	name string
	// apply begins the fault, waits while it lasts and ends it.
	apply func(t *testing.T, f *disturbed)
	small bool // the database's disk has 48 MiB
}

// disturbed is what a fault can reach.
type disturbed struct {
	*cluster
	adminURL string  // of the database "postgres"
	admin    *sql.DB // one connection to it
	disk     string  // of a small database
	p        *Program
	x        *trial
}

// lasts waits until the server is not ready, and a second longer.
func (f *disturbed) lasts(t *testing.T) {
	t.Helper()
	await(t, "not ready", func() bool { status, _ := probe(t, f.p, "/readyz"); return status == 503 })
	time.Sleep(time.Second)
}

func (f *disturbed) sql(t *testing.T, text string) {
	t.Helper()
	if _, err := f.admin.ExecContext(context.Background(), text); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
}

// disconnect ends all connections to the database of the trial.
func (f *disturbed) disconnect(t *testing.T) {
	t.Helper()
	f.sql(t, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'trial'")
}

var postgresFaults = []postgresFault{
	{name: "PostgreSQL is restarted", apply: func(_ *testing.T, f *disturbed) { f.control("restart", "--mode=fast") }},
	{name: "PostgreSQL is stopped at once, and started after 3 s", apply: func(_ *testing.T, f *disturbed) {
		f.control("stop", "--mode=immediate")
		time.Sleep(3 * time.Second)
		f.control("start", "--options=-c listen_addresses= -c max_connections=400 -c unix_socket_directories="+f.folder)
	}},
	{name: "a process of PostgreSQL is killed (kill -9)", apply: func(t *testing.T, f *disturbed) {
		var pid int
		if err := f.admin.QueryRowContext(t.Context(), "SELECT pid FROM pg_stat_activity WHERE datname = 'trial' LIMIT 1").Scan(&pid); err != nil {
			t.Fatal(err)
		}
		if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
	}},
	{name: "all processes of PostgreSQL are frozen (SIGSTOP)", apply: func(t *testing.T, f *disturbed) {
		defer f.signal(syscall.SIGCONT)
		f.signal(syscall.SIGSTOP)
		f.lasts(t)
	}},
	{name: "others use all connections of PostgreSQL", apply: func(t *testing.T, f *disturbed) {
		greedy, err := sql.Open("postgres", f.adminURL)
		if err != nil {
			t.Fatal(err)
		}
		defer greedy.Close()
		var mine []*sql.Conn
		for refused := (time.Time{}); refused.IsZero() || time.Since(refused) < time.Second; {
			c, err := greedy.Conn(t.Context())
			if err == nil {
				mine = append(mine, c)
				continue
			}
			if e, ok := errors.AsType[*pq.Error](err); !ok || e.Code != "53300" {
				t.Fatal(err)
			}
			f.disconnect(t)
			if status, _ := probe(t, f.p, "/readyz"); status == 503 && refused.IsZero() {
				refused = time.Now()
			}
		}
		for _, c := range mine {
			_ = c.Close()
		}
	}},
	{name: "the disk of PostgreSQL is full", small: true, apply: func(t *testing.T, f *disturbed) {
		fill(t, f.disk, 0)
		await(t, "the server says so", func() bool {
			_, body := probe(t, f.p, "/readyz")
			return strings.Contains(body, "the disk of the database is full")
		})
		time.Sleep(2 * time.Second)
		if err := os.Remove(filepath.Join(f.disk, "filler")); err != nil {
			t.Fatal(err)
		}
	}},
	{name: "each write of PostgreSQL to its disk takes 200 ms longer", apply: func(t *testing.T, f *disturbed) {
		end := inject(t, "fsync,fdatasync,pwrite64:delay_enter=200ms", f.processes()...)
		defer end()
		began := time.Now()
		for range 10 {
			f.sql(t, "CREATE TABLE slow(); DROP TABLE slow")
		}
		if took := time.Since(began); took < 2*time.Second {
			t.Errorf("ten commits took %v: the disk is not slow", took)
		}
	}},
}

// Faults of PostgreSQL itself, under load: nothing acknowledged is lost, the cap is exact,
// and the server goes on without a restart.
func TestPostgresFails(t *testing.T) {
	chaos(t)
	for _, fault := range postgresFaults {
		t.Run(fault.name, func(t *testing.T) {
			c, adminURL := newCluster(t)
			f := &disturbed{cluster: c, adminURL: adminURL}
			var err error
			if f.admin, err = sql.Open("postgres", adminURL); err != nil {
				t.Fatal(err)
			}
			defer f.admin.Close()
			f.admin.SetMaxOpenConns(1)
			if fault.small {
				f.disk = smallDisk(t, "48")
			}
			databaseURL := c.newDatabase(f.admin, adminURL, f.disk)
			k := prepareTrial(t, databaseURL)
			f.p = NewProgram(Config{Listen: "127.0.0.1:0", DataDir: t.TempDir(), DatabaseURL: databaseURL, DatabaseTimeout: 2 * time.Second}, discard(), time.Now)
			if err := f.p.Run(t.Context()); err != nil {
				t.Fatal(err)
			}
			defer func() {
				if err := f.p.Close(); err != nil {
					t.Errorf("close: %v", err)
				}
			}()
			f.x = startTrial(t, k, f.p.OmahaURL())
			fault.apply(t, f)
			took := f.x.well(0)
			await(t, "ready", func() bool { status, _ := probe(t, f.p, "/readyz"); return status == 200 })
			f.x.end(fault.name, took)
		})
	}
}
