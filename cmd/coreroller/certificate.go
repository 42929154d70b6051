package main

import (
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"time"
)

// certificateCheck is how often a new connection looks whether the files changed.
const certificateCheck = time.Second

// certificate is the server's certificate. It follows its files: each change is used for
// new connections, and open ones continue.
type certificate struct {
	cert, key string // files
	log       *slog.Logger
	now       func() time.Time

	mu      sync.Mutex
	current *tls.Certificate
	stamp   string    // of the files that were read last
	checked time.Time // when the stamp was compared
}

// readCertificate reads the files; nil without --tls-cert and --tls-key.
func readCertificate(w Web, log *slog.Logger, now func() time.Time) (*certificate, error) {
	switch {
	case w.TLSCert == "" && w.TLSKey == "":
		return nil, nil
	case w.TLSCert == "":
		return nil, errors.New("--tls-key is set without --tls-cert: set both")
	case w.TLSKey == "":
		return nil, errors.New("--tls-cert is set without --tls-key: set both")
	}
	c := &certificate{cert: w.TLSCert, key: w.TLSKey, log: log, now: now, checked: now()}
	c.stamp = c.stampOf()
	var err error
	c.current, err = c.read()
	return c, err
}

func (c *certificate) read() (*tls.Certificate, error) {
	for flag, file := range map[string]string{"tls-cert": c.cert, "tls-key": c.key} {
		f, err := os.Open(file) //nolint:gosec // G304: the operator names the file
		if err != nil {
			return nil, fmt.Errorf("--%s: %w", flag, err)
		}
		_ = f.Close()
	}
	pair, err := tls.LoadX509KeyPair(c.cert, c.key)
	if err != nil {
		return nil, fmt.Errorf("--tls-cert %s and --tls-key %s: %w", c.cert, c.key, err)
	}
	if until := pair.Leaf.NotAfter; c.now().After(until) {
		c.log.Warn("the certificate has expired: renew --tls-cert", "file", c.cert, "expired", until)
	}
	return &pair, nil
}

// stampOf changes with the files.
func (c *certificate) stampOf() (stamp string) {
	for _, file := range []string{c.cert, c.key} {
		if info, err := os.Stat(file); err == nil {
			stamp += fmt.Sprint(info.ModTime().UnixNano(), " ", info.Size(), " ")
		}
	}
	return stamp
}

// get is tls.Config.GetCertificate. Files that cannot be used keep the certificate as it
// is, and are read again after their next change.
func (c *certificate) get(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := c.now()
	if since := now.Sub(c.checked); since >= 0 && since < certificateCheck {
		return c.current, nil
	}
	c.checked = now
	stamp := c.stampOf()
	if stamp == c.stamp {
		return c.current, nil
	}
	c.stamp = stamp
	if pair, err := c.read(); err != nil {
		c.log.Error("the new certificate cannot be used; the old one stays", "error", err)
	} else {
		c.current = pair
		c.log.Info("the certificate was read again", "file", c.cert)
	}
	return c.current, nil
}

// config is for a server; nil without TLS.
func (c *certificate) config() *tls.Config {
	if c == nil {
		return nil
	}
	return &tls.Config{MinVersion: tls.VersionTLS12, GetCertificate: c.get}
}
