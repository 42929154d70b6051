package main

import (
	"bufio"
	"database/sql"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coreroller/coreroller/ent/db/instance"
	"github.com/coreroller/coreroller/fleet"
	"github.com/coreroller/coreroller/fleet/fault"
	"github.com/coreroller/coreroller/simulate"
	"github.com/coreroller/coreroller/simulate/load"
	"github.com/coreroller/coreroller/store"
	"github.com/coreroller/coreroller/store/storetest"
)

// link is a network between a server and PostgreSQL that a test disturbs.
type link struct {
	t        *testing.T
	listener net.Listener
	socket   string // of PostgreSQL

	// Set with change, for later connections:
	deaf bool                                      // notifications are lost
	sent func(c net.Conn, part []byte) (pass bool) // called with what the server sends; may be nil
	got  func(c net.Conn)                          // called before an answer passes; may be nil

	mu     sync.Mutex
	frozen bool // nothing passes on new connections
	silent map[net.Conn]*sync.Mutex
	open   []net.Conn // both sides
}

// newLink returns a link and the database URL through it.
func newLink(t *testing.T, databaseURL string) (*link, string) {
	t.Helper()
	u, err := url.Parse(databaseURL)
	if err != nil {
		t.Fatal(err)
	}
	l := &link{t: t, silent: map[net.Conn]*sync.Mutex{}, socket: filepath.Join(u.Query().Get("host"), ".s.PGSQL.5432")}
	if l.listener, err = new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	q := u.Query()
	q.Del("host")
	u.RawQuery, u.Host = q.Encode(), l.listener.Addr().String()
	var ended sync.WaitGroup
	ended.Go(func() { l.accept(&ended) })
	t.Cleanup(func() {
		_ = l.listener.Close()
		l.cut()
		ended.Wait()
	})
	return l, u.String()
}

// change sets what the link does with later connections.
func (l *link) change(set func(*link)) {
	l.mu.Lock()
	defer l.mu.Unlock()
	set(l)
}

func (l *link) accept(ended *sync.WaitGroup) {
	for {
		client, err := l.listener.Accept()
		if err != nil {
			return
		}
		server, err := new(net.Dialer).DialContext(l.t.Context(), "unix", l.socket)
		if err != nil {
			_ = client.Close()
			continue
		}
		gate := new(sync.Mutex)
		l.mu.Lock()
		if l.frozen {
			gate.Lock()
		}
		l.silent[client], l.open = gate, append(l.open, client, server)
		deaf, sent, got := l.deaf, l.sent, l.got
		l.mu.Unlock()
		answers := io.Reader(server)
		if deaf {
			answers = withoutNotifications(server)
		}
		for _, way := range []struct {
			from io.Reader
			to   io.Writer
			look func([]byte) (pass bool)
		}{
			{client, server, func(part []byte) bool { return sent == nil || sent(client, part) }},
			{answers, client, func([]byte) bool {
				if got != nil {
					got(client)
				}
				return true
			}},
		} {
			ended.Go(func() {
				pass(way.from, way.to, gate, way.look)
				_ = client.Close()
				_ = server.Close()
			})
		}
	}
}

// pass copies bytes until look stops it; while the gate is locked they stay.
func pass(from io.Reader, to io.Writer, gate *sync.Mutex, look func([]byte) bool) {
	buf := make([]byte, 32<<10)
	for {
		n, err := from.Read(buf)
		gate.Lock()
		gate.Unlock() //nolint:staticcheck // waits only
		if n > 0 {
			if !look(buf[:n]) {
				return
			}
			if _, err := to.Write(buf[:n]); err != nil {
				return
			}
		}
		if err != nil {
			return
		}
	}
}

// withoutNotifications returns what PostgreSQL sends, without its NotificationResponse
// messages.
func withoutNotifications(server io.Reader) io.Reader {
	out, in := io.Pipe()
	go func() {
		const head = 5 // the type, and the length of the rest with itself
		for buf := bufio.NewReader(server); ; {
			first, err := buf.Peek(head)
			if err != nil {
				_ = in.CloseWithError(err)
				return
			}
			to := io.Writer(in)
			if first[0] == 'A' {
				to = io.Discard
			}
			if _, err := io.CopyN(to, buf, 1+int64(binary.BigEndian.Uint32(first[1:]))); err != nil {
				_ = in.CloseWithError(err)
				return
			}
		}
	}()
	return out
}

// silence stops all bytes on the connections that exist, and on later ones if all is set.
func (l *link) silence(all bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.frozen = all
	for _, gate := range l.silent {
		gate.TryLock()
	}
}

