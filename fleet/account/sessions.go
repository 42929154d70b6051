package account

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"time"

	"github.com/coreroller/coreroller/auth"
	"github.com/coreroller/coreroller/ent/db"
	"github.com/coreroller/coreroller/ent/db/session"
	"github.com/coreroller/coreroller/fleet/change"
	"github.com/coreroller/coreroller/fleet/fault"
)

// SessionLife is how long a browser stays signed in.
const SessionLife = 14 * 24 * time.Hour

// CreateSession signs a browser in as the caller, who has just authenticated. It
// stores only a hash of the token.
func (s *Service) CreateSession(ctx context.Context) (token string, expires time.Time, err error) {
	who, err := fault.Require(ctx, auth.Viewer)
	if err != nil {
		return "", expires, err
	}
	token = newToken()
	now := s.now()
	expires = now.Add(SessionLife)
	if who.Credential == auth.CredentialSingleSignOn {
		expires = now.Add(singleSignOnLife)
	}
	v := change.Verb{Name: "signIn", By: who, Object: "user", ID: who.UserID}
	err = s.changes.Do(ctx, v, func(c *change.Change) error {
		c.After = userName{who.Name}
		return c.Tx.Client().Session.Create().SetID(tokenHash(token)).SetUserID(who.UserID).SetCreatedAt(now).SetExpiresAt(expires).Exec(ctx)
	})
	if fault.CodeOf(err) == fault.Conflict {
		return "", expires, fault.Errorf(fault.Unauthenticated, "", "the user was deleted meanwhile")
	}
	return token, expires, err
}

// Session returns who signed in with a token. An error that wraps
// auth.ErrUnauthenticated means that the session has ended.
func (s *Service) Session(ctx context.Context, token string) (auth.Principal, error) {
	row, err := s.store.Reader().Session.Query().
		Where(session.ID(tokenHash(token)), session.ExpiresAtGT(s.now())).WithUser().Only(ctx)
	switch {
	case db.IsNotFound(err):
		return auth.Principal{}, &wrongPassword{fault.Errorf(fault.Unauthenticated, "", "the session has ended")}
	case err != nil:
		return auth.Principal{}, err
	}
	return principal(row.Edges.User, auth.CredentialSession), nil
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

// tokenHash returns the stored form of a token. A reader of the database cannot
// sign in with it.
func tokenHash(token string) string {
	sum := sha256.Sum256([]byte(token))
	return hex.EncodeToString(sum[:])
}
