package main

import (
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"time"
)

// certificate is the server's certificate, which follows its files.
type certificate struct{ followed[*tls.Certificate] }

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
	c := &certificate{}
	return c, c.follow(log, now, func() (*tls.Certificate, error) { return w.readPair(log, now) }, w.TLSCert, w.TLSKey)
}

func (w *Web) readPair(log *slog.Logger, now func() time.Time) (*tls.Certificate, error) {
	for flag, file := range map[string]string{"tls-cert": w.TLSCert, "tls-key": w.TLSKey} {
		f, err := os.Open(file) //nolint:gosec // G304: the operator names the file
		if err != nil {
			return nil, fmt.Errorf("--%s: %w", flag, err)
		}
		_ = f.Close()
	}
	pair, err := tls.LoadX509KeyPair(w.TLSCert, w.TLSKey)
	if err != nil {
		return nil, fmt.Errorf("--tls-cert %s and --tls-key %s: %w", w.TLSCert, w.TLSKey, err)
	}
	if until := pair.Leaf.NotAfter; now().After(until) {
		log.Warn("the certificate has expired: renew --tls-cert", "file", w.TLSCert, "expired", until)
	}
	return &pair, nil
}

// get is tls.Config.GetCertificate.
func (c *certificate) get(*tls.ClientHelloInfo) (*tls.Certificate, error) { return c.latest(), nil }

// config is for a server; nil without TLS.
func (c *certificate) config() *tls.Config {
	if c == nil {
		return nil
	}
	return &tls.Config{MinVersion: tls.VersionTLS12, GetCertificate: c.get}
}
