package fleet

import (
	"context"
	"fmt"
	"net/mail"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/coreroller/coreroller/auth"
	"github.com/coreroller/coreroller/ent/db"
	"github.com/coreroller/coreroller/event"
	"github.com/coreroller/coreroller/fleet/change"
	"github.com/coreroller/coreroller/fleet/fault"
	"github.com/coreroller/coreroller/fleet/input"
	"github.com/coreroller/coreroller/remote/notify"
	"github.com/coreroller/coreroller/remote/payload"
	"github.com/coreroller/coreroller/rollout"
	"github.com/coreroller/coreroller/store"
)

// messages sends test messages of notifiers.
type messages struct {
	sender  *notify.Sender
	testing chan struct{} // holds one element for each test message that is sent
}

func newMessages(o Options) messages {
	m := messages{o.Sender, make(chan struct{}, maxTests)}
	if m.sender == nil {
		m.sender = notify.New(notify.Options{To: payload.Sources{Public: true}, UserAgent: "CoreRoller"})
	}
	return m
}

const (
	// maxNotifiers caps the notifiers of a team: each has its own queue in memory.
	maxNotifiers = 50
	// bothSecrets is how long the secret before a rotation signs, too.
	bothSecrets = 24 * time.Hour
	// maxTests limits the test messages that one process sends at once.
	maxTests = 4
)

// CreateNotifier is the input of Service.CreateNotifier.
type CreateNotifier struct {
	TeamID         *uuid.UUID // nil: that of the caller
	Name           string
	Kind           notify.Kind
	URL            string                 // not of mail
	Addresses      []string               // of mail
	Authorization  string                 // header; "": none
	Kinds          []rollout.ActivityKind // none: the usual ones
	MinSeverity    rollout.Severity
	ApplicationIDs []uuid.UUID // none: all of the team
	GroupIDs       []uuid.UUID // none: all groups
	Digest         time.Duration
	QuietFrom      string // time of day; "": no quiet hours
	QuietUntil     string
	Timezone       string
	Reason         string
}

// UpdateNotifier is the input of Service.UpdateNotifier. What is nil does not change.
type UpdateNotifier struct {
	ID             uuid.UUID
	Name           *string
	URL            *string
	Addresses      []string
	Authorization  *string
	Kinds          []rollout.ActivityKind
	MinSeverity    *rollout.Severity
	ApplicationIDs []uuid.UUID
	GroupIDs       []uuid.UUID
	Digest         *time.Duration
	QuietFrom      *string
	QuietUntil     *string
	Timezone       *string
	Enabled        *bool
	Reason         string
}

// NewNotifier is a notifier with a secret that was just made, which is not shown again.
type NewNotifier struct {
	Notifier *db.Notifier
	Secret   string // "" unless it is a webhook
}

// CreateNotifier makes a notifier, which sends messages about activities from now on.
func (s *Service) CreateNotifier(ctx context.Context, in CreateNotifier) (*NewNotifier, error) {
	v := change.Verb{Name: "createNotifier", Object: "notifier", ID: store.NewID(s.now()), Reason: in.Reason, Unique: "name"}
	by, err := fault.RequireVerb(ctx, v.Name)
	if err != nil {
		return nil, err
	}
	if err := input.CheckReason(in.Reason); err != nil {
		return nil, err
	}
	if v.TeamID, err = s.teamOf(ctx, by, in.TeamID); err != nil {
		return nil, err
	}
	row := &db.Notifier{
		ID: v.ID, TeamID: v.TeamID, Name: in.Name, Kind: string(in.Kind), URL: in.URL, Addresses: in.Addresses, Authorization: in.Authorization,
		Kinds: in.Kinds, MinSeverity: in.MinSeverity, Applications: in.ApplicationIDs, Groups: in.GroupIDs, Digest: int(in.Digest.Minutes()),
		QuietFrom: in.QuietFrom, QuietUntil: in.QuietUntil, Timezone: in.Timezone, Enabled: true,
	}
	v.Invalid = s.checkNotifier(row, in.Digest)
	if err := begin(ctx, &v); err != nil {
		return nil, err
	}
	if in.Kind == notify.Webhook {
		row.Secret = notify.NewSecret()
	}
	err = s.changes.Do(ctx, v, func(c *change.Change) error {
		if err := c.Allow(c.Name); err != nil {
			return err
		}
		if err := notifierFits(c, row); err != nil {
			return err
		}
		c.After = shownNotifier(row)
		c.Tx.Publish(event.Event{Kind: event.NoticeAdded})
		return c.Tx.Client().Notifier.Create().SetID(row.ID).SetTeamID(row.TeamID).SetName(row.Name).SetKind(row.Kind).SetURL(row.URL).
			SetAddresses(row.Addresses).SetAuthorization(row.Authorization).SetSecret(row.Secret).SetKinds(row.Kinds).SetMinSeverity(row.MinSeverity).
			SetApplications(row.Applications).SetGroups(row.Groups).SetDigest(row.Digest).SetQuietFrom(row.QuietFrom).SetQuietUntil(row.QuietUntil).
			SetTimezone(row.Timezone).SetEnabledAt(c.Now).SetPosition(store.FirstID(c.Now)).SetLookedBackAt(c.Now).SetCreatedBy(c.By.Name).SetCreatedAt(c.Now).Exec(ctx)
	})
	if err != nil {
		return nil, err
	}
	stored, err := s.View.Notifier(ctx, row.ID)
	return &NewNotifier{Notifier: stored, Secret: row.Secret}, err
}

