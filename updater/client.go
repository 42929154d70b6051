package updater

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"
	"os"
)

// TLSFiles are files in PEM for NewHTTPClient; each may be "".
type TLSFiles struct {
	CA   string // certificates that the server's may be signed by; "" = those of the system
	Cert string // certificate of the machine, which the server can require
	Key  string // its key
}

// NewHTTPClient returns a client for Options.HTTPClient. It shows the certificate of the
// machine to servers that ask for one, and reads it again for each connection, so that a
// renewed one needs no restart.
func NewHTTPClient(files TLSFiles) (*http.Client, error) {
	config := &tls.Config{MinVersion: tls.VersionTLS12}
	if files.CA != "" {
		text, err := os.ReadFile(files.CA)
		if err != nil {
			return nil, fmt.Errorf("updater: certificate authority: %w", err)
		}
		config.RootCAs = x509.NewCertPool()
		if !config.RootCAs.AppendCertsFromPEM(text) {
			return nil, fmt.Errorf("updater: certificate authority: %s contains no certificate in PEM", files.CA)
		}
	}
	if (files.Cert == "") != (files.Key == "") {
		return nil, errors.New("updater: the certificate of the machine and its key need each other")
	}
	if files.Cert != "" {
		read := func() (*tls.Certificate, error) {
			pair, err := tls.LoadX509KeyPair(files.Cert, files.Key)
			if err != nil {
				return nil, fmt.Errorf("updater: certificate of the machine: %w", err)
			}
			return &pair, nil
		}
		if _, err := read(); err != nil {
			return nil, err
		}
		config.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return read() }
	}
	transport := http.DefaultTransport.(*http.Transport).Clone() // keeps the proxy settings of the environment
	transport.TLSClientConfig = config
	return &http.Client{Transport: transport, CheckRedirect: keepScheme}, nil
}
