package account

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/coreroller/coreroller/auth"
	"github.com/coreroller/coreroller/ent/db"
	"github.com/coreroller/coreroller/ent/db/predicate"
	"github.com/coreroller/coreroller/ent/db/session"
	"github.com/coreroller/coreroller/fleet/change"
	"github.com/coreroller/coreroller/fleet/fault"
)

const (
	// SessionLife is how long a browser stays signed in.
	SessionLife = 14 * 24 * time.Hour
	// DefaultSessionIdle is how long an unused browser stays signed in by default.
	DefaultSessionIdle = 7 * 24 * time.Hour

	maxUserAgent = 200 // bytes
	maxSessions  = 100 // in a list
)

// BrowserSession is a signed-in browser. Its id does not sign in.
type BrowserSession struct {
	ID         uuid.UUID
	CreatedAt  time.Time
	LastSeenAt *time.Time // nil: it was made by an older version
	ExpiresAt  time.Time
	Address    string
	UserAgent  string
	Current    bool // the session of this call
}

// CreateSession signs a browser in as the caller, who has just authenticated. It
// stores only a hash of the token. The session that the browser had before is ended: its
// cookie may have been planted by another person.
func (s *Service) CreateSession(ctx context.Context) (token string, expires time.Time, err error) {
	who, err := fault.Require(ctx, auth.Viewer)
	if err != nil {
		return "", expires, err
	}
	if before := auth.SessionToken(ctx); before != "" {
		if err := s.DeleteSession(ctx, before); err != nil {
			return "", expires, err
		}
	}
	token = newToken()
	now := s.now()
	expires = now.Add(SessionLife)
	address, agent := auth.Client(ctx)
	if who.Credential == auth.CredentialSingleSignOn {
		expires = now.Add(singleSignOnLife)
	}
	v := change.Verb{Name: "signIn", By: who, Object: "user", ID: who.UserID, TeamID: who.TeamID}
	err = s.changes.Do(ctx, v, func(c *change.Change) error {
		c.After = userName{who.Name}
		return c.Tx.Client().Session.Create().SetID(tokenHash(token)).SetUserID(who.UserID).SetCreatedAt(now).SetExpiresAt(expires).
			SetLastSeenAt(now).SetAddress(address).SetUserAgent(printable(agent)).Exec(ctx)
	})
	if fault.CodeOf(err) == fault.Conflict {
		return "", expires, fault.Errorf(fault.Unauthenticated, "", "the user was deleted meanwhile")
	}
	return token, expires, err
}

// printable cuts the name that a browser gives itself. It may be any bytes.
func printable(agent string) string {
	if len(agent) > maxUserAgent {
		agent = agent[:maxUserAgent]
	}
	return strings.ToValidUTF8(strings.ReplaceAll(agent, "\x00", ""), "")
}

// alive selects the sessions that have not ended. Rows of older versions have no idle end.
func (s *Service) alive() predicate.Session {
	now := s.now()
	return session.And(session.ExpiresAtGT(now), session.Or(session.LastSeenAtIsNil(), session.LastSeenAtGT(now.Add(-s.idle))))
}

// Session returns who signed in with a token. An error that wraps
// auth.ErrUnauthenticated means that the session has ended.
func (s *Service) Session(ctx context.Context, token string) (auth.Principal, error) {
	row, err := s.store.Reader().Session.Query().Where(session.ID(tokenHash(token)), s.alive()).WithUser().Only(ctx)
	switch {
	case db.IsNotFound(err):
		return auth.Principal{}, &wrongPassword{fault.Errorf(fault.Unauthenticated, "", "the session has ended")}
	case err != nil:
		return auth.Principal{}, err
	}
	s.uses.session(ctx, row, s.now())
	p := principal(row.Edges.User, auth.CredentialSession)
	p.Until = row.ExpiresAt
	return p, nil
}

// DeleteSession signs a browser out. The token itself is the permission.
func (s *Service) DeleteSession(ctx context.Context, token string) error {
	return s.endSession(ctx, token, "")
}

func (s *Service) endSession(ctx context.Context, token, reason string) error {
	return s.changes.Do(ctx, change.Verb{Name: "signOut", Object: "user", Reason: reason}, func(c *change.Change) error {
		row, err := c.Tx.Client().Session.Query().Where(session.ID(tokenHash(token))).WithUser().Only(ctx)
		if db.IsNotFound(err) { // a made-up session wakes no connection
			return change.ErrUnchanged
		}
		if err != nil {
			return err
		}
		u := row.Edges.User
		c.By, c.ID, c.Before = principal(u, auth.CredentialSession), u.ID, userName{u.Username}
		c.Tx.PublishAccounts()
		err = c.Tx.Client().Session.DeleteOne(row).Exec(ctx)
		if db.IsNotFound(err) { // another request was faster
			return change.ErrUnchanged
		}
		return err
	})
}

// userName is what the audit has of a user whose row did not change.
type userName struct {
	Username string `json:"username"`
}

