package main

import (
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-smtp"

	"github.com/coreroller/coreroller/remote/notify"
	"github.com/coreroller/coreroller/remote/payload"
)

// startNotifying starts a server that may send to this machine.
func startNotifying(t *testing.T, n Notify) *Program {
	t.Helper()
	return startNotifyingIn(t, n, t.TempDir())
}

func startNotifyingIn(t *testing.T, n Notify, dir string) *Program {
	t.Helper()
	n.To = payload.Sources{Networks: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}}
	p := NewProgram(Config{Listen: "127.0.0.1:0", DataDir: dir, Notify: n}, discard(), time.Now)
	if err := p.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := p.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return p
}

// hook is a receiver that can refuse what it gets.
type hook struct {
	*httptest.Server
	mu      sync.Mutex
	failing bool
	calls   []*http.Request
	bodies  []string
}

func startHook(t *testing.T) *hook {
	t.Helper()
	h := &hook{}
	h.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		h.mu.Lock()
		defer h.mu.Unlock()
		h.calls, h.bodies = append(h.calls, r), append(h.bodies, string(body))
		if h.failing {
			http.Error(w, "closed on Sundays", http.StatusServiceUnavailable)
		}
	}))
	t.Cleanup(h.Close)
	return h
}

func (h *hook) fail(failing bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.failing = failing
}

func (h *hook) count() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return len(h.calls)
}