// resume lets the bytes pass again.
func (l *link) resume() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.frozen = false
	for _, gate := range l.silent {
		gate.TryLock()
		gate.Unlock()
	}
}

// cut closes all connections.
func (l *link) cut() {
	l.resume()
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, c := range l.open {
		_ = c.Close()
	}
}

// traffic is machines that register all the time, and what they were answered.
type traffic struct {
	k      *testGroup
	url    string
	client *simulate.Client
	stop   chan struct{}
	done   sync.WaitGroup

	mu       sync.Mutex
	next     int
	accepted []string // machines whose check was answered 200
	statuses map[int]int
	wellAt   time.Time // of the last 200
}

func startTraffic(k *testGroup, p *Program) *traffic {
	t := &traffic{k: k, url: p.URL(), client: simulate.NewClient(p.OmahaURL(), 4), stop: make(chan struct{}), statuses: map[int]int{}}
	for range 4 {
		t.done.Go(t.run)
	}
	return t
}

func (t *traffic) run() {
	f := load.NewFleet("io.example.os", trackName)
	for {
		select {
		case <-t.stop:
			return
		case <-time.After(5 * time.Millisecond):
		}
		t.mu.Lock()
		t.next++
		id := fmt.Sprintf("machine-%06d", t.next)
		t.mu.Unlock()
		r := t.client.Send(t.k.ctx, f.Append(nil, id, "1.0.0", load.Check))
		t.mu.Lock()
		t.statuses[r.Status]++
		if r.OK() {
			t.accepted, t.wellAt = append(t.accepted, id), time.Now()
		}
		t.mu.Unlock()
	}
}

func (t *traffic) wellSince(since time.Time) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.wellAt.After(since)
}

// end stops the machines and checks that nothing acknowledged was lost, and that no answer
// was an internal error.
func (t *traffic) end(test *testing.T, s *store.Store) map[int]int {
	test.Helper()
	close(t.stop)
	t.done.Wait()
	t.client.Close()
	for status := range t.statuses {
		if status != http.StatusOK && status != http.StatusServiceUnavailable {
			test.Errorf("%d answers with status %d", t.statuses[status], status)
		}
	}
	known, err := s.Reader().Instance.Query().Where(instance.MachineIDIn(t.accepted[max(0, len(t.accepted)-20_000):]...)).Count(t.k.ctx)
	if err != nil || known != len(t.accepted) {
		test.Errorf("%d machines were answered, %d are in the database: %v", len(t.accepted), known, err)
	}
	recount(test, s)
	return t.statuses
}

// probe asks a path; the answer must come within two seconds.
func probe(t *testing.T, p *Program, path string) (status int, body string) {
	t.Helper()
	began := time.Now()
	c := http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
	r, err := c.Get(p.URL() + path)
	if err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	defer r.Body.Close()
	text, _ := io.ReadAll(r.Body)
	if took := time.Since(began); took > 2*time.Second {
		t.Errorf("%s was answered after %v", path, took)
	}
	return r.StatusCode, string(text)
}

// await waits for a state of the server, and returns how long it took.
func await(t *testing.T, what string, is func() bool) time.Duration {
	t.Helper()
	began := time.Now()
	for !is() {
		if time.Since(began) > 90*time.Second {
			t.Fatalf("%s: not within 90 s", what)
		}
		time.Sleep(20 * time.Millisecond)
	}
	return time.Since(began)
}

