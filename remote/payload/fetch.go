package payload

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"syscall"
	"time"
)

// Limits of one fetch.
type Limits struct {
	Size  int64         // bytes
	Total time.Duration // of the whole fetch
	Stall time.Duration // without a byte

	// Tries and Pause are for Download: a broken connection is followed by another one, at
	// most Tries in a row without a byte, after a pause that doubles up to a minute.
	Tries int
	Pause time.Duration
}

// DefaultLimits fit an operating system's payload on a slow line: 450 MB take half
// an hour at 2 Mbit/s.
func DefaultLimits() Limits {
	return Limits{Size: 8 << 30, Total: 30 * time.Minute, Stall: 30 * time.Second}
}

// DownloadLimits fit files that are kept: a mirror may fetch them at night on a slow line.
func DownloadLimits() Limits {
	return Limits{Size: 16 << 30, Total: 6 * time.Hour, Stall: time.Minute, Tries: 5, Pause: time.Second}
}

const (
	maxRedirects = 5
	dialTimeout  = 10 * time.Second
	// maxResponseHeader bounds what a foreign server can make this one read before
	// the file.
	maxResponseHeader = 64 << 10
)

// Error is why a file cannot be fetched, as a message for the user. Any other error
// is that of the context.
type Error struct{ message string }

func (e *Error) Error() string { return e.message }

func errorf(format string, args ...any) *Error { return &Error{fmt.Sprintf(format, args...)} }

// Fetcher reads files from web servers. It is safe for concurrent use.
type Fetcher struct {
	limits Limits
	client *http.Client
}

// NewFetcher returns a Fetcher that connects to addresses of sources only. It
// checks the address of each connection after the name is resolved, so that neither
// a name nor a redirect leads elsewhere. It uses no proxy.
func NewFetcher(sources Sources, limits Limits) *Fetcher {
	dialer := &net.Dialer{Timeout: dialTimeout, Control: func(_, address string, _ syscall.RawConn) error {
		to, err := netip.ParseAddrPort(address)
		if err != nil || !sources.Permit(to.Addr()) {
			return errorf("the server may not fetch from the address %s: see its flag --inspect-from", to.Addr())
		}
		return nil
	}}
	return newFetcher(limits, &http.Transport{DialContext: dialer.DialContext})
}

// NewUnlimitedFetcher returns a Fetcher for the user of a command, who chooses the
// addresses. It uses the proxy of the environment.
func NewUnlimitedFetcher(limits Limits) *Fetcher {
	return newFetcher(limits, &http.Transport{Proxy: http.ProxyFromEnvironment, DialContext: (&net.Dialer{Timeout: dialTimeout}).DialContext})
}

func newFetcher(limits Limits, t *http.Transport) *Fetcher {
	t.DisableKeepAlives = true // fetches are rare
	t.DisableCompression = true
	t.ForceAttemptHTTP2 = true
	t.TLSHandshakeTimeout = dialTimeout
	t.MaxResponseHeaderBytes = maxResponseHeader
	return &Fetcher{limits: limits, client: &http.Client{Transport: t, CheckRedirect: checkRedirect}}
}

func checkRedirect(r *http.Request, via []*http.Request) error {
	if len(via) > maxRedirects {
		return errorf("more than %d redirects", maxRedirects)
	}
	if via[len(via)-1].URL.Scheme == "https" && r.URL.Scheme != "https" {
		return errorf("the server redirects from https to %s", r.URL.Scheme)
	}
	return checkURL(r.URL)
}

// CheckURL returns why a URL can never be fetched, or nil.
func CheckURL(address string) error {
	u, err := url.Parse(address)
	if err != nil {
		return errorf("must be an absolute http or https URL")
	}
	return checkURL(u)
}

func checkURL(u *url.URL) error {
	switch {
	case u.Scheme != "http" && u.Scheme != "https" || u.Host == "":
		return errorf("must be an absolute http or https URL")
	case u.User != nil:
		return errorf("must not contain a user name or password")
	}
	return nil
}

// Fetch reads the file at a URL. progress may be nil.
func (f *Fetcher) Fetch(ctx context.Context, address string, progress Progress) (Facts, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, f.limits.Total, errorf("took longer than %s", f.limits.Total))
	defer cancel()
	ctx, stall := context.WithCancelCause(ctx)
	defer stall(nil)
	watchdog := time.AfterFunc(f.limits.Stall, func() { stall(errorf("the server sent nothing for %s", f.limits.Stall)) })
	defer watchdog.Stop()

	facts, err := f.fetch(ctx, address, func(done, total int64) {
		watchdog.Reset(f.limits.Stall)
		if progress != nil {
			progress(done, total)
		}
	})
	return facts, explain(ctx, err)
}

// explain returns the error of a fetch for the user.
func explain(ctx context.Context, err error) error {
	if err == nil {
		return nil
	}
	if own, ok := errors.AsType[*Error](context.Cause(ctx)); ok {
		return own
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if own, ok := errors.AsType[*Error](err); ok {
		return own
	}
	if outer, ok := errors.AsType[*url.Error](err); ok {
		err = outer.Err // without the URL, which the caller knows
	}
	return errorf("could not be fetched: %v", err)
}

func (f *Fetcher) fetch(ctx context.Context, address string, progress Progress) (Facts, error) {
	resp, err := f.get(ctx, address, nil)
	if err != nil {
		return Facts{}, err
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode != http.StatusOK {
		return Facts{}, errorf("the server of the file answered %s", resp.Status)
	}
	facts, err := Read(io.LimitReader(resp.Body, f.limits.Size+1), max(resp.ContentLength, 0), progress)
	switch {
	case errors.Is(err, io.ErrUnexpectedEOF):
		return Facts{}, errorf("the server of the file ended the connection early")
	case err != nil:
		return Facts{}, err
	case facts.Size > f.limits.Size:
		return Facts{}, f.tooLarge()
	case facts.Size == 0:
		return Facts{}, errorf("the file is empty")
	}
	return facts, nil
}

// get sends a request for a file, and refuses what can only be read wrong.
func (f *Fetcher) get(ctx context.Context, address string, header http.Header) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, http.NoBody)
	if err != nil {
		return nil, errorf("must be an absolute http or https URL")
	}
	if err := checkURL(req.URL); err != nil {
		return nil, err
	}
	maps.Copy(req.Header, header)
	req.Header.Set("User-Agent", "CoreRoller")
	req.Header.Set("Accept-Encoding", "identity") // the digests are of the file, not of a compressed form
	resp, err := f.client.Do(req)
	if err != nil {
		return nil, err
	}
	encoding := resp.Header.Get("Content-Encoding")
	switch {
	case encoding != "" && encoding != "identity":
		err = errorf("the server of the file compresses it (%q), so its digests are not known", encoding)
	case resp.ContentLength > f.limits.Size:
		err = f.tooLarge()
	default:
		return resp, nil
	}
	_ = resp.Body.Close()
	return nil, err
}

func (f *Fetcher) tooLarge() *Error {
	return errorf("the file is larger than %d bytes", f.limits.Size)
}
