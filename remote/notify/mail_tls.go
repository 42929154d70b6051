package notify

import (
	"context"
	"crypto/tls"
	"net"
	"time"
)

// dial connects to the mail server. No part of the conversation lasts longer than until
// the end of the timeout, because the client's own deadlines start again with each command.
func (m *MailServer) dial(ctx context.Context, network, address string, timeout time.Duration) (net.Conn, error) {
	until := time.Now().Add(timeout)
	conn, err := (&net.Dialer{Deadline: until}).DialContext(ctx, network, address)
	if err != nil {
		return nil, err
	}
	limited := &limitedConn{conn, until}
	if m.TLS != ImplicitTLS {
		return limited, limited.SetDeadline(until)
	}
	encrypted := tls.Client(limited, &tls.Config{ServerName: m.Host, MinVersion: tls.VersionTLS12, RootCAs: m.Roots})
	if err := encrypted.HandshakeContext(ctx); err != nil {
		_ = conn.Close()
		return nil, err
	}
	return encrypted, encrypted.SetDeadline(until)
}

// limitedConn is a connection whose deadlines are not later than a moment.
type limitedConn struct {
	net.Conn
	until time.Time
}

func (c *limitedConn) earlier(t time.Time) time.Time {
	if t.IsZero() || t.After(c.until) {
		return c.until
	}
	return t
}

// SetDeadline implements net.Conn.
func (c *limitedConn) SetDeadline(t time.Time) error { return c.Conn.SetDeadline(c.earlier(t)) }

// SetReadDeadline implements net.Conn.
func (c *limitedConn) SetReadDeadline(t time.Time) error {
	return c.Conn.SetReadDeadline(c.earlier(t))
}

// SetWriteDeadline implements net.Conn.
func (c *limitedConn) SetWriteDeadline(t time.Time) error {
	return c.Conn.SetWriteDeadline(c.earlier(t))
}
