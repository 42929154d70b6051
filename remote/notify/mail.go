package notify

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/mail"
	"net/textproto"
	"net/url"
	"strconv"
	"strings"
	"time"

	gomail "github.com/wneessen/go-mail"
)

// MailServer is how mail is sent. The operator of the server sets it, so its address is
// not restricted.
type MailServer struct {
	Host     string
	Port     int
	TLS      MailTLS
	User     string // "": no sign-in
	Password string
	From     string
	Roots    *x509.CertPool // certificates to trust; nil: those of the system
}

// MailTLS is how a connection to a mail server is encrypted.
type MailTLS int

// The kinds of encryption.
const (
	StartTLS    MailTLS = iota // required
	ImplicitTLS                // from the first byte
	NoTLS
)

// ParseMailServer reads smtp://user@host:587 (with STARTTLS) or smtps://user@host:465.
// smtp://host:25?tls=none does not encrypt.
func ParseMailServer(text, from, password string) (*MailServer, error) {
	u, err := url.Parse(text)
	if err != nil || u.Hostname() == "" || u.Scheme != "smtp" && u.Scheme != "smtps" || strings.Trim(u.Path, "/") != "" {
		return nil, errors.New("use smtp://user@host:587 or smtps://user@host:465")
	}
	m := &MailServer{Host: u.Hostname(), Port: 587, User: u.User.Username(), Password: password, From: from}
	if _, has := u.User.Password(); has {
		return nil, errors.New("must not contain the password, which other users of this machine could see")
	}
	if u.Scheme == "smtps" {
		m.TLS, m.Port = ImplicitTLS, 465
	}
	switch choice := u.Query().Get("tls"); {
	case choice == "none" && u.Scheme == "smtp":
		m.TLS = NoTLS
	case choice != "":
		return nil, errors.New("the only choice of tls is smtp://…?tls=none")
	}
	if m.User != "" && m.TLS == NoTLS {
		return nil, errors.New("with tls=none the password would be sent unencrypted: leave the user out, or use TLS")
	}
	if text := u.Port(); text != "" {
		if m.Port, err = strconv.Atoi(text); err != nil || m.Port < 1 || m.Port > 65535 {
			return nil, errors.New("the port must be a number up to 65535")
		}
	}
	if _, err := mail.ParseAddress(from); err != nil {
		return nil, errors.New("the sender must be an address such as coreroller@example.com")
	}
	return m, nil
}

// sendMail sends one mail to all addresses.
func (s *Sender) sendMail(ctx context.Context, to Target, d Delivery, at time.Time) *Answer {
	answer := &Answer{}
	began := time.Now()
	defer func() { answer.Took = time.Since(began) }()
	if s.mail == nil {
		return answer.fail(ClassInvalid, "the server has no mail server: see its flag --smtp-url")
	}
	msg, text, err := s.mail.message(to, d, at)
	if err != nil {
		return answer.fail(ClassInvalid, "%v", err)
	}
	answer.Request = text
	defer func() { s.lastMail.Store(&MailResult{At: at, Error: answer.Error}) }()
	ctx, cancel := context.WithTimeout(ctx, s.timeout)
	defer cancel()
	client, err := s.mail.client(s.timeout)
	if err != nil {
		return answer.fail(ClassInvalid, "%v", err)
	}
	if err := client.DialAndSendWithContext(ctx, msg); err != nil {
		class, text := classify(err)
		if class == ClassConnect {
			if refused, ok := errors.AsType[*gomail.SendError](err); ok {
				class, answer.Status = ClassMail, refused.ErrorCode()
			} else if refused, ok := errors.AsType[*textproto.Error](err); ok { // of the sign-in
				class, answer.Status = ClassMail, refused.Code
			}
		}
		return answer.fail(class, "%s", text)
	}
	answer.Response = "accepted by " + s.mail.Host
	return answer
}

// client returns a client that connects within limits.
func (m *MailServer) client(timeout time.Duration) (*gomail.Client, error) {
	options := []gomail.Option{
		gomail.WithPort(m.Port), gomail.WithTimeout(timeout), gomail.WithoutNoop(),
		gomail.WithDialContextFunc(func(ctx context.Context, network, address string) (net.Conn, error) {
			return m.dial(ctx, network, address, timeout)
		}),
	}
	auth := gomail.SMTPAuthAutoDiscover
	switch m.TLS {
	case StartTLS:
		options = append(options, gomail.WithTLSPolicy(gomail.TLSMandatory),
			gomail.WithTLSConfig(&tls.Config{ServerName: m.Host, MinVersion: tls.VersionTLS12, RootCAs: m.Roots}))
	case ImplicitTLS:
		options = append(options, gomail.WithTLSPolicy(gomail.NoTLS)) // dial has encrypted
		auth = gomail.SMTPAuthPlain                                   // the discovery does not know that
	case NoTLS:
		options = append(options, gomail.WithTLSPolicy(gomail.NoTLS))
	}
	if m.User != "" {
		options = append(options, gomail.WithSMTPAuth(auth), gomail.WithUsername(m.User), gomail.WithPassword(m.Password))
	}
	return gomail.NewClient(m.Host, options...)
}

// message returns a mail and its text for the log.
func (m *MailServer) message(to Target, d Delivery, at time.Time) (*gomail.Msg, string, error) {
	msg := gomail.NewMsg()
	if err := msg.From(m.From); err != nil {
		return nil, "", fmt.Errorf("the sender: %w", err)
	}
	if err := msg.To(to.Addresses...); err != nil {
		return nil, "", fmt.Errorf("the recipients: %w", err)
	}
	subject := "[CoreRoller] " + oneLine(d.subject())
	msg.Subject(subject)
	msg.SetMessageIDWithValue(d.ID + "@" + domain(m.From)) // the same in every attempt
	msg.SetDateWithValue(at)
	msg.SetGenHeader("Auto-Submitted", "auto-generated") // no answers of absent people
	body := mailBody(&d)
	msg.SetBodyString(gomail.TypeTextPlain, body)
	return msg, excerpt([]byte(fmt.Sprintf("To: %s\nSubject: %s\n\n%s", strings.Join(to.Addresses, ", "), subject, body))), nil
}

func domain(address string) string {
	parsed, err := mail.ParseAddress(address)
	if err != nil {
		return "coreroller"
	}
	_, after, _ := strings.Cut(parsed.Address, "@")
	return after
}

// mailBody returns plain text: what machines sent is no markup in it.
func mailBody(d *Delivery) string {
	var b strings.Builder
	for i := range d.Messages {
		m := &d.Messages[i]
		fmt.Fprintf(&b, "%s\n%s\n", oneLine(m.Title), oneLine(m.Sentence))
		for _, f := range []struct{ name, value string }{
			{"Where", m.where()}, {"Version", m.Version}, {"Machine", m.Machine}, {"By", m.Actor}, {"At", m.At.UTC().Format(time.RFC3339)}, {"Page", m.URL},
		} {
			if f.value != "" {
				fmt.Fprintf(&b, "%s: %s\n", f.name, oneLine(f.value))
			}
		}
		b.WriteString("\n")
	}
	if d.Omitted > 0 {
		fmt.Fprintf(&b, "and %d more\n", d.Omitted)
	}
	return b.String()
}

func oneLine(text string) string { return strings.Join(strings.Fields(text), " ") }