// teamOf returns the team of a new notifier.
func (s *Service) teamOf(ctx context.Context, by auth.Principal, wanted *uuid.UUID) (uuid.UUID, error) {
	if wanted == nil {
		return (&change.Change{Verb: change.Verb{By: by}}).Team(), nil
	}
	teams, err := s.Accounts.Teams(ctx)
	if err != nil {
		return uuid.Nil, err
	}
	for _, t := range teams {
		if t.ID == *wanted {
			return t.ID, nil
		}
	}
	return uuid.Nil, fault.Errorf(fault.NotFound, "teamId", "there is no such team")
}

// UpdateNotifier changes a notifier. One that is enabled again sends activities from then
// on, and tries what still waits.
func (s *Service) UpdateNotifier(ctx context.Context, in UpdateNotifier) (*db.Notifier, error) {
	v := change.Verb{Name: "updateNotifier", Object: "notifier", ID: in.ID, Reason: in.Reason, Unique: "name"}
	if err := begin(ctx, &v); err != nil {
		return nil, err
	}
	return s.changeNotifier(ctx, v, func(c *change.Change, was *db.Notifier) error {
		row := *was
		row.Name, row.URL, row.Authorization = input.Or(in.Name, row.Name), input.Or(in.URL, row.URL), input.Or(in.Authorization, row.Authorization)
		row.MinSeverity, row.Timezone = input.Or(in.MinSeverity, row.MinSeverity), input.Or(in.Timezone, row.Timezone)
		row.QuietFrom, row.QuietUntil = input.Or(in.QuietFrom, row.QuietFrom), input.Or(in.QuietUntil, row.QuietUntil)
		row.Enabled = input.Or(in.Enabled, row.Enabled)
		digest := input.Or(in.Digest, time.Duration(row.Digest)*time.Minute)
		row.Digest = int(digest.Minutes())
		given(&row.Addresses, in.Addresses)
		given(&row.Kinds, in.Kinds)
		given(&row.Applications, in.ApplicationIDs)
		given(&row.Groups, in.GroupIDs)
		if err := s.checkNotifier(&row, digest); err != nil {
			return err
		}
		if row.URL != was.URL && was.Authorization != "" && in.Authorization == nil {
			return fault.Errorf(fault.Invalid, "authorization", "give it again, or an empty one: it would be sent to another URL")
		}
		if err := notifierFits(c, &row); err != nil {
			return err
		}
		c.Before, c.After = shownNotifier(was), shownNotifier(&row)
		update := c.Tx.Client().Notifier.UpdateOne(was).SetName(row.Name).SetURL(row.URL).SetAddresses(row.Addresses).SetAuthorization(row.Authorization).
			SetKinds(row.Kinds).SetMinSeverity(row.MinSeverity).SetApplications(row.Applications).SetGroups(row.Groups).SetDigest(row.Digest).
			SetQuietFrom(row.QuietFrom).SetQuietUntil(row.QuietUntil).SetTimezone(row.Timezone).SetEnabled(row.Enabled)
		if row.Enabled != was.Enabled {
			update.SetDisabledBecause("").ClearFailingSince().SetLastError("").ClearLeasedBy().ClearLeasedUntil().SetEnabledAt(c.Now)
			update.SetPosition(store.FirstID(c.Now)).SetLookedBackAt(c.Now)
		}
		return update.Exec(ctx)
	})
}

func given[T any](field *[]T, value []T) {
	if value != nil {
		*field = value
	}
}

// DeleteNotifier is the input of Service.DeleteNotifier.
type DeleteNotifier struct {
	ID     uuid.UUID
	Reason string
}

// DeleteNotifier deletes a notifier with its deliveries.
func (s *Service) DeleteNotifier(ctx context.Context, in DeleteNotifier) error {
	v := change.Verb{Name: "deleteNotifier", Object: "notifier", ID: in.ID, Reason: in.Reason}
	if err := begin(ctx, &v); err != nil {
		return err
	}
	return s.onNotifier(ctx, v, func(c *change.Change, was *db.Notifier) error {
		c.Before = shownNotifier(was)
		return c.Tx.Client().Notifier.DeleteOne(was).Exec(ctx)
	})
}

// RotateNotifier is the input of Service.RotateNotifier.
type RotateNotifier struct {
	ID     uuid.UUID
	Reason string
}

