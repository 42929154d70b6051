package mirror

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"mime"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"
)

const (
	dialTimeout = 10 * time.Second
	// maxResponseHeader bounds what a foreign server can send before the answer.
	maxResponseHeader = 64 << 10
)

// Client asks upstream servers. It is safe for concurrent use.
type Client struct {
	limits Limits
	agent  string
}

// NewClient returns a Client that sends a User-Agent. It uses the proxy of the
// environment and connects to any address, because an administrator names the upstream.
func NewClient(agent string, limits Limits) *Client { return &Client{limits: limits, agent: agent} }

// ParseCA reads certificates of authorities in PEM; "" returns nil, the system's.
func ParseCA(pem string) (*x509.CertPool, error) {
	if pem == "" {
		return nil, nil
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM([]byte(pem)) {
		return nil, errors.New("has no certificate in PEM")
	}
	return pool, nil
}

// CheckURL returns what is wrong with the address of an upstream; nil if nothing is.
func CheckURL(address string) error {
	u, err := url.Parse(address)
	switch {
	case err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "":
		return errorf("must be an absolute http or https URL such as https://example.com/v1/update/")
	case u.User != nil:
		return errorf("must not contain a user name or password")
	case u.Fragment != "":
		return errorf("must not contain a fragment")
	case len(address) > maxURL:
		return errorf("must have at most %d bytes", maxURL)
	}
	return nil
}

// Ask sends a question and returns the checked answer. roots are the authorities that
// may sign the upstream's certificate; nil means those of the system.
func (c *Client) Ask(ctx context.Context, q Query, roots *x509.CertPool) (*Answer, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, c.limits.Total, errorf("the answer took longer than %s", c.limits.Total))
	defer cancel()
	ctx, stall := context.WithCancelCause(ctx)
	defer stall(nil)
	watchdog := time.AfterFunc(c.limits.Stall, func() { stall(errorf("the upstream sent nothing for %s", c.limits.Stall)) })
	defer watchdog.Stop()

	body, err := c.post(ctx, q, roots, watchdog)
	if err == nil {
		return parse(body, q)
	}
	if own, ok := errors.AsType[*Error](context.Cause(ctx)); ok {
		return nil, own
	}
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	if own, ok := errors.AsType[*Error](err); ok {
		return nil, own
	}
	if outer, ok := errors.AsType[*url.Error](err); ok {
		err = outer.Err // without the URL, which the caller knows
	}
	return nil, errorf("the upstream cannot be reached: %s", clip(err.Error()))
}

func (c *Client) post(ctx context.Context, q Query, roots *x509.CertPool, watchdog *time.Timer) ([]byte, error) {
	if err := CheckURL(q.URL); err != nil {
		return nil, errorf("the address of the upstream %w", err)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, q.URL, bytes.NewReader(request(q)))
	if err != nil {
		return nil, errorf("the address of the upstream is not valid")
	}
	req.Header.Set("Content-Type", "text/xml")
	req.Header.Set("User-Agent", c.agent)
	resp, err := httpClient(roots).Do(req)
	if err != nil {
		return nil, err
	}
	defer func() { _ = resp.Body.Close() }()
	watchdog.Reset(c.limits.Stall)
	if resp.StatusCode != http.StatusOK {
		return nil, errorf("the upstream answered %s", quoted(resp.Status))
	}
	body, err := io.ReadAll(io.LimitReader(&watched{resp.Body, watchdog, c.limits.Stall}, c.limits.Size+1))
	switch {
	case errors.Is(err, io.ErrUnexpectedEOF):
		return nil, errorf("the upstream ended the connection in the middle of its answer")
	case err != nil:
		return nil, err
	case int64(len(body)) > c.limits.Size:
		return nil, errorf("the answer of the upstream is larger than %d bytes", c.limits.Size)
	}
	return body, checkKind(resp.Header.Get("Content-Type"), body)
}

// checkKind refuses a web page, such as that of a proxy that wants a sign-in. Other
// content types are accepted: servers differ in them, and the parser decides.
func checkKind(contentType string, body []byte) error {
	kind, _, _ := mime.ParseMediaType(contentType)
	start := strings.ToLower(string(bytes.TrimSpace(body[:min(len(body), 200)])))
	if kind == "text/html" || strings.HasPrefix(start, "<!doctype html") || strings.HasPrefix(start, "<html") {
		return errorf("the upstream sent a web page in place of an Omaha answer: check the address, and whether a proxy wants a sign-in")
	}
	return nil
}

// httpClient follows no redirect: most turn the POST into a GET, and the request is lost.
func httpClient(roots *x509.CertPool) *http.Client {
	return &http.Client{
		Transport: &http.Transport{
			Proxy:       http.ProxyFromEnvironment,
			DialContext: (&net.Dialer{Timeout: dialTimeout}).DialContext, TLSHandshakeTimeout: dialTimeout,
			TLSClientConfig:   &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12},
			DisableKeepAlives: true, // questions are rare
			ForceAttemptHTTP2: true, MaxResponseHeaderBytes: maxResponseHeader,
		},
		CheckRedirect: func(r *http.Request, _ []*http.Request) error {
			return errorf("the upstream redirects to %s: enter this address if you trust it", quoted(r.URL.String()))
		},
	}
}

// watched resets a watchdog with each block that it reads.
type watched struct {
	io.Reader
	watchdog *time.Timer
	stall    time.Duration
}

func (w *watched) Read(p []byte) (int, error) {
	n, err := w.Reader.Read(p)
	if n > 0 {
		w.watchdog.Reset(w.stall)
	}
	return n, err
}

// clip shortens an error's text and removes what could hide something.
func clip(text string) string {
	text = strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' {
			return '?'
		}
		return r
	}, text)
	return text[:min(len(text), maxText)]
}

// request is what a mirror sends. installsource and version are those by which servers
// know a mirror; withdrawn_ok asks a CoreRoller server for the state of its channel.
func request(q Query) []byte {
	machine, platform := "x86_64", "x64"
	if q.Arch == "arm64" {
		machine, platform = "aarch64", "arm"
	}
	version := q.Version
	if version == "" {
		version = Oldest
	}
	var b bytes.Buffer
	const client = "CoreOSUpdateEngine-0.1.0.0"
	fmt.Fprintf(&b, `<request protocol="3.0" version=%q updaterversion=%q installsource="scheduler" ismachine="1">`+"\n", client, client)
	fmt.Fprintf(&b, `<os platform="CoreOS" version="Chateau" sp="%s_%s" arch="%s"/>`+"\n", escape(version), machine, platform)
	fmt.Fprintf(&b, `<app appid="%s" version="%s" track="%s" bootid="%s" machineid="%s" multi_manifest_ok="true" withdrawn_ok="true">`,
		escape(q.App), escape(version), escape(q.Track), escape(q.MachineID), escape(q.MachineID))
	b.WriteString("<updatecheck/></app>\n</request>\n")
	return b.Bytes()
}
