package fleet_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/coreroller/coreroller/auth"
	"github.com/coreroller/coreroller/ent/db/user"
	"github.com/coreroller/coreroller/fleet"
)

func TestFirstUserMustChangeItsPassword(t *testing.T) {
	eachDesk(t, func(t *testing.T, d *desk) {
		d.must(d.EnsureFirstUser(d.ctx))
		d.must(d.EnsureFirstUser(d.ctx))
		p := must(d.Authenticate(t.Context(), "admin", "admin"))(t)
		if !p.MustChangePassword || p.Name != "admin" || p.TeamID != fleet.DefaultTeamID() {
			t.Errorf("first user: %+v", p)
		}
		mine := auth.With(t.Context(), p)
		refused(t, d.ChangePassword(mine, fleet.ChangePassword{New: "short"}), fleet.Invalid, "newPassword")
		d.must(d.ChangePassword(mine, fleet.ChangePassword{New: "correct horse"})) // came with name and password

		_, err := d.Authenticate(t.Context(), "admin", "admin")
		if !errors.Is(err, auth.ErrUnauthenticated) || fleet.CodeOf(err) != fleet.Unauthenticated {
			t.Errorf("the old password: %v", err)
		}
		if _, err := d.Authenticate(t.Context(), "nobody", "admin"); !errors.Is(err, auth.ErrUnauthenticated) {
			t.Errorf("an unknown user: %v", err)
		}
		if p = must(d.Authenticate(t.Context(), "admin", "correct horse"))(t); p.MustChangePassword {
			t.Error("has to change it again")
		}
		for _, a := range append(d.audits("createUser"), d.audits("changePassword")...) {
			if row := must(d.store.Reader().User.Query().Where(user.Username("admin")).Only(d.ctx))(t); a.ObjectID != row.ID {
				t.Errorf("audit: %+v", a)
			}
		}
	})
}

func TestSessions(t *testing.T) {
	eachDesk(t, func(t *testing.T, d *desk) {
		d.must(d.EnsureFirstUser(d.ctx))
		mine := auth.With(t.Context(), must(d.Authenticate(t.Context(), "admin", "admin"))(t))
		token, expires, err := d.CreateSession(mine)
		d.must(err)
		if !expires.Equal(d.clock().Add(fleet.SessionLife)) {
			t.Errorf("expires %v", expires)
		}
		p := must(d.Session(t.Context(), token))(t)
		if p.Name != "admin" || p.Credential != auth.CredentialSession {
			t.Errorf("session of %+v", p)
		}
		refused(t, d.ChangePassword(auth.With(t.Context(), p), fleet.ChangePassword{Current: "wrong", New: "correct horse"}), fleet.Invalid, "currentPassword")
		over := func(token string) {
			t.Helper()
			if _, err := d.Session(t.Context(), token); !errors.Is(err, auth.ErrUnauthenticated) {
				t.Errorf("the session goes on: %v", err)
			}
		}
		// Another password ends the sessions there are.
		d.must(d.ChangePassword(auth.With(t.Context(), p), fleet.ChangePassword{Current: "admin", New: "correct horse"}))
		over(token)
		token, _, err = d.CreateSession(mine)
		d.must(err)
		d.must(d.DeleteSession(t.Context(), token))
		over(token)
		token, _, err = d.CreateSession(mine)
		d.must(err)
		d.wait(fleet.SessionLife + time.Second)
		over(token)
		over("")
	})
}

func TestMoreUsers(t *testing.T) {
	eachDesk(t, func(t *testing.T, d *desk) {
		d.must(d.EnsureFirstUser(d.ctx))
		u := must(d.CreateUser(d.ctx, fleet.CreateUser{Username: "bob", Password: "builder 1"}))(t)
		_, err := d.CreateUser(d.ctx, fleet.CreateUser{Username: "bob", Password: "builder 2"})
		refused(t, err, fleet.Conflict, "username")
		_, err = d.CreateUser(d.ctx, fleet.CreateUser{Username: " ", Password: "builder 2"})
		refused(t, err, fleet.Invalid, "username")
		refused(t, d.SetPassword(d.ctx, fleet.SetPassword{Username: "eve", New: "builder 2"}), fleet.NotFound, "username")
		d.must(d.SetPassword(d.ctx, fleet.SetPassword{Username: "bob", New: "builder 2"}))
		if p := must(d.Authenticate(t.Context(), "bob", "builder 2"))(t); !p.MustChangePassword {
			t.Error("a password given by somebody else need not be changed")
		}
		d.must(d.DeleteUser(d.ctx, fleet.DeleteUser{ID: u.ID}))
		admin := must(d.store.Reader().User.Query().Only(d.ctx))(t)
		refused(t, d.DeleteUser(d.ctx, fleet.DeleteUser{ID: admin.ID}), fleet.Conflict, "id")
	})
}

func TestTokensActForAUser(t *testing.T) {
	eachDesk(t, func(t *testing.T, d *desk) {
		d.must(d.EnsureFirstUser(d.ctx))
		token, expires, err := d.CreateToken(d.ctx, fleet.CreateToken{Username: "admin", Life: time.Hour})
		d.must(err)
		if p, err := d.Session(t.Context(), token); err != nil || p.Name != "admin" || !expires.Equal(d.clock().Add(time.Hour)) {
			t.Errorf("%+v %v, until %v", p, err, expires)
		}
		if a := d.audits("createToken"); len(a) != 1 || strings.Contains(a[0].After, token) || !strings.Contains(a[0].After, "expires") {
			t.Errorf("audit %+v", a)
		}
		d.wait(time.Hour + time.Second)
		if _, err := d.Session(t.Context(), token); !errors.Is(err, auth.ErrUnauthenticated) {
			t.Errorf("a token of the past: %v", err)
		}
		token, _, err = d.CreateToken(d.ctx, fleet.CreateToken{Username: "admin", Life: time.Hour})
		d.must(err)
		d.must(d.SetPassword(d.ctx, fleet.SetPassword{Username: "admin", New: "another one"}))
		if _, err := d.Session(t.Context(), token); !errors.Is(err, auth.ErrUnauthenticated) {
			t.Errorf("a token of the password before: %v", err)
		}
		for _, life := range []time.Duration{0, -1, time.Second, 1 << 62} {
			_, _, err := d.CreateToken(d.ctx, fleet.CreateToken{Username: "admin", Life: life})
			refused(t, err, fleet.Invalid, "life")
		}
		_, _, err = d.CreateToken(d.ctx, fleet.CreateToken{Username: "eve", Life: time.Hour})
		refused(t, err, fleet.NotFound, "username")
	})
}

// No database takes such names, and none has to.
func TestNamesThatAreNoTextAreNobody(t *testing.T) {
	eachDesk(t, func(t *testing.T, d *desk) {
		for _, name := range []string{"a\x00b", "\xff\xfe", ""} {
			if _, err := d.Authenticate(t.Context(), name, "x"); !errors.Is(err, auth.ErrUnauthenticated) {
				t.Errorf("%q: %v", name, err)
			}
		}
	})
}
