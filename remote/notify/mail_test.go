package notify_test

import (
	"crypto/tls"
	"crypto/x509"
	"io"
	"net"
	"net/http/httptest"
	"net/mail"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"

	"github.com/coreroller/coreroller/remote/notify"
)

// mailbox is a mail server that keeps what it accepted.
type mailbox struct {
	refuse   bool
	signedIn string
	to       []string
	received chan string
}

func (m *mailbox) NewSession(*smtp.Conn) (smtp.Session, error) { return m, nil }
func (m *mailbox) AuthMechanisms() []string                    { return []string{sasl.Plain} }
func (m *mailbox) Reset()                                      {}
func (m *mailbox) Logout() error                               { return nil }
func (m *mailbox) Mail(string, *smtp.MailOptions) error        { return nil }

func (m *mailbox) Auth(string) (sasl.Server, error) {
	return sasl.NewPlainServer(func(_, user, password string) error {
		if password != "right" {
			return smtp.ErrAuthFailed
		}
		m.signedIn = user
		return nil
	}), nil
}

func (m *mailbox) Rcpt(to string, _ *smtp.RcptOptions) error {
	if m.refuse {
		return &smtp.SMTPError{Code: 550, EnhancedCode: smtp.EnhancedCode{5, 1, 1}, Message: "no such mailbox"}
	}
	m.to = append(m.to, to)
	return nil
}

func (m *mailbox) Data(r io.Reader) error {
	text, err := io.ReadAll(r)
	m.received <- string(text)
	return err
}

// startMail starts a mail server with a certificate for example.com and 127.0.0.1.
func startMail(t *testing.T, m *mailbox, implicit bool) (address string, roots *x509.CertPool) {
	t.Helper()
	m.received = make(chan string, 10)
	web := httptest.NewTLSServer(nil) // for its certificate
	t.Cleanup(web.Close)
	roots = x509.NewCertPool()
	roots.AddCert(web.Certificate())
	server := smtp.NewServer(m)
	server.TLSConfig = &tls.Config{Certificates: web.TLS.Certificates, MinVersion: tls.VersionTLS12}
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address = l.Addr().String()
	if implicit {
		l = tls.NewListener(l, server.TLSConfig)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = server.Serve(l)
	}()
	t.Cleanup(func() { _ = server.Close(); <-done })
	return address, roots
}

func TestMailArrivesOverBothKindsOfTLS(t *testing.T) {
	t.Parallel()
	for name, implicit := range map[string]bool{"smtp": false, "smtps": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			box := &mailbox{}
			address, roots := startMail(t, box, implicit)
			server, err := notify.ParseMailServer(name+"://roller@"+address, "CoreRoller <roller@example.com>", "right")
			if err != nil {
				t.Fatal(err)
			}
			server.Roots = roots
			d := halted()
			d.Messages[0].Sentence = "line\r\nBcc: other@example.com"
			sender := notify.New(notify.Options{Mail: server})
			a := sender.Send(t.Context(), notify.Target{Kind: notify.Mail, Addresses: []string{"ops@example.com", "oncall@example.com"}}, d, at)
			if !a.Delivered() {
				t.Fatalf("answer %+v", a)
			}
			if last := sender.LastMail(); last == nil || *last != (notify.MailResult{At: at}) || sender.Mail().Password != "" {
				t.Errorf("last mail %+v, server %+v", last, sender.Mail())
			}
			msg, err := mail.ReadMessage(strings.NewReader(<-box.received))
			if err != nil {
				t.Fatal(err)
			}
			body, _ := io.ReadAll(msg.Body)
			for what, ok := range map[string]bool{
				"signed in":  box.signedIn == "roller",
				"recipients": strings.Join(box.to, " ") == "ops@example.com oncall@example.com",
				"subject":    msg.Header.Get("Subject") == "[CoreRoller] Rollout halted: Flatcar / stable",
				"id":         msg.Header.Get("Message-ID") == "<evt_1@example.com>",
				"no bcc":     msg.Header.Get("Bcc") == "" && strings.Contains(string(body), "line Bcc: other@example.com"),
				"link":       strings.Contains(string(body), "https://updates.example/apps/1/groups/2"),
				"log":        strings.Contains(a.Request, "ops@example.com") && !strings.Contains(a.Request, "right"),
			} {
				if !ok {
					t.Errorf("%s: %v\n%s", what, msg.Header, body)
				}
			}
		})
	}
}

func TestMailServerThatRefusesOrHangsEndsInAClass(t *testing.T) {
	t.Parallel()
	box := &mailbox{refuse: true}
	address, roots := startMail(t, box, false)
	hanging, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0") // accepts, and sends no greeting
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = hanging.Close() })
	for _, c := range []struct {
		name, url, password string
		class               notify.Class
	}{
		{"refused recipient", "smtp://roller@" + address, "right", notify.ClassMail},
		{"wrong password", "smtp://roller@" + address, "wrong", notify.ClassMail},
		{"hangs", "smtp://" + hanging.Addr().String(), "", notify.ClassTimeout},
	} {
		server, err := notify.ParseMailServer(c.url, "roller@example.com", c.password)
		if err != nil {
			t.Fatal(err)
		}
		server.Roots = roots
		a := notify.New(notify.Options{Mail: server, Timeout: 2 * time.Second}).Send(t.Context(), notify.Target{Kind: notify.Mail, Addresses: []string{"ops@example.com"}}, halted(), at)
		if a.Class != c.class || a.Error == "" || strings.Contains(a.Error, "wrong") {
			t.Errorf("%s: %+v, want the class %s", c.name, a, c.class)
		}
	}
	if a := notify.New(notify.Options{}).Send(t.Context(), notify.Target{Kind: notify.Mail}, halted(), at); a.Class != notify.ClassInvalid {
		t.Errorf("without a mail server: %+v", a)
	}
}

func TestMailServersAreParsed(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"smtp://u@h":            "h:587",
		"smtps://u@h":           "h:465",
		"smtp://h:25?tls=none":  "h:25",
		"smtp://[::1]:2525":     "::1:2525",
		"smtp://u:p@h":          "",
		"http://h":              "",
		"smtp://":               "",
		"smtp://u@h?tls=none":   "",
		"smtps://h?tls=none":    "",
		"smtp://h:99999":        "",
		"smtp://h/some/mailbox": "",
	} {
		m, err := notify.ParseMailServer(text, "a@example.com", "")
		if got := ""; err == nil {
			if got = m.Host + ":" + strconv.Itoa(m.Port); got != want {
				t.Errorf("%s: %s, want %q", text, got, want)
			}
		} else if want != "" {
			t.Errorf("%s: %v", text, err)
		}
	}
	if _, err := notify.ParseMailServer("smtp://h", "no address", ""); err == nil {
		t.Error("a sender that is no address is accepted")
	}
}
