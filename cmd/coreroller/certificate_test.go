package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"io"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// writeCertificate writes a certificate for 127.0.0.1 and its key.
func writeCertificate(t *testing.T, dir string, serial int64) (cert, key string) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(serial), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, private.Public(), private)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	cert, key = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	for file, block := range map[string]*pem.Block{cert: {Type: "CERTIFICATE", Bytes: der}, key: {Type: "PRIVATE KEY", Bytes: secret}} {
		if err := os.WriteFile(file, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return cert, key
}

// A new certificate is used for new connections without a restart; open ones continue.
func TestCertificateIsReadAgainWhenItsFilesChange(t *testing.T) {
	dir := t.TempDir()
	cert, key := writeCertificate(t, dir, 1)
	p := NewProgram(Config{
		Listen: "127.0.0.1:0", DataDir: t.TempDir(),
		Web: Web{TLSCert: cert, TLSKey: key, ListenMachines: "127.0.0.1:0", ListenMetrics: "127.0.0.1:0"},
	}, discard(), time.Now)
	if err := p.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	}()
	open := func() *http.Client {
		c := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}}
		t.Cleanup(c.CloseIdleConnections)
		return c
	}
	get := func(c *http.Client, url string) (serial int64, status int, header http.Header) {
		t.Helper()
		resp, err := c.Get(url)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = io.Copy(io.Discard, resp.Body)
		_ = resp.Body.Close()
		if resp.TLS != nil {
			serial = resp.TLS.PeerCertificates[0].SerialNumber.Int64()
		}
		return serial, resp.StatusCode, resp.Header
	}
	before := open()
	serial, _, header := get(before, p.URL()+"/healthz")
	if serial != 1 || !strings.HasPrefix(p.URL(), "https://") || header.Get("Strict-Transport-Security") == "" {
		t.Errorf("serial %d at %s, headers %v", serial, p.URL(), header)
	}
	if serial, status, _ := get(open(), p.OmahaURL()); status != http.StatusMethodNotAllowed || strings.HasPrefix(p.OmahaURL(), p.URL()) || serial != 1 {
		t.Errorf("machines at %s get %d", p.OmahaURL(), status)
	}
	if _, status, _ := get(open(), "http://"+p.part("listen-metrics").listener.Addr().String()+"/metrics"); status != http.StatusOK {
		t.Errorf("metrics: %d", status)
	}
	if _, status, _ := get(before, p.URL()+"/metrics"); status != http.StatusNotFound {
		t.Errorf("metrics on the main listener: %d", status)
	}

	writeCertificate(t, dir, 2)
	deadline := time.Now().Add(20 * time.Second)
	for {
		if serial, _, _ = get(open(), p.URL()+"/healthz"); serial == 2 || time.Now().After(deadline) {
			break
		}
		time.Sleep(100 * time.Millisecond)
	}
	if serial != 2 {
		t.Errorf("new connections still get the certificate %d", serial)
	}
	if serial, _, _ = get(before, p.URL()+"/healthz"); serial != 1 {
		t.Errorf("the open connection was dropped: serial %d", serial)
	}
	client, err := clientOf(cert)
	if err != nil {
		t.Fatal(err)
	}
	if text, err := askHealth(t.Context(), client, p.URL()); err != nil || text != "ok" {
		t.Errorf("health over TLS: %q %v", text, err)
	}
	if _, err := askHealth(t.Context(), http.DefaultClient, p.URL()); err == nil {
		t.Error("health trusts any certificate")
	}
	client.CloseIdleConnections()
}

// Files that cannot be used leave the certificate as it is, with one line in the log.
func TestUnusableCertificateKeepsTheOldOne(t *testing.T) {
	dir := t.TempDir()
	cert, key := writeCertificate(t, dir, 1)
	var log strings.Builder
	now := time.Now()
	c, err := readCertificate(Web{TLSCert: cert, TLSKey: key}, slog.New(slog.NewTextHandler(&log, nil)), func() time.Time { return now })
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(key, []byte("not a key"), 0o600); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		now = now.Add(2 * certificateCheck)
		if pair, err := c.get(nil); err != nil || pair.Leaf.SerialNumber.Int64() != 1 {
			t.Fatalf("%v %v", pair, err)
		}
	}
	if n := strings.Count(log.String(), "\n"); n != 1 || !strings.Contains(log.String(), "--tls-key") {
		t.Errorf("log: %s", log.String())
	}
	for _, w := range []Web{{TLSCert: cert}, {TLSKey: key}, {TLSCert: cert, TLSKey: key}, {TLSCert: cert, TLSKey: filepath.Join(dir, "none")}} {
		if _, err := readCertificate(w, discard(), time.Now); err == nil || !strings.Contains(err.Error(), "--tls-") {
			t.Errorf("%+v: %v", w, err)
		}
	}
}
