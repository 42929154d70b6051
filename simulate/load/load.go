package load

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"sync"
	"time"
)

// Source appends the body of the next request of one connection to buf. answer
// is the body of the previous response on this connection: nil for the first
// request and after a status other than 200. It is valid until Source returns.
// A nil result ends the connection. Source is called concurrently for different
// connections.
type Source func(connection int, answer, buf []byte) []byte

// Plan is one measurement.
type Plan struct {
	Address string // host:port
	TLS     bool
	Host    string // Host header; "" is Address
	Path    string // "" is /v1/update/

	// Connections send requests concurrently. Each waits for the response before
	// its next request.
	Connections int
	// Reconnect opens a new connection for each request, as update_engine does.
	// The response time then includes the time to connect.
	Reconnect bool

	// Rate is the requests per second of all connections: an open loop. Each
	// request has a due time, and its response time counts from there, so that a
	// slow server cannot lower the measured load. 0 is a closed loop: the next
	// request follows the response.
	Rate   float64
	Length time.Duration
	Source Source
}

// requestTimeout is update_engine's connect timeout.
const requestTimeout = 30 * time.Second

// retryDelay keeps a connection of a closed loop from retrying continuously if
// the server is down.
const retryDelay = 100 * time.Millisecond

// Run executes a plan and returns the measurement, also if ctx ends it early. It
// returns an error if no request was answered.
func Run(ctx context.Context, p Plan) (*Result, error) {
	if p.Path == "" {
		p.Path = "/v1/update/"
	}
	if p.Host == "" {
		p.Host = p.Address
	}
	start := time.Now()
	r := &Result{start: start, until: start.Add(p.Length), cpu: -CPUTime(), times: newHistogram()}
	var g sync.WaitGroup
	for n := range p.Connections {
		w := &worker{plan: &p, number: n, result: r, next: r.start}
		if p.Rate > 0 {
			w.interval = time.Duration(float64(p.Connections) / p.Rate * float64(time.Second))
			w.next = r.start.Add(w.interval * time.Duration(n) / time.Duration(p.Connections))
		}
		g.Go(func() { w.run(ctx) })
	}
	g.Wait()
	r.Took = time.Since(r.start)
	r.cpu += CPUTime()
	if r.Answered() == 0 {
		return r, errors.Join(errors.New("no request was answered"), r.Failure)
	}
	return r, nil
}

// worker sends the requests of one connection.
type worker struct {
	plan     *Plan
	number   int
	result   *Result
	next     time.Time     // due time of the next request
	interval time.Duration // between two requests; 0 in a closed loop
	conn     *conn         // nil if not connected
	body     []byte
}

// run sends requests until the plan ends.
func (w *worker) run(ctx context.Context) {
	defer w.close()
	timer := time.NewTimer(0)
	defer timer.Stop()
	var answer []byte
	for {
		due, ok := w.wait(ctx, timer)
		if !ok {
			return
		}
		if w.body = w.plan.Source(w.number, answer, w.body[:0]); w.body == nil {
			return
		}
		status, body, err := w.send(ctx)
		if answer = nil; err != nil {
			w.result.fail(err)
			w.close()
			if w.interval == 0 {
				w.next = time.Now().Add(retryDelay)
			}
			continue
		}
		if status == 200 {
			answer = body
		}
		w.result.add(status, body, time.Since(due))
		if w.plan.Reconnect || w.conn.closing {
			w.close()
		}
	}
}

// wait blocks until the next request is due. ok is false at the end of the plan.
// Requests of an open loop that are overdue by then count as unsent.
func (w *worker) wait(ctx context.Context, timer *time.Timer) (due time.Time, ok bool) {
	now := time.Now()
	if due = w.next; w.interval == 0 && due.Before(now) {
		due = now
	}
	w.next = due.Add(w.interval)
	if wait := due.Sub(now); wait > 0 && due.Before(w.result.until) {
		timer.Reset(wait)
		select {
		case <-timer.C:
		case <-ctx.Done():
		}
	}
	switch {
	case ctx.Err() != nil:
		return due, false
	case time.Now().Before(w.result.until):
		return due, due.Before(w.result.until)
	case w.interval > 0 && due.Before(now) && due.Before(w.result.until):
		w.result.unsent.Add(uint64((w.result.until.Sub(due) + w.interval - 1) / w.interval)) //nolint:gosec // G115: due is before until
	}
	return due, false
}

// send sends the body and returns the response. It reconnects once if the server
// has closed a kept-alive connection.
func (w *worker) send(ctx context.Context) (status int, body []byte, err error) {
	reused := w.conn != nil
	for {
		if w.conn == nil {
			// The end of the plan does not cancel a request in flight.
			if w.conn, err = w.dial(context.WithoutCancel(ctx)); err != nil {
				return 0, nil, err
			}
		}
		status, body, err = w.conn.exchange(w.plan, w.body)
		if err == nil || !reused || !w.conn.unread {
			return status, body, err
		}
		w.close()
		reused = false
	}
}

func (w *worker) dial(ctx context.Context) (*conn, error) {
	d := net.Dialer{Timeout: requestTimeout}
	var c net.Conn
	var err error
	if w.plan.TLS {
		c, err = (&tls.Dialer{NetDialer: &d}).DialContext(ctx, "tcp", w.plan.Address)
	} else {
		c, err = d.DialContext(ctx, "tcp", w.plan.Address)
	}
	if err != nil {
		return nil, err
	}
	return newConn(c), nil
}

func (w *worker) close() {
	if w.conn != nil {
		_ = w.conn.net.Close() // nothing is left to send or read
		w.conn = nil
	}
}
