package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"io"
	"log/slog"
	"math/big"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/coreroller/coreroller/auth"
	"github.com/coreroller/coreroller/fleet"
)

// authority signs client certificates of machines.
type authority struct {
	t    *testing.T
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

func newAuthority(t *testing.T) *authority {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "machines"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return &authority{t, cert, key}
}

func (a *authority) write(file string) {
	a.t.Helper()
	if err := os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: a.cert.Raw}), 0o600); err != nil {
		a.t.Fatal(err)
	}
}

// sign makes a client certificate with a name.
func (a *authority) sign(name string, change func(c *x509.Certificate)) []tls.Certificate {
	a.t.Helper()
	template := &x509.Certificate{
		SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: name}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	}
	if change != nil {
		change(template)
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		a.t.Fatal(err)
	}
	der, err := x509.CreateCertificate(rand.Reader, template, a.cert, key.Public(), a.key)
	if err != nil {
		a.t.Fatal(err)
	}
	return []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}
}

// machineClient shows its certificate whatever authorities the server names. It
// resumes sessions if the server can.
func machineClient(t *testing.T, shown []tls.Certificate, version uint16) *http.Client {
	config := &tls.Config{
		InsecureSkipVerify: true, MaxVersion: version, ClientSessionCache: tls.NewLRUClientSessionCache(4),
		GetClientCertificate: func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
			if len(shown) == 0 {
				return &tls.Certificate{}, nil
			}
			return &shown[0], nil
		},
	}
	c := &http.Client{Transport: &http.Transport{TLSClientConfig: config, ForceAttemptHTTP2: true}}
	t.Cleanup(c.CloseIdleConnections)
	return c
}

// certifying is a program with a group that requires client certificates.
type certifying struct {
	*Program
	t   *testing.T
	log lockedBuffer

	resumed bool   // whether the last connection resumed a session
	file    string // of the authorities
	body    string // of a request of machine "m"
}

func startCertifying(t *testing.T, a *authority, separate bool) *certifying {
	t.Helper()
	cert, key := writeCertificate(t, t.TempDir(), 1)
	c := &certifying{t: t, file: filepath.Join(t.TempDir(), "ca.pem")}
	a.write(c.file)
	w := Web{TLSCert: cert, TLSKey: key, MachineClientCA: c.file}
	if separate {
		w.ListenMachines = "127.0.0.1:0"
	}
	c.Program = NewProgram(Config{Listen: "127.0.0.1:0", DataDir: t.TempDir(), Web: w}, slog.New(slog.NewTextHandler(&c.log, &slog.HandlerOptions{Level: slog.LevelDebug})), time.Now)
	if err := c.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	})
	ctx := auth.With(t.Context(), commandPrincipal("test"))
	app, err := c.fleet.CreateApplication(ctx, fleet.CreateApplication{Name: "program"})
	if err != nil {
		t.Fatal(err)
	}
	group, err := c.fleet.CreateGroup(ctx, fleet.CreateGroup{ApplicationID: app.ID, Name: "prod", Track: "prod"})
	if err != nil {
		t.Fatal(err)
	}
	yes := true
	if _, err := c.fleet.UpdateGroup(ctx, fleet.UpdateGroup{ID: group.ID, RequireCertificate: &yes}); err != nil {
		t.Fatal(err)
	}
	c.body = fmt.Sprintf(`<request protocol="3.0"><app appid="%s" version="1.0.0" track="prod" machineid="m"><updatecheck/></app></request>`, app.ID)
	return c
}

// status sends the request of machine "m" over a new connection. It is 0 if the
// connection was refused.
func (c *certifying) status(client *http.Client) int {
	c.t.Helper()
	client.CloseIdleConnections()
	resp, err := client.Post(c.OmahaURL(), "text/xml", strings.NewReader(c.body))
	if err != nil {
		return 0
	}
	_, _ = io.Copy(io.Discard, resp.Body)
	_ = resp.Body.Close()
	c.resumed = resp.TLS.DidResume
	return resp.StatusCode
}

// logged waits until the server logged why it ended a handshake.
func (c *certifying) logged(from int, text string) bool {
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		if strings.Contains(c.log.String()[from:], text) {
			return true
		}
	}
	return false
}

