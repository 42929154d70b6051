package notify

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/coreroller/coreroller/remote/payload"
)

const (
	maxResponseHeader = 16 << 10
	maxRetryAfter     = 24 * time.Hour
)

// Options are what a Sender needs.
type Options struct {
	To        payload.Sources // addresses to which webhooks may be sent
	Timeout   time.Duration   // of one attempt; 0: 15 s
	UserAgent string
	Mail      *MailServer   // nil: no mail
	Resolver  *net.Resolver // nil: that of the system
}

// Sender sends messages. It is safe for concurrent use.
type Sender struct {
	timeout time.Duration
	agent   string
	client  *http.Client
	mail    *MailServer
	to      payload.Sources

	lastMail atomic.Pointer[MailResult]
}

// MailResult is the result of the last mail of a Sender.
type MailResult struct {
	At    time.Time
	Error string // "": the mail server accepted it
}

// refusedAddress is the error of an address that is not permitted.
type refusedAddress struct{ address netip.Addr }

func (e *refusedAddress) Error() string {
	return fmt.Sprintf("the server may not send to the address %s: see its flag --notify-to", e.address)
}

// New makes a Sender. It checks the address of each connection after the name is
// resolved, follows no redirect and uses no proxy.
func New(o Options) *Sender {
	if o.Timeout == 0 {
		o.Timeout = 15 * time.Second
	}
	dialer := &net.Dialer{Timeout: o.Timeout, Resolver: o.Resolver, Control: func(_, address string, _ syscall.RawConn) error {
		to, err := netip.ParseAddrPort(address)
		if err != nil || !o.To.Permit(to.Addr()) {
			return &refusedAddress{to.Addr()}
		}
		return nil
	}}
	return &Sender{
		timeout: o.Timeout, agent: o.UserAgent, mail: o.Mail, to: o.To,
		client: &http.Client{
			Transport: &http.Transport{
				DialContext:            dialer.DialContext,
				DisableKeepAlives:      true, // each attempt resolves and checks the address
				DisableCompression:     true,
				MaxResponseHeaderBytes: maxResponseHeader,
			},
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
	}
}

// SendsMail reports whether there is a mail server.
func (s *Sender) SendsMail() bool { return s.mail != nil }

// Mail returns the mail server, without its password; nil: there is none.
func (s *Sender) Mail() *MailServer {
	if s.mail == nil {
		return nil
	}
	shown := *s.mail
	shown.Password = ""
	return &shown
}

// LastMail returns the result of the last mail; nil before the first.
func (s *Sender) LastMail() *MailResult { return s.lastMail.Load() }

// To returns the addresses to which webhooks may be sent.
func (s *Sender) To() payload.Sources { return s.to }

// CheckURL returns what is wrong with the URL of a receiver.
func CheckURL(text string) error {
	u, err := url.Parse(text)
	switch {
	case err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "":
		return errors.New("must be an absolute http or https URL")
	case u.User != nil:
		return errors.New("must not contain a user name or password: use the authorization header")
	case u.Fragment != "":
		return errors.New("must not contain a fragment")
	}
	return nil
}

// Send sends a delivery once. at is the time of the attempt.
func (s *Sender) Send(ctx context.Context, to Target, d Delivery, at time.Time) *Answer {
	if len(d.Messages) == 0 {
		return new(Answer).fail(ClassInvalid, "there is no message")
	}
	switch to.Kind {
	case Mail:
		return s.sendMail(ctx, to, d, at)
	case Slack:
		answer := s.post(ctx, to, must(slackBody(&d, true)), nil)
		if answer.Status == http.StatusBadRequest && strings.Contains(answer.Response, "invalid_blocks") {
			answer = s.post(ctx, to, must(slackBody(&d, false)), nil)
		}
		return answer
	default:
		body := must(webhookBody(&d))
		signature, err := Sign(to.Secrets, d.ID, at, body)
		if err != nil {
			return new(Answer).fail(ClassInvalid, "%v", err)
		}
		return s.post(ctx, to, body, map[string]string{
			"webhook-id": d.ID, "webhook-timestamp": strconv.FormatInt(at.Unix(), 10), "webhook-signature": signature,
		})
	}
}

// SendAlerts sends the states of alerts to an Alertmanager.
func (s *Sender) SendAlerts(ctx context.Context, to Target, alerts []Alert, at time.Time) *Answer {
	to.URL = strings.TrimSuffix(to.URL, "/") + "/api/v2/alerts"
	return s.post(ctx, to, must(alertBody(alerts, at)), nil)
}

// must is for texts and times, which always have a JSON form.
func must(body []byte, _ error) []byte { return body }

// post sends a JSON body.
func (s *Sender) post(ctx context.Context, to Target, body []byte, headers map[string]string) *Answer {
	answer := &Answer{}
	began := time.Now()
	defer func() { answer.Took = time.Since(began) }()
	ctx, cancel := context.WithTimeout(ctx, s.timeout)
	defer cancel()
	if err := CheckURL(to.URL); err != nil {
		return answer.fail(ClassInvalid, "%v", err)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, to.URL, bytes.NewReader(body))
	if err != nil {
		return answer.fail(ClassInvalid, "must be an absolute http or https URL")
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("User-Agent", s.agent)
	for name, value := range headers {
		req.Header.Set(name, value)
	}
	answer.Request = describe(req, to.Kind, body)
	if to.Authorization != "" {
		req.Header.Set("Authorization", to.Authorization)
	}
	resp, err := s.client.Do(req)
	if err != nil {
		class, text := classify(err)
		return answer.fail(class, "%s", text)
	}
	defer func() { _ = resp.Body.Close() }()
	answer.Status = resp.StatusCode
	answer.Gone = resp.StatusCode == http.StatusGone
	answer.RetryAfter = retryAfter(resp)
	text, err := io.ReadAll(io.LimitReader(resp.Body, maxExcerpt+1))
	answer.Response = fmt.Sprintf("%s %s\n%s\n\n%s", resp.Proto, excerpt([]byte(resp.Status)), header(resp.Header), excerpt(text))
	switch {
	case resp.StatusCode < 200 || resp.StatusCode > 299:
		return answer.fail(ClassStatus, "the receiver answered %s", excerpt([]byte(resp.Status)))
	case err != nil: // the receiver has the message, but did not finish its answer
		class, text := classify(err)
		return answer.fail(class, "%s", text)
	}
	return answer
}

// describe returns a request as text, without its secrets.
func describe(req *http.Request, kind Kind, body []byte) string {
	path := req.URL.EscapedPath()
	if req.URL.RawQuery != "" { // it can contain a secret
		path += "?…"
	}
	if kind == Slack { // the path is the secret
		path = "/…"
	}
	return fmt.Sprintf("POST %s HTTP/1.1\nHost: %s\n%s\n\n%s", path, req.Host, header(req.Header), excerpt(body))
}

// header returns up to 30 headers, sorted. Signatures are left out: with the request they
// would let a reader of the log repeat it.
func header(h http.Header) string {
	var all bytes.Buffer
	_ = h.WriteSubset(&all, map[string]bool{"Webhook-Signature": true, "Set-Cookie": true, "Authorization": true})
	lines := strings.Split(strings.TrimSpace(strings.ReplaceAll(all.String(), "\r\n", "\n")), "\n")
	return excerpt([]byte(strings.Join(lines[:min(len(lines), 30)], "\n")))
}

func retryAfter(resp *http.Response) time.Duration {
	text := resp.Header.Get("Retry-After")
	if text == "" {
		return 0
	}
	wait := time.Duration(0)
	if seconds, err := strconv.Atoi(text); err == nil && seconds < int(maxRetryAfter/time.Second) {
		wait = time.Duration(seconds) * time.Second
	} else if err == nil {
		wait = maxRetryAfter
	} else if at, err := http.ParseTime(text); err == nil {
		wait = time.Until(at)
	}
	return min(max(wait, 0), maxRetryAfter)
}

// classify returns the class of an error of a connection, and its text without the URL.
func classify(err error) (Class, string) {
	if outer, ok := errors.AsType[*url.Error](err); ok {
		err = outer.Err
	}
	text := excerpt([]byte(err.Error()))
	if refused, ok := errors.AsType[*refusedAddress](err); ok {
		return ClassRefused, refused.Error()
	}
	var timeout net.Error
	if errors.Is(err, context.DeadlineExceeded) || errors.As(err, &timeout) && timeout.Timeout() {
		return ClassTimeout, "no complete answer in time"
	}
	if dns, ok := errors.AsType[*net.DNSError](err); ok {
		return ClassDNS, "the name cannot be resolved: " + excerpt([]byte(dns.Err))
	}
	if isTLS(err) {
		return ClassTLS, text
	}
	return ClassConnect, text
}

func isTLS(err error) bool {
	var record tls.RecordHeaderError
	var verify *tls.CertificateVerificationError
	var unknown x509.UnknownAuthorityError
	var alert tls.AlertError
	return errors.As(err, &record) || errors.As(err, &verify) || errors.As(err, &unknown) || errors.As(err, &alert)
}