func TestRemoteWebhooks(t *testing.T) {
	h, dir := startHook(t), t.TempDir()
	p := startNotifyingIn(t, Notify{}, dir)
	newTestGroup(t, p.fleet, p.store, fastPolicy(1))
	r := remoteUser(t, p, "admin")
	r.run(0, arguments("webhook list"), "There are no notifiers")
	auth := filepath.Join(t.TempDir(), "auth")
	if err := os.WriteFile(auth, []byte("Bearer hidden\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	var made struct{ Secret string }
	out := r.run(0, []string{"webhook", "create", "tracker", "--url", h.URL + "/in", "--authorization-file", auth, "--activity", "paused,resumed", "--group", "production", "-o", "json"})
	if err := json.Unmarshal([]byte(out), &made); err != nil || made.Secret == "" {
		t.Fatalf("%s: %v", out, err)
	}
	r.run(0, arguments("webhook test tracker"), `> {"type":"test"`, "< HTTP/1.1 200 OK")
	h.fail(true)
	r.run(1, arguments("webhook test tracker"), "closed on Sundays", "did not accept")
	resp, err := http.Get(p.URL() + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	metrics, _ := io.ReadAll(resp.Body)
	_ = resp.Body.Close()
	for _, result := range []string{"delivered", "failed"} {
		if want := `coreroller_messages_total{kind="webhook",result="` + result + `"} 1`; !strings.Contains(string(metrics), want) {
			t.Errorf("the metrics lack %s", want)
		}
	}
	r.run(0, []string{"pause", "production", "--reason", "migration"})
	eventually(t, "the first attempt was made", func() bool { return h.count() == 3 })
	eventually(t, "it is recorded", func() bool {
		return strings.Contains(r.run(0, arguments("webhook deliveries tracker --state pending")), "503")
	})

	// The message survives a restart of the server.
	if err := p.Close(); err != nil {
		t.Fatal(err)
	}
	h.fail(false)
	p = startNotifyingIn(t, Notify{}, dir)
	r = remoteUser(t, p, "admin")
	eventually(t, "the second attempt was made", func() bool { return h.count() == 4 })
	eventually(t, "it is recorded", func() bool {
		return strings.Contains(r.run(0, arguments("webhook deliveries tracker --state delivered")), "rollout.paused")
	})
	h.mu.Lock()
	first, second, body := h.calls[2].Header, h.calls[3].Header, h.bodies[3]
	h.mu.Unlock()
	if first.Get("webhook-id") != second.Get("webhook-id") || second.Get("Authorization") != "Bearer hidden" {
		t.Errorf("headers %v, after the restart %v", first, second)
	}
	if !strings.Contains(body, p.URL()+"/apps/") && !strings.Contains(body, "http://localhost") && !strings.Contains(body, "http://127.0.0.1") {
		t.Errorf("no link in %s", body)
	}
	r.run(1, arguments("webhook redeliver tracker"), "no such delivery")
	r.run(0, arguments("webhook list"), "tracker", "working", "1 of 1")
	r.run(1, arguments("webhook test other"), `there is no notifier "other"`, "tracker")
	r.run(1, arguments("webhook create tracker --url http://example.com/"), "name: ")
	r.run(0, arguments("webhook delete tracker --reason replaced"), "was deleted")
	r.run(1, arguments("webhook deliveries tracker"), "there is no notifier")
}

// letters is a mail server that keeps what it accepts.
type letters struct{ received chan string }

func (l *letters) NewSession(*smtp.Conn) (smtp.Session, error) { return l, nil }
func (l *letters) Reset()                                      {}
func (l *letters) Logout() error                               { return nil }
func (l *letters) Mail(string, *smtp.MailOptions) error        { return nil }
func (l *letters) Rcpt(string, *smtp.RcptOptions) error        { return nil }
func (l *letters) Data(r io.Reader) error {
	text, err := io.ReadAll(r)
	l.received <- string(text)
	return err
}

func TestMailAndSlackGetAHalt(t *testing.T) {
	box, h := &letters{received: make(chan string, 10)}, startHook(t)
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := smtp.NewServer(box)
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = server.Serve(l)
	}()
	t.Cleanup(func() { _ = server.Close(); <-done })
	p := startNotifying(t, Notify{PublicURL: "https://updates.example", SMTPURL: "smtp://" + l.Addr().String() + "?tls=none", SMTPFrom: "roller@example.com"})
	k := newTestGroup(t, p.fleet, p.store, fastPolicy(1))
	k.promote(t)
	r := remoteUser(t, p, "admin")
	r.run(0, arguments("webhook create mail --kind mail --to ops@example.com --digest 1h --quiet-from 00:00 --quiet-until 23:59"), "sends to ops@example.com")
	r.run(0, arguments("webhook create slack --kind slack --url "+h.URL+"/services/T0/B0/long-secret-k3Qx --min-severity warning"), "/…k3Qx")
	r.run(0, []string{"halt", "production", "--reason", "kernel panics"})
	select {
	case text := <-box.received: // in the quiet hours
		for _, want := range []string{"Subject: [CoreRoller] Rollout halted: OS / production", "kernel panics; next: look at the failed machines", "/incident"} {
			if !strings.Contains(strings.ReplaceAll(text, "=\r\n", ""), want) {
				t.Errorf("mail has no %q:\n%s", want, text)
			}
		}
	case <-time.After(30 * time.Second):
		t.Fatal("no mail within 30 seconds")
	}
	eventually(t, "Slack got it", func() bool { return h.count() == 1 })
	h.mu.Lock()
	body := h.bodies[0]
	h.mu.Unlock()
	if !strings.Contains(body, `"type":"header"`) || !strings.Contains(body, "https://updates.example/apps/"+k.app.String()+"/groups/"+k.group.String()+"/incident") {
		t.Errorf("Slack got %s", body)
	}
}

func TestNotifyFlagsAreChecked(t *testing.T) {
	for _, c := range []struct {
		args []string
		want string
	}{
		{[]string{"--public-url=updates.example"}, "--public-url"},
		{[]string{"--smtp-url=smtp://h"}, "--smtp-from"},
		{[]string{"--smtp-from=a@example.com"}, "--smtp-url"},
		{[]string{"--smtp-url=smtp://u@h", "--smtp-from=a@example.com"}, "COREROLLER_SMTP_PASSWORD"},
		{[]string{"--smtp-url=smtp://u:secret@h", "--smtp-from=a@example.com"}, "--smtp-url"},
		{[]string{"--smtp-url=smtp://h:25?tls=none", "--smtp-from=a@example.com", "--public-url=https://updates.example/roller"}, ""},
	} {
		got, err := parse(t, nil, c.args...)
		if err != nil {
			t.Fatal(err)
		}
		err = got.Notify.check()
		if (err == nil) != (c.want == "") || err != nil && (!strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "secret")) {
			t.Errorf("%v: %v, want %q", c.args, err, c.want)
		}
	}
	if got, err := parse(t, nil); err != nil || !got.Notify.To.Public || got.Notify.To.Networks != nil {
		t.Errorf("default: %+v %v", got.Notify, err)
	}
	if m, err := (&Notify{SMTPURL: "smtp://u@h", SMTPFrom: "a@example.com", SMTPPassword: "p"}).mail(); err != nil || m.Password != "p" || m.TLS != notify.StartTLS {
		t.Errorf("%+v %v", m, err)
	}
}
