package main

import (
	"bufio"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/coreroller/coreroller/store/storetest"
)

// cluster is a PostgreSQL of a test of its own, for faults that reach all its databases.
// Its commits are durable.
type cluster struct {
	t      *testing.T
	folder string // with the data and the socket
	bin    string // PostgreSQL's programs
}

// newCluster returns a cluster that ends with the test, and the URL of the database
// "postgres".
func newCluster(t *testing.T) (c *cluster, databaseURL string) {
	t.Helper()
	storetest.Postgres(t) // skips, or fails in CI, without PostgreSQL
	run := exec.Command("../../scripts/with-postgres", "-durable", "sh", "-c", `echo "$COREROLLER_TEST_POSTGRES"; cat`)
	in, err := run.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := run.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	run.Stderr = os.Stderr
	if err := run.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = in.Close() // ends cat, and so the cluster
		_, _ = io.Copy(io.Discard, out)
		if err := run.Wait(); err != nil {
			t.Error(err)
		}
	})
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	databaseURL = strings.TrimSpace(line)
	u, err := url.Parse(databaseURL)
	if err != nil {
		t.Fatal(err)
	}
	all, err := filepath.Glob("/usr/lib/postgresql/*/bin")
	if err != nil || len(all) == 0 {
		t.Fatalf("PostgreSQL's programs are not in /usr/lib/postgresql: %v", err)
	}
	return &cluster{t: t, folder: u.Query().Get("host"), bin: all[len(all)-1]}, databaseURL
}

// control runs pg_ctl as the user of the cluster.
func (c *cluster) control(args ...string) {
	c.t.Helper()
	args = append([]string{filepath.Join(c.bin, "pg_ctl"), "--pgdata", filepath.Join(c.folder, "data"), "--log", filepath.Join(c.folder, "log-after-start"), "--wait", "--silent"}, args...)
	if os.Getuid() == 0 {
		args = append([]string{"setpriv", "--reuid=postgres", "--regid=postgres", "--init-groups"}, args...)
	}
	run := exec.Command(args[0], args[1:]...)
	run.Dir = c.folder
	if out, err := run.CombinedOutput(); err != nil {
		c.t.Fatalf("%v: %v\n%s", args, err, out)
	}
}

// postmaster returns the first process of the cluster.
func (c *cluster) postmaster() int {
	c.t.Helper()
	text, err := os.ReadFile(filepath.Join(c.folder, "data", "postmaster.pid"))
	if err != nil {
		c.t.Fatal(err)
	}
	first, _, _ := strings.Cut(string(text), "\n")
	pid, err := strconv.Atoi(first)
	if err != nil {
		c.t.Fatal(err)
	}
	return pid
}

// processes returns all processes of the cluster, the postmaster first.
func (c *cluster) processes() []int {
	c.t.Helper()
	first := c.postmaster()
	children, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/children", first, first))
	if err != nil {
		c.t.Fatal(err)
	}
	all := []int{first}
	for text := range strings.FieldsSeq(string(children)) {
		if pid, err := strconv.Atoi(text); err == nil {
			all = append(all, pid)
		}
	}
	return all
}

// signal sends a signal to all processes. Those that ended in between are left out.
func (c *cluster) signal(s syscall.Signal) {
	for _, pid := range c.processes() {
		_ = syscall.Kill(pid, s)
	}
}

// newDatabase returns the URL of the database "trial". Its tables are in a folder, "": with
// the other data.
func (c *cluster) newDatabase(admin *sql.DB, databaseURL, folder string) string {
	c.t.Helper()
	texts := []string{"CREATE DATABASE trial"}
	if folder != "" {
		owner, err := user.Lookup("postgres")
		if err != nil {
			c.t.Fatal(err)
		}
		uid, _ := strconv.Atoi(owner.Uid)
		gid, _ := strconv.Atoi(owner.Gid)
		if err := errors.Join(os.Chown(folder, uid, gid), os.Chmod(filepath.Dir(folder), 0o755)); err != nil {
			c.t.Fatal(err)
		}
		texts = []string{"CREATE TABLESPACE elsewhere LOCATION '" + folder + "'", "CREATE DATABASE trial TABLESPACE elsewhere"}
	}
	for _, text := range texts {
		if _, err := admin.ExecContext(c.t.Context(), text); err != nil {
			c.t.Fatal(err)
		}
	}
	return strings.Replace(databaseURL, "/postgres?", "/trial?", 1)
}

// inject changes system calls of processes, and of their later children, with strace until
// the returned function is called.
func inject(t *testing.T, what string, pids ...int) (end func()) {
	t.Helper()
	calls, _, _ := strings.Cut(what, ":")
	args := []string{"--follow-forks", "--quiet=attach,exit", "--trace=" + calls, "--inject=" + what, "--output=/dev/null"}
	for _, pid := range pids {
		args = append(args, "--attach="+strconv.Itoa(pid))
	}
	run := exec.Command("strace", args...)
	run.Stderr = os.Stderr
	if err := run.Start(); err != nil {
		t.Fatalf("strace, which make chaos installs: %v", err)
	}
	await(t, "strace is attached", func() bool {
		return !slices.ContainsFunc(pids, func(pid int) bool {
			text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
			return err == nil && strings.Contains(string(text), "TracerPid:\t0\n") && !strings.Contains(string(text), "State:\tZ")
		})
	})
	var ended bool
	end = func() {
		if !ended {
			ended = true
			_ = run.Process.Signal(os.Interrupt)
			_ = run.Wait() // the error is the signal
		}
	}
	t.Cleanup(end)
	return end
}
