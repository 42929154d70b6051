package payloads

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync"

	"golang.org/x/time/rate"

	"github.com/coreroller/coreroller/auth"
	"github.com/coreroller/coreroller/fleet/hosting"
)

// Limits of the downloads of this process; 0 is no limit.
type Limits struct {
	Rate          int64 // bytes per second of all clients
	RatePerClient int64 // bytes per second of one address; in IPv6 of one /64 network
	AtOnce        int   // downloads
}

const (
	// piece is how many bytes are sent at once: the unit of fairness between clients.
	piece = 32 << 10
	// MinRate is the lowest rate: below it a connection would be taken for a dead one.
	MinRate = 16 << 10
	// retryAfter is the time in seconds after which refused machines ask again.
	retryAfter = 60
)

// Check returns what is wrong with the limits.
func (l Limits) Check() error {
	for _, one := range []struct {
		flag string
		rate int64
	}{{"payload-rate", l.Rate}, {"payload-rate-per-client", l.RatePerClient}} {
		if one.rate < 0 || one.rate > 0 && one.rate < MinRate {
			return fmt.Errorf("--%s must be 0 (no limit) or at least %d bytes per second", one.flag, MinRate)
		}
	}
	if l.AtOnce < 0 {
		return fmt.Errorf("--payload-downloads must not be negative")
	}
	return nil
}

// caps applies the limits. It is safe for concurrent use.
type caps struct {
	limits Limits
	all    *rate.Limiter // nil: no limit

	mu      sync.Mutex
	open    int
	clients map[string]*client // with an open download
}

type client struct {
	limiter *rate.Limiter
	open    int
}

func newCaps(l Limits) *caps {
	return &caps{limits: l, all: limiter(l.Rate), clients: map[string]*client{}}
}

func limiter(bytes int64) *rate.Limiter {
	if bytes == 0 {
		return nil
	}
	return rate.NewLimiter(rate.Limit(bytes), piece)
}

// transfer is one download within the limits.
type transfer struct {
	limiters []*rate.Limiter
	leave    func() // must be called once
}

// enter begins a download, unless too many run.
func (c *caps) enter(address string) (*transfer, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.limits.AtOnce > 0 && c.open >= c.limits.AtOnce {
		return nil, false
	}
	c.open++
	t := &transfer{}
	if c.all != nil {
		t.limiters = append(t.limiters, c.all)
	}
	key := auth.AddressBlock(address)
	if c.limits.RatePerClient > 0 {
		one := c.clients[key]
		if one == nil {
			one = &client{limiter: limiter(c.limits.RatePerClient)}
			c.clients[key] = one
		}
		one.open++
		t.limiters = append(t.limiters, one.limiter)
	}
	t.leave = func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.open--
		if one := c.clients[key]; one != nil {
			if one.open--; one.open == 0 {
				delete(c.clients, key)
			}
		}
	}
	return t, true
}

// wait waits until n bytes, at most a piece, may be sent.
func (t *transfer) wait(ctx context.Context, n int) error {
	for _, l := range t.limiters {
		if err := l.WaitN(ctx, n); err != nil {
			return err
		}
	}
	return nil
}

// limited is the response of a download. It hides ReadFrom, so that every piece passes Write.
type limited struct {
	http.ResponseWriter
	transfer *transfer
	download *hosting.Download
	ctx      context.Context //nolint:containedctx // that of the request, whose response this is
	sent     int64
	status   int
}

// WriteHeader implements http.ResponseWriter.
func (l *limited) WriteHeader(status int) {
	l.status = status
	if status >= http.StatusBadRequest { // the error of a range is no file
		l.Header().Del("Content-Disposition")
		l.Header().Set("Cache-Control", "no-store")
	}
	l.ResponseWriter.WriteHeader(status)
}

// Write implements http.ResponseWriter.
func (l *limited) Write(data []byte) (written int, err error) {
	for err == nil && written < len(data) {
		part := data[written:min(written+piece, len(data))]
		if err = l.transfer.wait(l.ctx, len(part)); err != nil {
			break
		}
		var n int
		n, err = l.ResponseWriter.Write(part)
		written += n
		l.sent += int64(n)
		l.download.Add(n)
	}
	return written, err
}

// Unwrap is for http.ResponseController.
func (l *limited) Unwrap() http.ResponseWriter { return l.ResponseWriter }

// ended reports whether the end of the file was sent.
func (l *limited) ended(size int64) bool {
	first := int64(0)
	switch l.status {
	case 0, http.StatusOK:
	case http.StatusPartialContent:
		text, _, _ := strings.Cut(strings.TrimPrefix(l.Header().Get("Content-Range"), "bytes "), "-")
		var err error
		if first, err = strconv.ParseInt(text, 10, 64); err != nil {
			return false
		}
	default:
		return false
	}
	return first+l.sent == size
}
