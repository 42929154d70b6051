package server

import (
	"errors"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/net/netutil"

	"github.com/coreroller/coreroller/omaha"
)

// Connections is a listener that caps the open connections, which bounds the
// memory taken by slow and idle clients. Further connections wait in the
// kernel's queue until one closes, so that a machine is delayed, not refused.
type Connections struct {
	net.Listener
	limits  ConnectionLimits
	server  *http.Server // see CloseIdleOf; may be nil
	open    atomic.Int64
	full    atomic.Int64 // how often all were in use
	closing atomic.Bool  // idle connections are about to be closed
	clients *clients
	proxies omaha.Proxies // not limited: all clients come through them
}

// ConnectionLimits are what one listener accepts. Both limits must be above 0.
type ConnectionLimits struct {
	Name       string // of the listener; a label of metrics
	Open       int
	PerAddress int
	Proxies    []netip.Prefix // trusted; PerAddress does not apply to them
	Log        *slog.Logger   // nil discards
}

const (
	// closeIdleAfter is the time between the moment at which all connections are in use and
	// the one at which idle ones are closed, which takes time for each that is open.
	closeIdleAfter = 100 * time.Millisecond
	// closeIdleEvery is the time until that is repeated while all are in use.
	closeIdleEvery = time.Second
)

// LimitConnections caps the open connections of a listener, and those of one address
// other than a trusted proxy's.
func LimitConnections(l net.Listener, limits ConnectionLimits) *Connections {
	if limits.Log == nil {
		limits.Log = slog.New(slog.DiscardHandler)
	}
	return &Connections{Listener: netutil.LimitListener(l, limits.Open), limits: limits, clients: newClients(limits.PerAddress), proxies: limits.Proxies}
}

// Accept implements net.Listener. A connection above the limit of its address is closed
// at once, so that it keeps no other client waiting.
func (c *Connections) Accept() (net.Conn, error) {
	for {
		if c.Full() {
			c.full.Add(1)
			c.closeIdle()
			c.limits.Log.Warn("all connections are in use: further ones wait until one closes", "listener", c.limits.Name, "limit", c.limits.Open)
		}
		conn, err := c.Listener.Accept()
		if err != nil {
			if errors.Is(err, syscall.EMFILE) || errors.Is(err, syscall.ENFILE) { // net/http tries again
				c.limits.Log.Error("no further file can be opened: connections wait", "listener", c.limits.Name, "error", err)
			}
			return nil, err
		}
		leave, ok := func() {}, true
		if peer, err := netip.ParseAddrPort(conn.RemoteAddr().String()); err == nil && !c.proxies.Contain(peer.Addr().Unmap()) {
			leave, ok = c.clients.enter(peer.Addr().String())
		}
		if !ok {
			_ = conn.Close()
			continue
		}
		c.open.Add(1)
		return &connection{Conn: conn, closed: sync.OnceFunc(func() { c.open.Add(-1); leave() })}, nil
	}
}

// CloseIdleOf makes full connections close the idle ones of a server: a client that is
// between two requests must not keep others waiting. Call it before the server serves.
func (c *Connections) CloseIdleOf(s *http.Server) { c.server = s }

func (c *Connections) closeIdle() {
	if c.server != nil && c.closing.CompareAndSwap(false, true) {
		time.AfterFunc(closeIdleAfter, c.closeIdleWhileFull)
	}
}

func (c *Connections) closeIdleWhileFull() {
	if !c.Full() {
		c.closing.Store(false)
		return
	}
	// Also closes connections on which nothing was sent for five seconds.
	c.server.SetKeepAlivesEnabled(false)
	c.server.SetKeepAlivesEnabled(true)
	time.AfterFunc(closeIdleEvery, c.closeIdleWhileFull)
}

// Full reports whether all connections are in use, so that further ones wait.
func (c *Connections) Full() bool { return c.open.Load() >= int64(c.limits.Open) }

// LimitKeepAlives closes each connection after its response while more than 90 %
// of the limit are open, so that idle clients do not keep others waiting. Below
// that connections stay open, because opening one costs more than a response.
// update_engine opens a new connection for each request anyway.
func (c *Connections) LimitKeepAlives(next http.Handler) http.Handler {
	threshold := int64(c.limits.Open * 9 / 10)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if c.open.Load() > threshold && r.Header.Get("Upgrade") == "" {
			w.Header().Set("Connection", "close")
		}
		next.ServeHTTP(w, r)
	})
}

// connection reports when it is closed, also after a websocket took it over.
type connection struct {
	net.Conn
	closed func()
}

// Close implements net.Conn.
func (c *connection) Close() error {
	defer c.closed()
	return c.Conn.Close()
}
