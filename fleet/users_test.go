package fleet_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/coreroller/coreroller/auth"
	"github.com/coreroller/coreroller/ent/db/user"
	"github.com/coreroller/coreroller/fleet/account"
	"github.com/coreroller/coreroller/fleet/catalog"
	"github.com/coreroller/coreroller/fleet/fault"
)

func TestFirstUserMustChangeItsPassword(t *testing.T) {
	eachDatabase(t, func(t *testing.T, d *harness) {
		d.must(d.Accounts.EnsureFirstUser(d.ctx))
		d.must(d.Accounts.EnsureFirstUser(d.ctx))
		p := must(d.Accounts.Authenticate(t.Context(), "admin", "admin"))(t)
		if !p.MustChangePassword || p.Name != "admin" || p.TeamID != catalog.DefaultTeamID() {
			t.Errorf("first user: %+v", p)
		}
		mine := auth.With(t.Context(), p)
		refused(t, d.Accounts.ChangePassword(mine, account.ChangePassword{New: "short"}), fault.Invalid, "newPassword")
		d.must(d.Accounts.ChangePassword(mine, account.ChangePassword{New: "correct horse"})) // signed in with name and password

		_, err := d.Accounts.Authenticate(t.Context(), "admin", "admin")
		if !errors.Is(err, auth.ErrUnauthenticated) || fault.CodeOf(err) != fault.Unauthenticated {
			t.Errorf("sign-in with the old password: %v", err)
		}
		if _, err := d.Accounts.Authenticate(t.Context(), "unknown", "admin"); !errors.Is(err, auth.ErrUnauthenticated) {
			t.Errorf("sign-in of an unknown user: %v", err)
		}
		if p = must(d.Accounts.Authenticate(t.Context(), "admin", "correct horse"))(t); p.MustChangePassword {
			t.Error("the changed password must be changed again")
		}
		for _, a := range append(d.audits("createUser"), d.audits("changePassword")...) {
			if row := must(d.store.Reader().User.Query().Where(user.Username("admin")).Only(d.ctx))(t); a.ObjectID != row.ID {
				t.Errorf("audit: %+v", a)
			}
		}
	})
}

func TestSessionsExpireAndEnd(t *testing.T) {
	eachDatabase(t, func(t *testing.T, d *harness) {
		d.must(d.Accounts.EnsureFirstUser(d.ctx))
		mine := auth.With(t.Context(), must(d.Accounts.Authenticate(t.Context(), "admin", "admin"))(t))
		token, expires, err := d.Accounts.CreateSession(mine)
		d.must(err)
		if !expires.Equal(d.clock().Add(account.SessionLife)) {
			t.Errorf("session expires at %v", expires)
		}
		p := must(d.Accounts.Session(t.Context(), token))(t)
		if p.Name != "admin" || p.Credential != auth.CredentialSession {
			t.Errorf("session of %+v", p)
		}
		refused(t, d.Accounts.ChangePassword(auth.With(t.Context(), p), account.ChangePassword{Current: "wrong", New: "correct horse"}), fault.Invalid, "currentPassword")
		over := func(token string) {
			t.Helper()
			if _, err := d.Accounts.Session(t.Context(), token); !errors.Is(err, auth.ErrUnauthenticated) {
				t.Errorf("the ended session is still valid: %v", err)
			}
		}
		// A password change ends existing sessions.
		d.must(d.Accounts.ChangePassword(auth.With(t.Context(), p), account.ChangePassword{Current: "admin", New: "correct horse"}))
		over(token)
		token, _, err = d.Accounts.CreateSession(mine)
		d.must(err)
		d.must(d.Accounts.DeleteSession(t.Context(), token))
		over(token)
		token, _, err = d.Accounts.CreateSession(mine)
		d.must(err)
		d.wait(account.SessionLife + time.Second)
		over(token)
		over("")
	})
}

