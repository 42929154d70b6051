package server

import (
	"net"
	"net/http"
	"sync"
	"sync/atomic"
)

// Connections is a listener with at most so many connections open, which
// bounds the memory of those that send slowly or nothing at all. The next ones
// wait in the kernel's queue until one is closed: a machine that waits there is
// late and not refused.
type Connections struct {
	net.Listener
	slots  chan struct{}
	open   atomic.Int64
	closed chan struct{}
	once   sync.Once
}

// Bound bounds a listener; most is above zero.
func Bound(l net.Listener, most int) *Connections {
	return &Connections{Listener: l, slots: make(chan struct{}, most), closed: make(chan struct{})}
}

// Accept implements net.Listener.
func (c *Connections) Accept() (net.Conn, error) {
	select {
	case c.slots <- struct{}{}:
	case <-c.closed:
		return nil, net.ErrClosed
	}
	conn, err := c.Listener.Accept()
	if err != nil {
		<-c.slots
		return nil, err
	}
	c.open.Add(1)
	return &connection{Conn: conn, done: sync.OnceFunc(func() {
		c.open.Add(-1)
		<-c.slots
	})}, nil
}

// Close implements net.Listener. Connections that are open stay.
func (c *Connections) Close() error {
	c.once.Do(func() { close(c.closed) })
	return c.Listener.Close()
}

// Spare closes each connection after its answer while more than nine of ten are
// open, so that those that are kept open without need never keep others out.
// Not earlier: to open one costs both sides more than an answer. The OS daemon
// opens a new one for each request anyway.
func (c *Connections) Spare(next http.Handler) http.Handler {
	most := int64(cap(c.slots) * 9 / 10)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if c.open.Load() > most && r.Header.Get("Upgrade") == "" {
			w.Header().Set("Connection", "close")
		}
		next.ServeHTTP(w, r)
	})
}

// connection gives its place back when it is closed, also after it was taken
// over by a websocket.
type connection struct {
	net.Conn
	done func()
}

// Close implements net.Conn.
func (c *connection) Close() error {
	defer c.done()
	return c.Conn.Close()
}
