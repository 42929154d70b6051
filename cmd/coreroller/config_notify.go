package main

import (
	"cmp"
	"errors"
	"fmt"
	"net/url"
	"os"
	"strings"

	"github.com/spf13/pflag"

	"github.com/coreroller/coreroller/remote/notify"
	"github.com/coreroller/coreroller/remote/payload"
)

// Notify is the part of the configuration for messages to other servers.
type Notify struct {
	To           payload.Sources // addresses to which webhooks may be sent
	PublicURL    string          // of the dashboard, in messages; "" is the server's own URL
	SMTPURL      string          // "": no mail
	SMTPFrom     string
	SMTPPassword string
}

func (n *Notify) flags(f *pflag.FlagSet) {
	n.To = payload.Sources{Public: true}
	f.Var((*sourcesFlag)(&n.To), "notify-to",
		"to where the server sends webhooks: none, or public, addresses and networks such as 10.0.0.0/8, separated by commas; public is every address of the internet; link-local addresses and those of cloud metadata are never used")
	f.StringVar(&n.PublicURL, "public-url", "", "URL at which people open the dashboard, for links in messages, such as https://updates.example.com; default: the URL on this machine")
	f.StringVar(&n.SMTPURL, "smtp-url", "", "mail server for notifiers: smtp://user@host:587 (STARTTLS) or smtps://user@host:465; smtp://host:25?tls=none does not encrypt; the password is in "+envPrefix+smtpPassword)
	f.StringVar(&n.SMTPFrom, "smtp-from", "", "sender of mail, such as coreroller@example.com")
}

// The environment variables, without their prefix, that set the password of the mail
// server.
const (
	smtpPassword     = "SMTP_PASSWORD"
	smtpPasswordFile = "SMTP_PASSWORD_FILE"
)

// check returns what is wrong.
func (n *Notify) check() error {
	var errs []error
	if u, err := url.Parse(n.PublicURL); n.PublicURL != "" && (err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "") {
		errs = append(errs, errors.New("--public-url must be a URL such as https://updates.example.com, without user, query and fragment"))
	}
	_, err := n.mail()
	return errors.Join(append(errs, err)...)
}

// mail returns the mail server, nil without one.
func (n *Notify) mail() (*notify.MailServer, error) {
	if n.SMTPURL == "" {
		if n.SMTPFrom != "" {
			return nil, errors.New("--smtp-from has no effect without --smtp-url")
		}
		return nil, nil
	}
	if n.SMTPFrom == "" {
		return nil, errors.New("--smtp-url needs --smtp-from, the sender of the mail")
	}
	m, err := notify.ParseMailServer(n.SMTPURL, n.SMTPFrom, n.SMTPPassword)
	switch {
	case err != nil:
		return nil, fmt.Errorf("--smtp-url or --smtp-from: %w", err)
	case m.User != "" && m.Password == "":
		return nil, fmt.Errorf("--smtp-url has a user: set %s, or %s to a file with the password", envPrefix+smtpPassword, envPrefix+smtpPasswordFile)
	}
	return m, nil
}

// sender returns what sends messages. check was called before.
func (n *Notify) sender() (*notify.Sender, error) {
	m, err := n.mail()
	return notify.New(notify.Options{To: n.To, Mail: m, UserAgent: "CoreRoller/" + version}), err
}

// publicURL is the URL of the dashboard for links, without a slash at its end.
func (p *Program) publicURL() string {
	return strings.TrimRight(cmp.Or(p.config.Notify.PublicURL, p.URL()), "/")
}

// readSecret returns a secret from one of two variables: its value, or the name of a file.
func readSecret(environ []string, name, file string) (string, error) {
	values := environment(environ)
	secret, path := values[envPrefix+name], values[envPrefix+file]
	switch {
	case secret != "" && path != "":
		return "", fmt.Errorf("set only one of %s and %s", envPrefix+name, envPrefix+file)
	case path == "":
		return secret, nil
	}
	data, err := os.ReadFile(path) //nolint:gosec // G304: the operator names the file
	if err != nil {
		return "", fmt.Errorf("%s: %w", envPrefix+file, err)
	}
	if secret = strings.TrimRight(string(data), "\r\n"); secret == "" {
		return "", fmt.Errorf("%s: %s is empty", envPrefix+file, path)
	}
	return secret, nil
}