// Sessions reads the signed-in browsers of a user, nil for the caller, those seen last
// first. Other users need the role admin and at most the caller's rights.
func (s *Service) Sessions(ctx context.Context, of *uuid.UUID) ([]*BrowserSession, error) {
	who, err := inPerson(ctx, "sessions")
	if err != nil {
		return nil, err
	}
	owner, err := s.sessionsOwner(ctx, s.store.Reader(), who, of)
	if err != nil {
		return nil, err
	}
	rows, err := s.store.Reader().Session.Query().Where(session.UserID(owner), s.alive()).
		Order(db.Desc(session.FieldLastSeenAt), db.Desc(session.FieldID)).Limit(maxSessions).All(ctx)
	if err != nil {
		return nil, err
	}
	current := tokenHash(auth.SessionToken(ctx))
	list := make([]*BrowserSession, len(rows))
	for i, row := range rows {
		list[i] = &BrowserSession{
			ID: sessionID(row.ID), CreatedAt: row.CreatedAt, LastSeenAt: row.LastSeenAt, ExpiresAt: row.ExpiresAt,
			Address: row.Address, UserAgent: row.UserAgent, Current: row.ID == current,
		}
	}
	return list, nil
}

// sessionsOwner returns whose sessions are meant, and checks that the caller manages them.
func (s *Service) sessionsOwner(ctx context.Context, client *db.Client, who auth.Principal, of *uuid.UUID) (uuid.UUID, error) {
	if of == nil || *of == who.UserID {
		return who.UserID, nil
	}
	if _, err := fault.RequireVerb(ctx, "users"); err != nil {
		return uuid.Nil, err
	}
	row, err := client.User.Get(ctx, *of)
	if err == nil && !manages(who, row.TeamID) {
		err = &db.NotFoundError{}
	}
	if err != nil {
		return uuid.Nil, fault.Missing(err, "userId", "user")
	}
	return row.ID, below(row, who)
}

// EndSession is the input of Service.EndSession.
type EndSession struct {
	ID     uuid.UUID
	UserID *uuid.UUID // nil: the caller
}

// EndSession signs out one browser of a user. Its open connections end, in every process.
// Other users need the role admin and at most the caller's rights.
func (s *Service) EndSession(ctx context.Context, in EndSession) error {
	who, err := inPerson(ctx, "endSession")
	if err != nil {
		return err
	}
	owner, err := s.sessionsOwner(ctx, s.store.Reader(), who, in.UserID)
	if err != nil {
		return err
	}
	v := change.Verb{Name: "endSession", By: who, Object: "user", ID: owner}
	return s.changes.Do(ctx, v, func(c *change.Change) error {
		hashes, err := c.Tx.Client().Session.Query().Where(session.UserID(owner)).IDs(ctx)
		if err != nil {
			return err
		}
		for _, hash := range hashes {
			if sessionID(hash) == in.ID {
				c.Tx.PublishAccounts()
				return c.Tx.Client().Session.DeleteOneID(hash).Exec(ctx)
			}
		}
		return fault.Errorf(fault.NotFound, "id", "there is no such session")
	})
}

// EndOtherSessions is the input of Service.EndOtherSessions.
type EndOtherSessions struct{ UserID *uuid.UUID } // nil: the caller

// EndOtherSessions signs out all browsers of a user except the one that calls, and returns
// their number. Other users need the role admin and at most the caller's rights.
func (s *Service) EndOtherSessions(ctx context.Context, in EndOtherSessions) (ended int, err error) {
	who, err := inPerson(ctx, "endOtherSessions")
	if err != nil {
		return 0, err
	}
	owner, err := s.sessionsOwner(ctx, s.store.Reader(), who, in.UserID)
	if err != nil {
		return 0, err
	}
	v := change.Verb{Name: "endOtherSessions", By: who, Object: "user", ID: owner}
	err = s.changes.Do(ctx, v, func(c *change.Change) error {
		ended, err = c.Tx.Client().Session.Delete().
			Where(session.UserID(owner), session.IDNEQ(tokenHash(auth.SessionToken(ctx)))).Exec(ctx)
		if err == nil && ended == 0 {
			err = change.ErrUnchanged
		}
		c.Tx.PublishAccounts()
		return err
	})
	return ended, err
}

// sessionID returns the public id of a session, from which its hash cannot be computed.
func sessionID(hash string) uuid.UUID { return uuid.NewSHA1(uuid.NameSpaceOID, []byte(hash)) }

// newToken returns 256 random bits as text.
func newToken() string {
	raw := make([]byte, 32)
	_, _ = rand.Read(raw) // documented never to fail
	return base64.RawURLEncoding.EncodeToString(raw)
}

// tokenHash returns the stored form of a token. A reader of the database cannot
// sign in with it.
func tokenHash(token string) string {
	sum := sha256.Sum256([]byte(token))
	return hex.EncodeToString(sum[:])
}
