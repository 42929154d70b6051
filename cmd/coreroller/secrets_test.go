package main

import (
	"bytes"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"
)

// lockedBuffer is a log that several goroutines write.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// Neither passwords nor tokens nor the secret of the update URL are in the log, whatever
// succeeds or fails, at the level that logs most.
// The start looks whether the first password is still used, which is no sign-in.
func TestStartIsNoFailedSignIn(t *testing.T) {
	log := &lockedBuffer{}
	p := NewProgram(Config{Listen: "127.0.0.1:0", DataDir: t.TempDir(), FirstPassword: "a good password"}, slog.New(slog.NewTextHandler(log, nil)), time.Now)
	if err := p.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := p.Close(); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(log.String(), "sign-in") {
		t.Errorf("the start is logged as a sign-in: %s", log.String())
	}
}

func TestSecretsAreNotLogged(t *testing.T) {
	log := &lockedBuffer{}
	const first, changed, wrong, secret = "first-passw0rd", "changed-passw0rd", "wrong-passw0rd", "update-s3cret"
	p := NewProgram(Config{Listen: "127.0.0.1:0", DataDir: t.TempDir(), OmahaSecret: secret, FirstPassword: first},
		slog.New(slog.NewTextHandler(log, &slog.HandlerOptions{Level: slog.LevelDebug})), time.Now)
	if err := p.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	var session string
	send := func(method, path, body string, prepare func(*http.Request)) {
		t.Helper()
		req, err := http.NewRequestWithContext(t.Context(), method, p.URL()+path, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Content-Type", "application/json")
		if prepare != nil {
			prepare(req)
		}
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = io.Copy(io.Discard, resp.Body)
		_ = resp.Body.Close()
		for _, c := range resp.Cookies() {
			if c.Value != "" {
				session = c.Value
			}
		}
	}
	signIn := func(password string) {
		send(http.MethodPost, "/graphql", `{"query": "mutation { signIn(input: {username: \"admin\", password: \"`+password+`\"}) { userErrors { message } } }"}`, nil)
	}
	signIn(wrong)
	signIn(first)
	if session == "" {
		t.Fatal("no session")
	}
	basic := func(password string) func(*http.Request) {
		return func(r *http.Request) { r.SetBasicAuth("admin", password) }
	}
	token := func(text string) func(*http.Request) {
		return func(r *http.Request) { r.Header.Set("Authorization", "Bearer "+text) }
	}
	cookie := func(r *http.Request) { r.AddCookie(&http.Cookie{Name: "coreroller_session", Value: session}) }
	send(http.MethodGet, "/api/apps", "", basic(first))
	send(http.MethodGet, "/api/apps", "", basic(wrong))
	send(http.MethodGet, "/api/apps", "", token(session))
	send(http.MethodGet, "/api/apps", "", token("made-up-t0ken"))
	send(http.MethodPost, "/graphql", `{"query": "{ me { id } }", "variables": "`+wrong, cookie) // not JSON
	send(http.MethodPost, "/graphql", `{"query": "mutation { changePassword(input: {currentPassword: \"`+first+`\", newPassword: \"`+changed+`\"}) { userErrors { message } } }"}`, cookie)
	send(http.MethodPost, "/graphql", `{"query": "mutation { createUser(input: {username: \"ben\", password: \"`+wrong+`\", role: VIEWER}) { userErrors { message } } }"}`, cookie)
	send(http.MethodPost, "/v1/update/"+secret, "<request/>", nil)
	send(http.MethodPost, "/v1/update/"+secret+"x", "<request/>", nil)
	send(http.MethodGet, "/graphql?query="+wrong, "", nil)
	http.DefaultClient.CloseIdleConnections()
	if err := p.Close(); err != nil {
		t.Fatal(err)
	}
	text := log.String()
	for _, hidden := range []string{first, changed, wrong, secret, session, "made-up-t0ken"} {
		if at := strings.Index(text, hidden); at >= 0 {
			t.Errorf("%q is in the log: …%s", hidden, text[max(at-200, 0):at+len(hidden)])
		}
	}
	if strings.Count(text, "msg=request") < 10 {
		t.Errorf("requests are not logged: %s", text)
	}
}