// RotateNotifier gives a webhook a new secret. For a day requests have a signature of both.
func (s *Service) RotateNotifier(ctx context.Context, in RotateNotifier) (*NewNotifier, error) {
	v := change.Verb{Name: "rotateNotifier", Object: "notifier", ID: in.ID, Reason: in.Reason}
	if err := begin(ctx, &v); err != nil {
		return nil, err
	}
	secret := notify.NewSecret()
	row, err := s.changeNotifier(ctx, v, func(c *change.Change, was *db.Notifier) error {
		if was.Kind != string(notify.Webhook) {
			return fault.Errorf(fault.Conflict, "id", "only webhooks are signed: %q is not one", was.Name)
		}
		until := c.Now.Add(bothSecrets)
		c.After = map[string]any{"previousSecretUntil": until}
		return c.Tx.Client().Notifier.UpdateOne(was).SetSecret(secret).SetPreviousSecret(was.Secret).SetPreviousSecretUntil(until).Exec(ctx)
	})
	if err != nil {
		return nil, err
	}
	return &NewNotifier{Notifier: row, Secret: secret}, nil
}

// onNotifier runs a verb on one notifier.
func (s *Service) onNotifier(ctx context.Context, v change.Verb, f func(*change.Change, *db.Notifier) error) error {
	seen, err := s.View.Notifier(ctx, v.ID)
	if err != nil {
		return err
	}
	v.TeamID = seen.TeamID
	return s.changes.Do(ctx, v, func(c *change.Change) error {
		if err := c.Allow(c.Name); err != nil {
			return err
		}
		row, err := c.Tx.Client().Notifier.Get(ctx, v.ID)
		if err != nil {
			return fault.Missing(err, "id", "notifier")
		}
		c.Tx.Publish(event.Event{Kind: event.NoticeAdded})
		return f(c, row)
	})
}

// changeNotifier is onNotifier for verbs that return the notifier afterwards.
func (s *Service) changeNotifier(ctx context.Context, v change.Verb, f func(*change.Change, *db.Notifier) error) (*db.Notifier, error) {
	if err := s.onNotifier(ctx, v, f); err != nil {
		return nil, err
	}
	return s.View.Notifier(ctx, v.ID)
}

// shownNotifier is what the audit and lists show: no secret.
func shownNotifier(n *db.Notifier) map[string]any {
	return map[string]any{
		"name": n.Name, "kind": n.Kind, "url": NotifierURL(n), "addresses": n.Addresses, "authorization": n.Authorization != "", "kinds": n.Kinds,
		"minSeverity": n.MinSeverity, "applications": n.Applications, "groups": n.Groups, "digestMinutes": n.Digest,
		"quietFrom": n.QuietFrom, "quietUntil": n.QuietUntil, "timezone": n.Timezone, "enabled": n.Enabled,
	}
}

// NotifierURL returns the URL of a notifier. That of Slack is a secret: only its host and
// its end are returned. Others lose their query, which can contain one.
func NotifierURL(n *db.Notifier) string {
	if n.Kind != string(notify.Slack) {
		address, query, found := strings.Cut(n.URL, "?")
		if found && query != "" {
			address += "?…"
		}
		return address
	}
	scheme, rest, _ := strings.Cut(n.URL, "://")
	host, path, _ := strings.Cut(rest, "/")
	if len(path) > 16 {
		path = "…" + path[len(path)-4:]
	} else {
		path = "…"
	}
	return fmt.Sprintf("%s://%s/%s", scheme, host, path)
}

// TestNotifier sends a test message at once, also for a disabled notifier. It returns the
// delivery with the answer of the receiver.
func (s *Service) TestNotifier(ctx context.Context, id uuid.UUID) (*db.Delivery, error) {
	by, err := fault.RequireVerb(ctx, "testNotifier")
	if err != nil {
		return nil, err
	}
	n, err := s.View.Notifier(ctx, id)
	if err != nil {
		return nil, err
	}
	if err := fault.RequireOn(by, "testNotifier", auth.Place{Team: n.TeamID}); err != nil {
		return nil, err
	}
	select {
	case s.messages.testing <- struct{}{}:
		defer func() { <-s.messages.testing }()
	default:
		return nil, fault.Errorf(fault.Unavailable, "", "the server sends %d other test messages now: try again when they are complete", maxTests)
	}
	d, err := s.Notices.Test(ctx, n, by.Name)
	if err != nil {
		return nil, err
	}
	return s.View.Delivery(ctx, d)
}

// emailProblem returns what is wrong with an address of mail, "" if nothing.
func emailProblem(text string) string {
	parsed, err := mail.ParseAddress(text)
	switch {
	case err != nil:
		return "must be an address such as ops@example.com"
	case parsed.Name != "" || parsed.Address != text:
		return "must be only the address, without a name"
	case len(text) > 254:
		return "must have at most 254 bytes"
	}
	return ""
}
