package fleet

import (
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/coreroller/coreroller/ent/db"
	"github.com/coreroller/coreroller/ent/db/notifier"
	"github.com/coreroller/coreroller/fleet/change"
	"github.com/coreroller/coreroller/fleet/fault"
	"github.com/coreroller/coreroller/fleet/input"
	"github.com/coreroller/coreroller/fleet/notice"
	"github.com/coreroller/coreroller/remote/notify"
	"github.com/coreroller/coreroller/rollout"
)

// Limits of a notifier.
const (
	maxNotifierURL   = 2000
	maxAuthorization = 2000
	maxRecipients    = 20
	maxConditions    = 100
	maxDigest        = 24 * time.Hour
)

// checkNotifier returns what is wrong with a notifier, and completes it.
func (s *Service) checkNotifier(n *db.Notifier, digest time.Duration) error {
	var p input.Problems
	n.Name = p.Name("name", n.Name, input.MaxName)
	s.checkReceiver(&p, n)
	if n.MinSeverity == 0 {
		n.MinSeverity = rollout.SeveritySuccess
	}
	if len(n.Applications) > maxConditions || len(n.Groups) > maxConditions || len(n.Kinds) > maxConditions {
		p.Add("groupIds", "kinds, applications and groups must be at most %d each", maxConditions)
	}
	if n.Timezone == "" {
		n.Timezone = "UTC"
	}
	if _, err := time.LoadLocation(n.Timezone); err != nil || n.Timezone == "Local" {
		p.Add("timezone", "must be a time zone such as Europe/Lisbon")
	}
	if digest < 0 || digest > maxDigest || digest%time.Minute != 0 {
		p.Add("digest", "must be whole minutes, at most 24 hours")
	}
	for field, text := range map[string]string{"quietFrom": n.QuietFrom, "quietUntil": n.QuietUntil} {
		if _, ok := notice.ParseTimeOfDay(text); !ok && text != "" {
			p.Add(field, "must be a time of day such as 22:00")
		}
	}
	if (n.QuietFrom == "") != (n.QuietUntil == "") || n.QuietFrom != "" && n.QuietFrom == n.QuietUntil {
		p.Add("quietUntil", "give both quietFrom and quietUntil, and not the same: to send nothing, disable the notifier")
	}
	if n.Kind == string(notify.Alertmanager) && (len(n.Kinds) > 0 || digest > 0 || n.QuietFrom != "") {
		p.Add("kind", "Alertmanager gets states and groups and silences them itself: leave kinds, digest and quiet hours out")
	}
	if err := p.Err(); err != nil {
		return err
	}
	return s.checkConditions(n)
}

// checkReceiver checks where a notifier sends.
func (s *Service) checkReceiver(p *input.Problems, n *db.Notifier) {
	if !slices.Contains(notify.Kinds(), notify.Kind(n.Kind)) {
		p.Add("kind", "must be WEBHOOK, SLACK, ALERTMANAGER or MAIL")
		return
	}
	if n.Kind == string(notify.Mail) {
		if n.URL != "" || n.Authorization != "" {
			p.Add("url", "mail has addresses instead")
		}
		if len(n.Addresses) == 0 || len(n.Addresses) > maxRecipients {
			p.Add("addresses", "must be from 1 to %d", maxRecipients)
		}
		for i, a := range n.Addresses {
			if problem := emailProblem(a); problem != "" {
				p.Add(fmt.Sprintf("addresses.%d", i), "%s", problem)
			}
		}
		if !s.messages.sender.SendsMail() {
			p.Add("kind", "the server has no mail server: set its flags --smtp-url and --smtp-from")
		}
		return
	}
	if len(n.Addresses) > 0 {
		p.Add("addresses", "only mail has addresses")
	}
	if len(n.URL) > maxNotifierURL {
		p.Add("url", "must have at most %d bytes", maxNotifierURL)
	} else if err := notify.CheckURL(n.URL); err != nil {
		p.Add("url", "%v", err)
	}
	if len(n.Authorization) > maxAuthorization || !headerValue(n.Authorization) {
		p.Add("authorization", "must be printable ASCII of at most %d bytes", maxAuthorization)
	}
	if n.Kind == string(notify.Slack) && n.Authorization != "" {
		p.Add("authorization", "the URL of Slack is its secret")
	}
}

func headerValue(text string) bool {
	for _, b := range []byte(text) {
		if b < ' ' || b > '~' {
			return false
		}
	}
	return true
}

// checkConditions checks that applications and groups are of the team.
func (s *Service) checkConditions(n *db.Notifier) error {
	all := s.catalog.Catalog()
	for _, id := range n.Applications {
		if app := all.App(id); app == nil || app.TeamID != n.TeamID {
			return fault.Errorf(fault.NotFound, "applicationIds", "there is no such application in the team: %s", id)
		}
	}
	for _, id := range n.Groups {
		if g := all.Group(id); g == nil || g.App.TeamID != n.TeamID {
			return fault.Errorf(fault.NotFound, "groupIds", "there is no such group in the team: %s", id)
		}
	}
	return nil
}

// notifierFits returns Conflict if the name is taken or there are too many notifiers.
func notifierFits(c *change.Change, n *db.Notifier) error {
	rows, err := c.Tx.Client().Notifier.Query().Where(notifier.TeamID(n.TeamID), notifier.IDNEQ(n.ID)).All(c.Ctx)
	if err != nil {
		return err
	}
	if len(rows) >= maxNotifiers {
		return fault.Errorf(fault.Conflict, "", "a team has at most %d notifiers: delete one first", maxNotifiers)
	}
	names := make([]string, len(rows))
	for i, row := range rows {
		names[i] = row.Name
	}
	return input.Apart("name", n.Name, names...)
}

// RedeliverMessages is the input of Service.RedeliverMessages.
type RedeliverMessages struct {
	NotifierID  uuid.UUID
	DeliveryIDs []uuid.UUID // none: all that failed
	Reason      string
}
