package server

import (
	"net"
	"net/http"
	"net/netip"
	"sync"
	"sync/atomic"

	"golang.org/x/net/netutil"

	"github.com/coreroller/coreroller/omaha"
)

// Connections is a listener that caps the open connections, which bounds the
// memory taken by slow and idle clients. Further connections wait in the
// kernel's queue until one closes, so that a machine is delayed, not refused.
type Connections struct {
	net.Listener
	limit   int
	open    atomic.Int64
	clients *clients
	proxies omaha.Proxies // not limited: all clients come through them
}

// LimitConnections caps the open connections of a listener, and those of one address
// other than a trusted proxy's. Both limits must be above 0.
func LimitConnections(l net.Listener, limit, perAddress int, proxies []netip.Prefix) *Connections {
	return &Connections{Listener: netutil.LimitListener(l, limit), limit: limit, clients: newClients(perAddress), proxies: proxies}
}

// Accept implements net.Listener. A connection above the limit of its address is closed
// at once, so that it keeps no other client waiting.
func (c *Connections) Accept() (net.Conn, error) {
	for {
		conn, err := c.Listener.Accept()
		if err != nil {
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

// LimitKeepAlives closes each connection after its response while more than 90 %
// of the limit are open, so that idle clients do not keep others waiting. Below
// that connections stay open, because opening one costs more than a response.
// update_engine opens a new connection for each request anyway.
func (c *Connections) LimitKeepAlives(next http.Handler) http.Handler {
	threshold := int64(c.limit * 9 / 10)
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
