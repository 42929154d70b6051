package main

import (
	"crypto/x509"
	"encoding/pem"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// The agent trusts its own certificate authority and shows the certificate of its machine.
func TestAgentShowsItsCertificate(t *testing.T) {
	a := newAuthority(t)
	c := startCertifying(t, a, false)
	dir := t.TempDir()
	write := func(name string, blocks ...*pem.Block) string {
		t.Helper()
		file, text := filepath.Join(dir, name), []byte(nil)
		for _, b := range blocks {
			text = append(text, pem.EncodeToMemory(b)...)
		}
		if err := os.WriteFile(file, text, 0o600); err != nil {
			t.Fatal(err)
		}
		return file
	}
	pair := a.sign("m-1", nil)[0]
	key, err := x509.MarshalPKCS8PrivateKey(pair.PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	cert := write("m.crt", &pem.Block{Type: "CERTIFICATE", Bytes: pair.Certificate[0]})
	keyFile := write("m.key", &pem.Block{Type: "PRIVATE KEY", Bytes: key})
	tool := write("tool")
	_, rest, _ := strings.Cut(c.body, `appid="`)
	app, _, _ := strings.Cut(rest, `"`)
	agent := func(args ...string) (string, int) {
		t.Helper()
		base := []string{"agent", "--once", "--server", c.OmahaURL(), "--app", app, "--group", "prod", "--file", tool, "--machine-id", "m-1", "--state-dir", filepath.Join(dir, "state")}
		out, errs, code := execute(t, "", nil, append(base, args...)...)
		return out + errs, code
	}
	if text, code := agent(); code == 0 || !strings.Contains(text, "certificate") {
		t.Errorf("without --ca-file: %d %s", code, text)
	}
	if text, code := agent("--ca-file", c.config.Web.TLSCert); code == 0 || !strings.Contains(text, "403") {
		t.Errorf("without a client certificate: %d %s", code, text)
	}
	if text, code := agent("--ca-file", c.config.Web.TLSCert, "--client-cert", cert, "--client-key", keyFile); code != 0 || !strings.Contains(text, "no update") {
		t.Errorf("with a client certificate: %d %s", code, text)
	}
	for _, args := range [][]string{{"--client-cert", cert}, {"--client-key", keyFile}, {"--ca-file", keyFile}, {"--ca-file", filepath.Join(dir, "none")}, {"--client-cert", cert, "--client-key", cert}} {
		if text, code := agent(args...); code == 0 || !strings.Contains(text, "certificate") {
			t.Errorf("%q: %d %s", args, code, text)
		}
	}
}