func TestUsersAreCreatedAndDeleted(t *testing.T) {
	eachDatabase(t, func(t *testing.T, d *harness) {
		d.must(d.Accounts.EnsureFirstUser(d.ctx))
		u := must(d.Accounts.CreateUser(d.ctx, account.CreateUser{Username: "bob", Password: "builder 1"}))(t)
		_, err := d.Accounts.CreateUser(d.ctx, account.CreateUser{Username: "bob", Password: "builder 2"})
		refused(t, err, fault.Conflict, "username")
		_, err = d.Accounts.CreateUser(d.ctx, account.CreateUser{Username: " ", Password: "builder 2"})
		refused(t, err, fault.Invalid, "username")
		refused(t, d.Accounts.SetPassword(d.ctx, account.SetPassword{Username: "eve", New: "builder 2"}), fault.NotFound, "username")
		d.must(d.Accounts.SetPassword(d.ctx, account.SetPassword{Username: "bob", New: "builder 2"}))
		if p := must(d.Accounts.Authenticate(t.Context(), "bob", "builder 2"))(t); !p.MustChangePassword {
			t.Error("a password set by another user need not be changed")
		}
		d.must(d.Accounts.DeleteUser(d.ctx, account.DeleteUser{ID: u.ID}))
		admin := must(d.store.Reader().User.Query().Only(d.ctx))(t)
		refused(t, d.Accounts.DeleteUser(d.ctx, account.DeleteUser{ID: admin.ID}), fault.Conflict, "id")
	})
}

func TestTokensActForAUser(t *testing.T) {
	eachDatabase(t, func(t *testing.T, d *harness) {
		d.must(d.Accounts.EnsureFirstUser(d.ctx))
		token, expires, err := d.Accounts.CreateToken(d.ctx, account.CreateToken{Username: "admin", Life: time.Hour})
		d.must(err)
		if p, err := d.Accounts.Session(t.Context(), token); err != nil || p.Name != "admin" || !expires.Equal(d.clock().Add(time.Hour)) {
			t.Errorf("%+v %v, until %v", p, err, expires)
		}
		if a := d.audits("createToken"); len(a) != 1 || strings.Contains(a[0].After, token) || !strings.Contains(a[0].After, "expires") {
			t.Errorf("audit %+v", a)
		}
		d.wait(time.Hour + time.Second)
		if _, err := d.Accounts.Session(t.Context(), token); !errors.Is(err, auth.ErrUnauthenticated) {
			t.Errorf("an expired token is accepted: %v", err)
		}
		token, _, err = d.Accounts.CreateToken(d.ctx, account.CreateToken{Username: "admin", Life: time.Hour})
		d.must(err)
		d.must(d.Accounts.SetPassword(d.ctx, account.SetPassword{Username: "admin", New: "another one"}))
		if _, err := d.Accounts.Session(t.Context(), token); !errors.Is(err, auth.ErrUnauthenticated) {
			t.Errorf("a token from before the password change is accepted: %v", err)
		}
		for _, life := range []time.Duration{0, -1, time.Second, 1 << 62} {
			_, _, err := d.Accounts.CreateToken(d.ctx, account.CreateToken{Username: "admin", Life: life})
			refused(t, err, fault.Invalid, "life")
		}
		_, _, err = d.Accounts.CreateToken(d.ctx, account.CreateToken{Username: "eve", Life: time.Hour})
		refused(t, err, fault.NotFound, "username")
	})
}

// Such text cannot be stored as a name; signing in with it must not be a server error.
func TestInvalidUserNamesAreUnauthenticated(t *testing.T) {
	eachDatabase(t, func(t *testing.T, d *harness) {
		for _, name := range []string{"a\x00b", "\xff\xfe", ""} {
			if _, err := d.Accounts.Authenticate(t.Context(), name, "x"); !errors.Is(err, auth.ErrUnauthenticated) {
				t.Errorf("%q: %v", name, err)
			}
		}
	})
}
