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
		u := must(d.Accounts.CreateUser(d.ctx, account.CreateUser{Username: "bob", Password: "builder 1", Role: auth.Viewer}))(t)
		_, err := d.Accounts.CreateUser(d.ctx, account.CreateUser{Username: "bob", Password: "builder 2", Role: auth.Viewer})
		refused(t, err, fault.Conflict, "username")
		_, err = d.Accounts.CreateUser(d.ctx, account.CreateUser{Username: " ", Password: "builder 2", Role: auth.Viewer})
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

// A user gives at most the own role, and an owner always remains.
func TestRolesAreGivenFromAbove(t *testing.T) {
	eachDatabase(t, func(t *testing.T, d *harness) {
		d.must(d.Accounts.EnsureFirstUser(d.ctx))
		first := must(d.Accounts.Authenticate(t.Context(), "admin", "admin"))(t)
		if first.Role != auth.Owner {
			t.Errorf("the first user has the role %q", first.Role)
		}
		owner := auth.With(t.Context(), first)
		_, err := d.Accounts.CreateUser(owner, account.CreateUser{Username: "x", Password: "builder 1"})
		refused(t, err, fault.Invalid, "role")
		ana := must(d.Accounts.CreateUser(owner, account.CreateUser{Username: "ana", Password: "builder 1", Role: auth.Admin}))(t)
		bob := must(d.Accounts.CreateUser(owner, account.CreateUser{Username: "bob", Password: "builder 1", Role: auth.Viewer}))(t)
		asAna := auth.With(t.Context(), must(d.Accounts.Authenticate(t.Context(), "ana", "builder 1"))(t))
		asBob := must(d.Accounts.Authenticate(t.Context(), "bob", "builder 1"))(t)
		token, _, err := d.Accounts.CreateSession(auth.With(t.Context(), asBob))
		d.must(err)

		_, err = d.Accounts.UpdateUser(auth.With(t.Context(), asBob), account.UpdateUser{ID: bob.ID, Role: auth.Owner})
		refused(t, err, fault.Forbidden, "")
		_, err = d.Accounts.CreateUser(asAna, account.CreateUser{Username: "eve", Password: "builder 1", Role: auth.Owner})
		refused(t, err, fault.Invalid, "role")
		_, err = d.Accounts.UpdateUser(asAna, account.UpdateUser{ID: bob.ID, Role: auth.Owner})
		refused(t, err, fault.Invalid, "role")
		for name, call := range map[string]error{
			"role": func() error {
				_, err := d.Accounts.UpdateUser(asAna, account.UpdateUser{ID: first.UserID, Role: auth.Viewer})
				return err
			}(),
			"password": d.Accounts.SetPassword(asAna, account.SetPassword{Username: "admin", New: "builder 3"}),
			"deletion": d.Accounts.DeleteUser(asAna, account.DeleteUser{ID: first.UserID}),
		} {
			if fault.CodeOf(call) != fault.Forbidden {
				t.Errorf("%s of an owner by an admin: %v", name, call)
			}
		}
		_, err = d.Accounts.UpdateUser(owner, account.UpdateUser{ID: first.UserID, Role: auth.Admin})
		refused(t, err, fault.Conflict, "id")

		// A new role applies to the open session.
		if u := must(d.Accounts.UpdateUser(asAna, account.UpdateUser{ID: bob.ID, Role: auth.Publisher}))(t); u.Role != "publisher" {
			t.Errorf("bob has the role %s", u.Role)
		}
		if p := must(d.Accounts.Session(t.Context(), token))(t); p.Role != auth.Publisher {
			t.Errorf("bob's session has the role %s", p.Role)
		}
		// Of two owners one may go.
		must(d.Accounts.UpdateUser(owner, account.UpdateUser{ID: ana.ID, Role: auth.Owner}))(t)
		d.must(d.Accounts.DeleteUser(owner, account.DeleteUser{ID: first.UserID}))
		refused(t, d.Accounts.DeleteUser(auth.With(t.Context(), auth.Principal{UserID: ana.ID, Name: "ana", Role: auth.Owner}), account.DeleteUser{ID: ana.ID}), fault.Conflict, "id")
		if a := d.audits("updateUser"); len(a) != 2 || !strings.Contains(a[0].Before+a[1].Before, `"viewer"`) || !strings.Contains(a[0].After+a[1].After, `"publisher"`) {
			t.Errorf("audit %+v", a)
		}
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