// A database that is lost in one of several ways is noticed, machines get 503 and people
// UNAVAILABLE, nothing acknowledged is lost, and the server goes on without a restart.
func TestDatabaseIsLostAndFound(t *testing.T) {
	for name, c := range map[string]struct {
		begin     func(l *link)
		end       func(l *link)
		unnoticed bool // the server finds other connections at once
	}{
		"connections cut":          {func(l *link) { l.cut() }, func(*link) {}, true},
		"old connections silent":   {func(l *link) { l.silence(false) }, func(*link) {}, true},
		"nothing passes":           {func(l *link) { l.silence(true) }, func(l *link) { l.resume() }, false},
		"nothing passes, then cut": {func(l *link) { l.silence(true) }, func(l *link) { l.cut() }, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l, through := newLink(t, storetest.Postgres(t))
			p := NewProgram(Config{Listen: "127.0.0.1:0", DataDir: t.TempDir(), DatabaseURL: through, DatabaseTimeout: 2 * time.Second}, discard(), time.Now)
			if err := p.Run(t.Context()); err != nil {
				t.Fatal(err)
			}
			defer func() {
				if err := p.Close(); err != nil {
					t.Errorf("close: %v", err)
				}
			}()
			k := newTestGroup(t, p.fleet, p.store, fastPolicy(5))
			k.promote(t)
			client := simulate.NewClient(p.OmahaURL(), 1)
			defer client.Close()
			known := func() error {
				_, err := k.check(k.ctx, client, "known", "2.0.0")
				return err
			}
			if err := known(); err != nil {
				t.Fatal(err)
			}
			machines := startTraffic(k, p)
			await(t, "machines are answered", func() bool { return machines.wellSince(time.Time{}) })

			c.begin(l)
			if !c.unnoticed {
				await(t, "not ready", func() bool { status, _ := probe(t, p, "/readyz"); return status == http.StatusServiceUnavailable })
				if status, body := probe(t, p, "/livez"); status != http.StatusOK {
					t.Errorf("/livez: %d %s", status, body)
				}
				if err := known(); err != nil {
					t.Errorf("a machine that is known and up to date: %v", err)
				}
				await(t, "people get UNAVAILABLE", func() bool {
					_, err := p.fleet.CreateApplication(k.ctx, fleet.CreateApplication{Name: "x"})
					return fault.CodeOf(err) == fault.Unavailable
				})
			}
			c.end(l)
			since := time.Now()
			took := await(t, "machines are answered again", func() bool { return machines.wellSince(since) })
			await(t, "ready", func() bool { status, _ := probe(t, p, "/readyz"); return status == http.StatusOK })
			t.Logf("answered again %v after the end; statuses %v", took.Round(time.Millisecond), machines.end(t, p.store))
		})
	}
}

// PostgreSQL ends every connection of the server: no machine notices.
func TestTerminatedConnectionsAreNotNoticed(t *testing.T) {
	databaseURL := storetest.Postgres(t)
	p := startProgram(t, databaseURL)
	k := newTestGroup(t, p.fleet, p.store, fastPolicy(5))
	k.promote(t)
	machines := startTraffic(k, p)
	admin, err := sql.Open("postgres", databaseURL)
	if err != nil {
		t.Fatal(err)
	}
	defer admin.Close()
	for range 10 {
		since := time.Now()
		if _, err := admin.ExecContext(t.Context(), "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"); err != nil {
			t.Fatal(err)
		}
		await(t, "machines are answered", func() bool { return machines.wellSince(since) })
	}
	statuses := machines.end(t, p.store)
	// Only checks whose commit was cut are refused: whether it took place is not known.
	if statuses[http.StatusServiceUnavailable] > 4*10 {
		t.Errorf("statuses %v: more checks were refused than were being committed", statuses)
	}
	t.Logf("statuses %v", statuses)
}

// The file of the embedded database is deleted while the server runs: it says so and
// acknowledges nothing more.
func TestDeletedDatabaseFileIsNoticed(t *testing.T) {
	p := startProgram(t, "")
	k := newTestGroup(t, p.fleet, p.store, fastPolicy(5))
	if err := os.Remove(filepath.Join(p.config.DataDir, databaseFile)); err != nil {
		t.Fatal(err)
	}
	await(t, "not ready", func() bool { status, _ := probe(t, p, "/readyz"); return status == http.StatusServiceUnavailable })
	if _, err := p.fleet.CreateApplication(k.ctx, fleet.CreateApplication{Name: "x"}); fault.CodeOf(err) != fault.Unavailable {
		t.Errorf("a change was accepted: %v", err)
	}
	client := simulate.NewClient(p.OmahaURL(), 1)
	defer client.Close()
	if r := client.Send(k.ctx, load.NewFleet("io.example.os", trackName).Append(nil, "new", "1.0.0", load.Check)); r.Status != http.StatusServiceUnavailable {
		t.Errorf("a machine was answered %d %s", r.Status, r.Body)
	}
}

// A second server on the same folder is refused, and says which process has it.
func TestSecondServerOnAFolderIsRefused(t *testing.T) {
	p := startProgram(t, "")
	second := NewProgram(Config{Listen: "127.0.0.1:0", DataDir: p.config.DataDir}, discard(), time.Now)
	if err := second.Run(t.Context()); err == nil || !strings.Contains(err.Error(), fmt.Sprint("another server uses this database: process ", os.Getpid())) {
		_ = second.Close()
		t.Errorf("the second server: %v", err)
	}
	if status, _ := probe(t, p, "/readyz"); status != http.StatusOK {
		t.Errorf("the first server is not ready: %d", status)
	}
}
