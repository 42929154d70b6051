package main

import (
	"encoding/pem"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestLoginKeepsCheckedTokens(t *testing.T) {
	config := t.TempDir()
	t.Setenv("XDG_CONFIG_HOME", config)
	p := startProgram(t, "")
	r := remoteUser(t, p, "admin")
	token := strings.TrimPrefix(r.environ[1], "COREROLLER_TOKEN=")
	r.environ = nil
	file := filepath.Join(config, "coreroller", "contexts.json")

	r.run(2, arguments("groups"), "you are signed in nowhere", "coreroller login URL")
	r.run(2, arguments("login updates.example.com"), "https://updates.example.com")
	r.run(1, []string{"login", p.URL()}, "no password or token")
	if out, errs, code := execute(t, "crt_WRONG\n", nil, "login", p.URL()); code != 1 || !strings.Contains(errs, "does not accept the token") {
		t.Errorf("wrong token: %d %s%s", code, out, errs)
	}
	r.run(1, []string{"login", "http://" + freeAddress(t), "--token-file", file + "x"}, "--token-file", "no such file")
	if _, err := os.Stat(file); err == nil {
		t.Fatal("a failed login kept something")
	}
	secret := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(secret, []byte(token+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	free := "http://" + freeAddress(t)
	r.run(1, []string{"login", free, "--token-file", secret}, "no server listens at "+free, "check that it runs")

	out, errs, code := execute(t, token+"\n", nil, "login", p.URL(), "--context", "first")
	if code != 0 || !strings.Contains(out, "as admin (owner)") || !strings.Contains(out, "context first") || strings.Contains(out+errs, token) {
		t.Errorf("%d %s%s", code, out, errs)
	}
	if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
	r.run(0, []string{"login", p.URL(), "--token-file", secret}, "context "+strings.TrimPrefix(p.URL(), "http://"))
	r.run(0, arguments("context list"), "first", "*  127.0.0.1")
	r.run(0, arguments("context use first"), "Commands now run on "+p.URL())
	r.run(0, arguments("context list"), "*  first")
	r.run(0, arguments("groups"), "Stable")
	r.run(2, arguments("groups --context second"), `no context "second"`, "there are: 127.0.0.1", "first")
	r.run(0, []string{"groups", "--server", p.URL()}, "Stable")
	r.run(2, []string{"groups", "--server", "https://other.example.com"}, "no token for https://other.example.com", "COREROLLER_TOKEN")
	r.environ = []string{"COREROLLER_TOKEN=crt_WRONG"}
	r.run(1, arguments("groups"), "the token is from COREROLLER_TOKEN", "coreroller login")
	r.environ = []string{"COREROLLER_CONTEXT=first"}
	r.run(0, arguments("groups"), "Stable")

	r.environ = nil
	r.run(0, arguments("logout"), "was deleted from this machine", "stays valid")
	r.run(2, arguments("groups"), "no server is chosen", "context use")
	r.run(2, arguments("logout"), "name one by --context")
	r.run(0, []string{"context", "delete", strings.TrimPrefix(p.URL(), "http://")})
	r.run(2, arguments("groups"), "you are signed in nowhere")
	if text, err := os.ReadFile(file); err != nil || strings.Contains(string(text), token) {
		t.Errorf("the file still has the token: %s %v", text, err)
	}
}

func TestLoginChecksCertificates(t *testing.T) {
	t.Setenv("XDG_CONFIG_HOME", t.TempDir())
	p := startProgram(t, "")
	r := remoteUser(t, p, "admin")
	r.environ = r.environ[1:] // only the token
	address, err := url.Parse(p.URL())
	if err != nil {
		t.Fatal(err)
	}
	secure := httptest.NewTLSServer(httputil.NewSingleHostReverseProxy(address))
	defer secure.Close()
	file := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: secure.Certificate().Raw}), 0o600); err != nil {
		t.Fatal(err)
	}
	r.run(1, []string{"login", secure.URL}, "unknown authority", "--ca-file")
	r.run(1, []string{"login", "https" + strings.TrimPrefix(p.URL(), "http")}, "does not speak TLS", "http://")
	r.run(1, []string{"login", secure.URL, "--ca-file", file + "x"}, "--ca-file")
	r.run(0, []string{"login", secure.URL, "--ca-file", file}, "Signed in")
	r.environ = nil
	r.run(0, arguments("groups"), "Stable") // the file is kept with the context
}
