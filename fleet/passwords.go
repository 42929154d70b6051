package fleet

import (
	"context"
	"errors"
	"strings"
	"unicode/utf8"

	"github.com/coreroller/coreroller/auth"
	"github.com/coreroller/coreroller/ent/db"
	"github.com/coreroller/coreroller/ent/db/session"
	"github.com/coreroller/coreroller/ent/db/user"
)

const (
	// maxHashing bounds password hashes under way: each costs 19 MiB and a core
	// for 40 ms, and check-ins share the machine.
	maxHashing = 4

	minPassword = 8 // bytes
	maxPassword = 1024
)

// wrongPassword is the answer to a sign-in that failed. It does not say
// whether there is such a user.
type wrongPassword struct{ error *Error }

func (e *wrongPassword) Error() string   { return e.error.Message }
func (e *wrongPassword) Unwrap() []error { return []error{e.error, auth.ErrUnauthenticated} }

// Authenticate finds the user with a name and password. An error that wraps
// auth.ErrUnauthenticated means there is none.
func (s *Service) Authenticate(ctx context.Context, username, password string) (auth.Principal, error) {
	var row *db.User
	var hash string                                                       // of nobody: takes as long
	if utf8.ValidString(username) && !strings.ContainsRune(username, 0) { // else no database would take it
		var err error
		row, err = s.store.Reader().User.Query().Where(user.Username(username)).Only(ctx)
		if err != nil && !db.IsNotFound(err) {
			return auth.Principal{}, err
		}
		if err == nil {
			hash = row.PasswordHash
		}
	}
	ok, err := s.checkPassword(ctx, hash, password)
	if err != nil {
		return auth.Principal{}, err
	}
	if !ok {
		return auth.Principal{}, &wrongPassword{Errorf(Unauthenticated, "", "wrong name or password")}
	}
	return principal(row, auth.CredentialBasic), nil
}

func principal(row *db.User, c auth.Credential) auth.Principal {
	return auth.Principal{
		UserID: row.ID, Name: row.Username, TeamID: row.TeamID,
		Credential: c, MustChangePassword: row.MustChangePassword,
	}
}

// ChangePassword is the input of Service.ChangePassword.
type ChangePassword struct {
	Current string // not asked for when the call itself came with name and password
	New     string
}

// ChangePassword changes the caller's own password and ends the other sessions.
func (s *Service) ChangePassword(ctx context.Context, in ChangePassword) error {
	who, err := require(ctx, auth.Read)
	if err != nil {
		return err
	}
	var p problems
	p.password("newPassword", in.New)
	if in.New == in.Current {
		p.add("newPassword", "must differ from the current one")
	}
	if err := p.err(); err != nil {
		return err
	}
	row, err := s.store.Reader().User.Get(ctx, who.UserID)
	if err != nil {
		return found(err, "", "user")
	}
	if who.Credential != auth.CredentialBasic {
		ok, err := s.checkPassword(ctx, row.PasswordHash, in.Current)
		if err != nil {
			return err
		}
		if !ok {
			return Errorf(Invalid, "currentPassword", "is not your password")
		}
	}
	v := verb{name: "changePassword", by: who, object: "user", id: row.ID}
	return s.storePassword(ctx, v, in.New, auth.SessionToken(ctx))
}

// SetPassword is the input of Service.SetPassword.
type SetPassword struct {
	Username string
	New      string
}

// SetPassword gives a user another password, which that user has to change at
// the first sign-in, and ends all sessions.
func (s *Service) SetPassword(ctx context.Context, in SetPassword) error {
	who, err := require(ctx, auth.Own)
	if err != nil {
		return err
	}
	var p problems
	if p.password("newPassword", in.New); p.err() != nil {
		return p.err()
	}
	row, err := s.store.Reader().User.Query().Where(user.Username(in.Username)).Only(ctx)
	if err != nil {
		return found(err, "username", "user")
	}
	v := verb{name: "setPassword", by: who, object: "user", id: row.ID}
	return s.storePassword(ctx, v, in.New, "")
}

// storePassword also ends the user's sessions but that of the token keep.
func (s *Service) storePassword(ctx context.Context, v verb, password, keep string) error {
	hash, err := s.hashPassword(ctx, password)
	if err != nil {
		return err
	}
	return s.change(ctx, v, func(c *change) error {
		err := c.tx.Client().User.UpdateOneID(v.id).SetPasswordHash(hash).SetMustChangePassword(v.by.UserID != v.id).Exec(ctx)
		if err != nil {
			return found(err, "", "user")
		}
		_, err = c.tx.Client().Session.Delete().Where(session.UserID(v.id), session.IDNEQ(tokenHash(keep))).Exec(ctx)
		return err
	})
}

func (p *problems) password(field, text string) {
	switch {
	case len(text) < minPassword:
		p.add(field, "at least %d characters", minPassword)
	case len(text) > maxPassword:
		p.add(field, "at most %d characters", maxPassword)
	}
}

func (s *Service) checkPassword(ctx context.Context, hash, password string) (ok bool, err error) {
	if len(password) > maxPassword {
		return false, nil
	}
	err = s.slowly(ctx, func() error {
		ok, err = auth.CheckPassword(hash, password)
		return err
	})
	return ok, err
}

func (s *Service) hashPassword(ctx context.Context, password string) (hash string, err error) {
	err = s.slowly(ctx, func() error {
		hash, err = auth.HashPassword(password)
		return err
	})
	return hash, err
}

// slowly runs f when few enough others run.
func (s *Service) slowly(ctx context.Context, f func() error) error {
	select {
	case s.hashing <- struct{}{}:
	case <-ctx.Done():
		return errors.Join(Errorf(Unavailable, "", "too many people sign in at once, try again"), ctx.Err())
	}
	defer func() { <-s.hashing }()
	return f()
}
