package account

import (
	"context"
	"strings"
	"unicode/utf8"

	"github.com/google/uuid"

	"github.com/coreroller/coreroller/auth"
	"github.com/coreroller/coreroller/ent/db"
	"github.com/coreroller/coreroller/ent/db/session"
	"github.com/coreroller/coreroller/ent/db/token"
	"github.com/coreroller/coreroller/ent/db/user"
	"github.com/coreroller/coreroller/fleet/change"
	"github.com/coreroller/coreroller/fleet/fault"
	"github.com/coreroller/coreroller/fleet/input"
)

const (
	// maxHashing bounds concurrent password hashes: each takes 19 MiB and a core for
	// 40 ms, and check-ins share the machine.
	maxHashing = 4
	// maxHashingKnown are reserved for known callers, who do not wait for guesses.
	maxHashingKnown = 2
	// maxWaiting bounds the hashes that wait. Others are refused at once.
	maxWaiting = 64

	// longestChecked limits the text of a sign-in, in bytes. Passwords of older versions
	// are up to so long.
	longestChecked = 1024
)

// wrongPassword is the error of a wrong password, which counts as a guess. It does not
// reveal whether the user exists.
type wrongPassword struct{ error *fault.Error }

func (e *wrongPassword) Error() string   { return e.error.Message }
func (e *wrongPassword) Unwrap() []error { return []error{e.error, auth.ErrUnauthenticated} }

// Authenticate returns the user with a name and password. An error that wraps
// auth.ErrUnauthenticated means there is none; the audit records it.
func (s *Service) Authenticate(ctx context.Context, username, password string) (auth.Principal, error) {
	row, ok, err := s.verify(ctx, username, password)
	if err != nil {
		return auth.Principal{}, err
	}
	if !ok {
		id := uuid.Nil
		if row != nil {
			id = row.ID
		}
		s.signInFailed(ctx, username, id)
		return auth.Principal{}, &wrongPassword{fault.Errorf(fault.Unauthenticated, "", "wrong name or password")}
	}
	return principal(row, auth.CredentialBasic), nil
}

// FirstPasswordIsUsed reports whether the first user still has the documented password.
func (s *Service) FirstPasswordIsUsed(ctx context.Context) (bool, error) {
	if _, err := fault.Require(ctx, auth.Owner); err != nil {
		return false, err
	}
	_, ok, err := s.verify(ctx, firstUser, firstPassword)
	return ok, err
}

// verify reads the user with a name, nil for none, and checks the password.
func (s *Service) verify(ctx context.Context, username, password string) (row *db.User, ok bool, err error) {
	var hash string // empty for an unknown user; checking it takes as long
	if row, err = s.named(ctx, username); err != nil {
		return nil, false, err
	}
	if row != nil {
		hash = row.PasswordHash
	}
	ok, err = s.checkPassword(ctx, hash, password)
	return row, ok, err
}

// named reads the user with a name that a client sent, nil for none.
func (s *Service) named(ctx context.Context, username string) (*db.User, error) {
	if !utf8.ValidString(username) || strings.ContainsRune(username, 0) { // the databases reject it
		return nil, nil
	}
	row, err := s.store.Reader().User.Query().Where(user.Username(username)).Only(ctx)
	if db.IsNotFound(err) {
		return nil, nil
	}
	return row, err
}

func principal(row *db.User, c auth.Credential) auth.Principal {
	role, _ := auth.ParseRole(row.Role) // an unknown role may do nothing
	return auth.Principal{
		UserID: row.ID, Name: row.Username, TeamID: row.TeamID, Role: role, Grants: row.Grants,
		Credential: c, MustChangePassword: row.MustChangePassword,
	}
}

// ChangePassword is the input of Service.ChangePassword.
type ChangePassword struct {
	Current   string // not needed when the call itself authenticated with the password
	New       string
	EndTokens bool // also revokes the caller's tokens
}

// ChangePassword changes the caller's own password and ends the other sessions. Tokens
// stay unless the caller asks: scripts do not depend on the password.
func (s *Service) ChangePassword(ctx context.Context, in ChangePassword) error {
	who, err := fault.RequireSelf(ctx)
	if err != nil {
		return err
	}
	var p input.Problems
	newPassword(&p, "newPassword", who.Name, in.New)
	if in.New == in.Current {
		p.Add("newPassword", "must differ from the current one")
	}
	if err := p.Err(); err != nil {
		return err
	}
	row, err := s.store.Reader().User.Get(ctx, who.UserID)
	if err != nil {
		return fault.Missing(err, "", "user")
	}
	if err := external(row, "the password"); err != nil {
		return err
	}
	if who.Credential != auth.CredentialBasic {
		ok, err := s.checkPassword(ctx, row.PasswordHash, in.Current)
		if err != nil {
			return err
		}
		if !ok {
			return &wrongPassword{fault.Errorf(fault.Invalid, "currentPassword", "is not your password")}
		}
	}
	v := change.Verb{Name: "changePassword", By: who, Object: "user", ID: row.ID}
	return s.storePassword(ctx, v, in.New, auth.SessionToken(ctx), in.EndTokens)
}

// SetPassword is the input of Service.SetPassword.
type SetPassword struct {
	Username string
	New      string
}

// SetPassword sets a user's password, which the user must change at the next
// sign-in, and ends all sessions and tokens of the user.
func (s *Service) SetPassword(ctx context.Context, in SetPassword) error {
	who, err := fault.RequireVerb(ctx, "setPassword")
	if err != nil {
		return err
	}
	var p input.Problems
	if newPassword(&p, "newPassword", in.Username, in.New); p.Err() != nil {
		return p.Err()
	}
	row, err := s.User(ctx, in.Username)
	if err != nil {
		return err
	}
	if err := below(row, who); err != nil {
		return err
	}
	if err := external(row, "the password"); err != nil {
		return err
	}
	v := change.Verb{Name: "setPassword", By: who, Object: "user", ID: row.ID, TeamID: row.TeamID}
	return s.storePassword(ctx, v, in.New, "", true)
}

// storePassword stores a password and ends the user's sessions except that of the
// secret keep, and with endTokens the user's tokens.
func (s *Service) storePassword(ctx context.Context, v change.Verb, password, keep string, endTokens bool) error {
	hash, err := s.hashPassword(ctx, password)
	if err != nil {
		return err
	}
	return s.changes.Do(ctx, v, func(c *change.Change) error {
		row, err := c.Tx.Client().User.UpdateOneID(v.ID).SetPasswordHash(hash).SetMustChangePassword(v.By.UserID != v.ID).Save(ctx)
		if err != nil {
			return fault.Missing(err, "", "user")
		}
		c.Before, c.After = userName{row.Username}, userName{row.Username}
		c.Tx.PublishAccounts()
		if endTokens {
			if _, err := c.Tx.Client().Token.Delete().Where(token.UserID(v.ID)).Exec(ctx); err != nil {
				return err
			}
		}
		_, err = c.Tx.Client().Session.Delete().Where(session.UserID(v.ID), session.IDNEQ(tokenHash(keep))).Exec(ctx)
		return err
	})
}

func (s *Service) checkPassword(ctx context.Context, hash, password string) (ok bool, err error) {
	if len(password) > longestChecked {
		return false, nil
	}
	err = s.lane(ctx).run(ctx, func() error {
		ok, err = auth.CheckPassword(hash, password)
		return err
	})
	return ok, err
}

func (s *Service) hashPassword(ctx context.Context, password string) (hash string, err error) {
	err = s.lane(ctx).run(ctx, func() error {
		hash, err = auth.HashPassword(password)
		return err
	})
	return hash, err
}
