package main

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"time"
)

// machineCA is who signs the client certificates of machines. It follows its file.
type machineCA struct{ followed[*x509.CertPool] }

// readMachineCA reads --machine-client-ca; nil without it.
func readMachineCA(w Web, log *slog.Logger, now func() time.Time) (*machineCA, error) {
	if w.MachineClientCA == "" {
		return nil, nil
	}
	if w.TLSCert == "" {
		return nil, errors.New("--machine-client-ca is set without --tls-cert: machines can show certificates only over TLS that ends at this server")
	}
	a := &machineCA{}
	return a, a.follow(log, now, w.readMachineClientCA, w.MachineClientCA)
}

func (w *Web) readMachineClientCA() (*x509.CertPool, error) {
	text, err := os.ReadFile(w.MachineClientCA)
	if err != nil {
		return nil, fmt.Errorf("--machine-client-ca: %w", err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(text) {
		return nil, fmt.Errorf("--machine-client-ca: %s contains no certificate in PEM", w.MachineClientCA)
	}
	return pool, nil
}

// ask returns the configuration of a listener that asks its clients for certificates.
// Whether one is needed is a setting of the group, so a client may have none. crypto/tls
// ends connections with a certificate of another CA, an expired one, or one that is not
// for clients.
func (a *machineCA) ask(c *tls.Config) *tls.Config {
	if a == nil {
		return c
	}
	c.ClientAuth = tls.VerifyClientCertIfGiven
	c.NextProtos = []string{"h2", "http/1.1"} // net/http adds them to the outer configuration only
	c.GetConfigForClient = func(*tls.ClientHelloInfo) (*tls.Config, error) {
		asks := c.Clone()
		asks.ClientCAs = a.latest()
		return asks, nil
	}
	return c
}
