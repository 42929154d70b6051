package load

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"sync"
	"time"
)

// Source is what one connection sends next: the body of a request, appended to
// buf. answer is the body of the last answer on this connection, nil before the
// first and after one that was not 200; it is good until Source returns. Nil
// instead of a body ends the connection. It is called for different connections
// at the same time.
type Source func(connection int, answer, buf []byte) []byte

// Plan is one measurement.
type Plan struct {
	Address string // host:port
	TLS     bool
	Host    string // of the Host header; "" is Address
	Path    string // "" is /v1/update/

	// Connections each wait for their answer before they send the next request.
	Connections int
	// Reconnect opens a new connection for each request, as update_engine does;
	// the time to connect is part of the answer's then.
	Reconnect bool

	// Rate is requests per second, all connections together: an open loop. Each
	// request has a moment at which it is due and its time counts from there, so
	// that a server that falls behind cannot hide it. 0 is a closed loop.
	Rate   float64
	Length time.Duration
	Source Source
}

// patience is how long an answer may take before it counts as none:
// update_engine's own connect timeout.
const patience = 30 * time.Second

// afterFailure is how long a connection of a closed loop waits when it was not
// answered, so that a server that is gone is not hammered.
const afterFailure = 100 * time.Millisecond

// Run follows a plan and returns what was measured, also when ctx ends it early.
// The error says that nothing was answered.
func Run(ctx context.Context, p Plan) (*Result, error) {
	if p.Path == "" {
		p.Path = "/v1/update/"
	}
	if p.Host == "" {
		p.Host = p.Address
	}
	start := time.Now()
	r := &Result{start: start, until: start.Add(p.Length), cpu: -ownTime()}
	var g sync.WaitGroup
	for n := range p.Connections {
		c := &connection{plan: &p, number: n, result: r, next: r.start}
		if p.Rate > 0 {
			c.every = time.Duration(float64(p.Connections) / p.Rate * float64(time.Second))
			c.next = r.start.Add(c.every * time.Duration(n) / time.Duration(p.Connections))
		}
		g.Go(func() { c.converse(ctx) })
	}
	g.Wait()
	r.Took = time.Since(r.start)
	r.cpu += ownTime()
	if r.Answered() == 0 {
		return r, errors.Join(errors.New("nothing was answered"), r.Failure)
	}
	return r, nil
}

// connection is one of a plan.
type connection struct {
	plan   *Plan
	number int
	result *Result
	next   time.Time     // when a request is due
	every  time.Duration // 0: at once
	wire   *wire         // nil: not connected
	body   []byte
}

// converse sends one request after the other until the time is over.
func (c *connection) converse(ctx context.Context) {
	defer c.hangUp()
	alarm := time.NewTimer(0)
	defer alarm.Stop()
	var answer []byte
	for {
		due, ok := c.due(ctx, alarm)
		if !ok {
			return
		}
		if c.body = c.plan.Source(c.number, answer, c.body[:0]); c.body == nil {
			return
		}
		status, body, err := c.ask(ctx)
		if answer = nil; err != nil {
			c.result.fail(err)
			c.hangUp()
			if c.every == 0 {
				c.next = time.Now().Add(afterFailure)
			}
			continue
		}
		if status == 200 {
			answer = body
		}
		c.result.note(status, body, time.Since(due))
		if c.plan.Reconnect || c.wire.closes {
			c.hangUp()
		}
	}
}

// due waits for the moment of the next request; ok is false when it is over.
// What is late by then is never sent, and counted as such.
func (c *connection) due(ctx context.Context, alarm *time.Timer) (at time.Time, ok bool) {
	now := time.Now()
	if at = c.next; c.every == 0 && at.Before(now) {
		at = now
	}
	c.next = at.Add(c.every)
	if wait := at.Sub(now); wait > 0 && at.Before(c.result.until) {
		alarm.Reset(wait)
		select {
		case <-alarm.C:
		case <-ctx.Done():
		}
	}
	switch {
	case ctx.Err() != nil:
		return at, false
	case time.Now().Before(c.result.until):
		return at, at.Before(c.result.until)
	case c.every > 0 && at.Before(now) && at.Before(c.result.until):
		c.result.unsent.Add(uint64((c.result.until.Sub(at) + c.every - 1) / c.every))
	}
	return at, false
}

// ask sends the body and returns the answer. A connection that the server has
// closed meanwhile is opened again, once.
func (c *connection) ask(ctx context.Context) (status int, body []byte, err error) {
	used := c.wire != nil
	for {
		if c.wire == nil {
			// The end of the measurement does not break what is under way.
			if c.wire, err = c.dial(context.WithoutCancel(ctx)); err != nil {
				return 0, nil, err
			}
		}
		status, body, err = c.wire.exchange(c.plan, c.body)
		if err == nil || !used || !c.wire.untouched {
			return status, body, err
		}
		c.hangUp()
		used = false
	}
}

func (c *connection) dial(ctx context.Context) (*wire, error) {
	d := net.Dialer{Timeout: patience}
	var conn net.Conn
	var err error
	if c.plan.TLS {
		conn, err = (&tls.Dialer{NetDialer: &d}).DialContext(ctx, "tcp", c.plan.Address)
	} else {
		conn, err = d.DialContext(ctx, "tcp", c.plan.Address)
	}
	if err != nil {
		return nil, err
	}
	return newWire(conn), nil
}

func (c *connection) hangUp() {
	if c.wire != nil {
		_ = c.wire.conn.Close() // it is of no more use
		c.wire = nil
	}
}