func TestMachinesShowClientCertificates(t *testing.T) {
	a, wrong := newAuthority(t), newAuthority(t)
	for _, separate := range []bool{false, true} {
		c := startCertifying(t, a, separate)
		for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
			for _, try := range []struct {
				name  string
				shown []tls.Certificate
				want  int
				log   string
			}{
				{"right", a.sign("m", nil), http.StatusOK, ""},
				{"right DNS name", a.sign("x", func(c *x509.Certificate) { c.DNSNames = []string{"m"} }), http.StatusOK, ""},
				{"none", nil, http.StatusForbidden, ""},
				{"another machine", a.sign("n", nil), http.StatusForbidden, ""},
				{"another authority", wrong.sign("m", nil), 0, "unknown authority"},
				{"expired", a.sign("m", func(c *x509.Certificate) { c.NotAfter = time.Now().Add(-time.Minute) }), 0, "expired"},
				{"not yet valid", a.sign("m", func(c *x509.Certificate) { c.NotBefore = time.Now().Add(time.Minute) }), 0, "not yet valid"},
				{"of a server", a.sign("m", func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth} }), 0, "incompatible key usage"},
			} {
				from := len(c.log.String())
				if got := c.status(machineClient(t, try.shown, version)); got != try.want || !c.logged(from, try.log) {
					t.Errorf("separate listener %t, TLS %x, %s: status %d, want %d", separate, version, try.name, got, try.want)
				}
			}
		}
		refused := c.fleet.Machines.RefusedRequests()
		if refused["certificate_missing"] != 2 || refused["certificate_other"] != 2 {
			t.Errorf("refused %v", refused)
		}
		people := machineClient(t, nil, tls.VersionTLS13)
		resp, err := people.Get(c.URL() + "/healthz")
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		if resp.StatusCode != http.StatusOK || resp.ProtoMajor != 2 {
			t.Errorf("people get %s %s", resp.Proto, resp.Status)
		}
	}
}

// A changed file is used for new connections, also of clients that resume sessions.
func TestMachineClientCAIsReadAgainWhenItsFileChanges(t *testing.T) {
	before, after := newAuthority(t), newAuthority(t)
	c := startCertifying(t, before, false)
	first, second := machineClient(t, before.sign("m", nil), tls.VersionTLS13), machineClient(t, after.sign("m", nil), tls.VersionTLS13)
	if is, other := c.status(first), c.status(second); is != http.StatusOK || other != 0 {
		t.Fatalf("statuses %d and %d", is, other)
	}
	if is := c.status(first); is != http.StatusOK || !c.resumed {
		t.Fatalf("status %d, resumed %t", is, c.resumed)
	}
	after.write(c.file)
	deadline := time.Now().Add(20 * time.Second)
	for c.status(second) != http.StatusOK && time.Now().Before(deadline) {
		time.Sleep(100 * time.Millisecond)
	}
	if is, other := c.status(first), c.status(second); is != 0 || other != http.StatusOK {
		t.Errorf("after the change: statuses %d and %d", is, other)
	}
}

// A file that cannot be used is an error at the start; later the old one stays.
func TestUnusableMachineClientCA(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "ca.pem")
	newAuthority(t).write(file)
	var log strings.Builder
	now := time.Now()
	a, err := readMachineCA(Web{TLSCert: "x", MachineClientCA: file}, slog.New(slog.NewTextHandler(&log, nil)), func() time.Time { return now })
	if err != nil {
		t.Fatal(err)
	}
	first := a.latest()
	if err := os.WriteFile(file, []byte("nothing"), 0o600); err != nil {
		t.Fatal(err)
	}
	now = now.Add(2 * certificateCheck)
	if a.latest() != first || !strings.Contains(log.String(), "--machine-client-ca") {
		t.Errorf("the old authorities are gone; log %s", log.String())
	}
	for _, w := range []Web{{TLSCert: "x", MachineClientCA: file}, {TLSCert: "x", MachineClientCA: filepath.Join(dir, "none")}, {MachineClientCA: file}} {
		if _, err := readMachineCA(w, discard(), time.Now); err == nil || !strings.Contains(err.Error(), "--machine-client-ca") {
			t.Errorf("%+v: %v", w, err)
		}
	}
}
