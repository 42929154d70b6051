package postgres

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"io"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/lib/pq"
)

const (
	// dialTimeout bounds the time to connect.
	dialTimeout = 5 * time.Second
	// DefaultLimit is how long a connection may wait for the next bytes of an answer. lib/pq
	// waits without a limit, also after the context of a statement ended.
	DefaultLimit = 20 * time.Second
	// readersFactor gives readers more time, because a recount reads every machine before it
	// answers.
	readersFactor = 3
	// silentAfter ends a connection whose peer acknowledges nothing any more, such as one
	// that a firewall forgot or that leads to an address that moved.
	silentAfter = 15 * time.Second
)

// networkOp marks the network errors of this package; see IsLost.
const networkOp = "database"

// dialer opens connections that end when the other side is silent.
type dialer struct {
	limit time.Duration  // of one read; 0: none, for the connection that listens
	made  func(net.Conn) // called with each connection; may be nil
	conns *conns         // keeps them; may be nil
}

// Dial implements pq.Dialer.
func (d *dialer) Dial(network, address string) (net.Conn, error) {
	return d.DialContext(context.Background(), network, address)
}

// DialTimeout implements pq.Dialer.
func (d *dialer) DialTimeout(network, address string, timeout time.Duration) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	return d.DialContext(ctx, network, address)
}

// DialContext implements pq.DialerContext.
func (d *dialer) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	n := net.Dialer{
		Timeout: dialTimeout, KeepAliveConfig: net.KeepAliveConfig{Enable: true, Idle: 10 * time.Second, Interval: 5 * time.Second, Count: 3},
		Control: limitSilence,
	}
	c, err := n.DialContext(ctx, network, address)
	if err != nil {
		return nil, marked(err)
	}
	out := &conn{Conn: c, limit: d.limit, conns: d.conns}
	out.received.Store(time.Now().UnixNano())
	d.conns.add(out)
	if d.made != nil {
		d.made(out)
	}
	return out, nil
}

// conn is a connection whose reads have a limit.
type conn struct {
	net.Conn
	limit    time.Duration
	conns    *conns
	received atomic.Int64 // Unix nanoseconds of the last byte
}

// Read implements net.Conn. lib/pq reads only while it waits for an answer.
func (c *conn) Read(p []byte) (int, error) {
	if c.limit > 0 {
		if err := c.SetReadDeadline(time.Now().Add(c.limit)); err != nil {
			return 0, marked(err)
		}
	}
	n, err := c.Conn.Read(p)
	if n > 0 {
		c.received.Store(time.Now().UnixNano())
	}
	if errors.Is(err, os.ErrDeadlineExceeded) {
		c.conns.suspect(time.Now().Add(-c.limit))
	}
	return n, marked(err)
}

// Write implements net.Conn.
func (c *conn) Write(p []byte) (int, error) {
	if err := c.SetWriteDeadline(time.Now().Add(silentAfter)); err != nil {
		return 0, marked(err)
	}
	n, err := c.Conn.Write(p)
	return n, marked(err)
}

// Close implements net.Conn.
func (c *conn) Close() error {
	c.conns.remove(c)
	return c.Conn.Close()
}

// conns are the open connections of the pools.
type conns struct {
	mu  sync.Mutex
	all map[*conn]struct{}
}

func (s *conns) add(c *conn) {
	if s == nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.all == nil {
		s.all = map[*conn]struct{}{}
	}
	s.all[c] = struct{}{}
}

func (s *conns) remove(c *conn) {
	if s == nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.all, c)
}

// suspect closes the connections that received nothing since a time, after one of them was
// silent for so long: they lead to the same place, and each would cost its next user the
// same time. lib/pq notices at the next use, before it sent anything, and takes another.
func (s *conns) suspect(since time.Time) {
	if s == nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for c := range s.all {
		if c.received.Load() < since.UnixNano() {
			_ = c.Conn.Close()
			delete(s.all, c)
		}
	}
}

// marked makes a network error recognizable. Its type stays that which lib/pq expects.
func marked(err error) error {
	if err == nil || err == io.EOF { //nolint:errorlint // as lib/pq compares it
		return err
	}
	return &net.OpError{Op: networkOp, Net: "connection", Err: err}
}

// open makes a pool whose connections are made by a dialer.
func open(databaseURL string, limit time.Duration, kept *conns) (*sql.DB, error) {
	c, err := pq.NewConnector(databaseURL)
	if err != nil {
		return nil, err
	}
	c.Dialer(&dialer{limit: limit, conns: kept})
	return sql.OpenDB(connector{c}), nil
}

// connector marks the errors of a start of a connection; the end of one would be io.EOF.
type connector struct{ *pq.Connector }

// Connect implements driver.Connector.
func (c connector) Connect(ctx context.Context) (driver.Conn, error) {
	out, err := c.Connector.Connect(ctx)
	if _, refused := errors.AsType[*pq.Error](err); err == nil || refused || IsLost(err) {
		return out, err
	}
	return nil, &net.OpError{Op: networkOp, Net: "start", Err: err}
}

// OpenToMigrate makes a pool whose statements may take as long as they need.
func OpenToMigrate(databaseURL string) (*sql.DB, error) { return open(databaseURL, 0, nil) }

// IsLost reports whether an error means that PostgreSQL cannot be used now: it is not
// reached, it stops or starts, it accepts no further connection, its disk is full, or it
// became read-only.
func IsLost(err error) bool {
	if e, ok := errors.AsType[*net.OpError](err); ok && e.Op == networkOp {
		return true
	}
	e, ok := errors.AsType[*pq.Error](err)
	if !ok {
		return false
	}
	switch e.Code.Class() {
	case "08", "53": // connection exception, insufficient resources
		return true
	}
	switch e.Code {
	case "57P01", "57P02", "57P03", "25006", "25P03", "58030": // stops, crashed, starts, read-only, idle in transaction, I/O error
		return true
	}
	return false
}

// IsFull reports whether PostgreSQL has no room on its disk.
func IsFull(err error) bool {
	e, ok := errors.AsType[*pq.Error](err)
	return ok && e.Code == "53100"
}
