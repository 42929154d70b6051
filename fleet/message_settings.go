package fleet

import (
	"context"
	"net"
	"strconv"

	"github.com/coreroller/coreroller/auth"
	"github.com/coreroller/coreroller/fleet/fault"
	"github.com/coreroller/coreroller/remote/notify"
)

// MessageSettings are how this server sends messages: its flags, without secrets.
type MessageSettings struct {
	MailServer    string // host and port; "": no mail
	MailFrom      string
	MailEncrypted bool
	LastMail      *notify.MailResult // of this process; nil: none, or the caller may not read all notifiers
	Receivers     []string           // where webhooks may be sent: public, and networks
}

// MessageSettings returns how this server sends messages.
func (s *Service) MessageSettings(ctx context.Context) (*MessageSettings, error) {
	by, err := fault.RequireVerb(ctx, "messageSettings")
	if err != nil {
		return nil, err
	}
	out := &MessageSettings{Receivers: []string{}}
	if m := s.messages.sender.Mail(); m != nil {
		out.MailServer, out.MailFrom, out.MailEncrypted = net.JoinHostPort(m.Host, strconv.Itoa(m.Port)), m.From, m.TLS != notify.NoTLS
	}
	if by.RoleOn(auth.Place{}) >= auth.Needs("notifiers") { // its error can contain addresses of any team
		out.LastMail = s.messages.sender.LastMail()
	}
	to := s.messages.sender.To()
	if to.Public {
		out.Receivers = append(out.Receivers, "public")
	}
	for _, network := range to.Networks {
		out.Receivers = append(out.Receivers, network.String())
	}
	return out, nil
}
