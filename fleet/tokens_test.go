package fleet_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/coreroller/coreroller/auth"
	"github.com/coreroller/coreroller/ent/db"
	"github.com/coreroller/coreroller/ent/db/session"
	"github.com/coreroller/coreroller/fleet"
	"github.com/coreroller/coreroller/fleet/account"
	"github.com/coreroller/coreroller/fleet/fault"
	"github.com/coreroller/coreroller/store"
)

// person creates a user and returns its row and the context of a sign-in.
func (d *harness) person(name string, role auth.Role) (*db.User, auth.Principal) {
	d.t.Helper()
	row := must(d.Accounts.CreateUser(d.ctx, account.CreateUser{Username: name, Password: "builder 1", Role: role}))(d.t)
	return row, must(d.Accounts.Authenticate(d.t.Context(), name, "builder 1"))(d.t)
}

// token creates a token for the principal.
func (d *harness) token(who auth.Principal, in account.CreateToken) (*db.Token, string) {
	d.t.Helper()
	if in.ExpiresAt.IsZero() {
		in.ExpiresAt = d.clock().Add(time.Hour)
	}
	row, secret, err := d.Accounts.CreateToken(auth.With(d.t.Context(), who), in)
	d.must(err)
	return row, secret
}

func (d *harness) noToken(secret string) {
	d.t.Helper()
	if p, err := d.Accounts.Token(d.t.Context(), secret); !errors.Is(err, auth.ErrUnauthenticated) {
		d.t.Errorf("the token is accepted for %+v, %v", p, err)
	}
}

func TestTokenActsForItsUserUntilItEnds(t *testing.T) {
	eachDatabase(t, func(t *testing.T, d *harness) {
		_, ana := d.person("ana", auth.Publisher)
		row, secret := d.token(ana, account.CreateToken{Name: "ci", Role: auth.Operator})
		if !strings.HasPrefix(secret, "crt_") || len(secret) != len("crt_")+43 || !strings.HasSuffix(secret, row.Ending) || len(row.Ending) != 4 {
			t.Errorf("secret of %d letters, shown %q", len(secret), row.Ending)
		}
		p := must(d.Accounts.Token(t.Context(), secret))(t)
		if p.UserID != ana.UserID || p.Name != "ana" || p.Role != auth.Operator || p.Proof() != "token ci" || !p.Until.Equal(row.ExpiresAt) {
			t.Errorf("%+v", p)
		}
		// The secret is stored nowhere.
		stored := must(json.Marshal(must(d.Accounts.Tokens(auth.With(t.Context(), ana), false))(t)))(t)
		for _, a := range d.audits("createToken") {
			stored = append(stored, a.Before+a.After...)
		}
		if !strings.Contains(string(stored), `"ci"`) || strings.Contains(string(stored), secret[4:]) || strings.Contains(string(stored), row.Hash) {
			t.Errorf("list and audit have the secret or its hash, or no name: %s", stored)
		}
		d.wait(time.Hour)
		d.noToken(secret)

		row, secret = d.token(ana, account.CreateToken{Name: "second", Role: auth.Viewer})
		d.must(d.Accounts.RevokeToken(auth.With(t.Context(), ana), account.RevokeToken{ID: row.ID}))
		d.noToken(secret)
		refused(t, d.Accounts.RevokeToken(auth.With(t.Context(), ana), account.RevokeToken{ID: row.ID}), fault.NotFound, "id")

		_, secret = d.token(ana, account.CreateToken{Name: "third", Role: auth.Viewer})
		d.must(d.Accounts.DeleteUser(d.ctx, account.DeleteUser{ID: ana.UserID}))
		d.noToken(secret)
	})
}

// A token is never above its user, at any time.
func TestTokenFollowsTheRoleOfItsUser(t *testing.T) {
	eachDatabase(t, func(t *testing.T, d *harness) {
		row, ana := d.person("ana", auth.Admin)
		_, secret := d.token(ana, account.CreateToken{Name: "ci", Role: auth.Publisher})
		_, everything := d.token(ana, account.CreateToken{Name: "all"})
		for _, c := range []struct{ user, ci, all auth.Role }{
			{auth.Viewer, auth.Viewer, auth.Viewer},
			{auth.Operator, auth.Operator, auth.Operator},
			{auth.Owner, auth.Publisher, auth.Owner},
		} {
			must(d.Accounts.UpdateUser(d.ctx, account.UpdateUser{ID: row.ID, Role: c.user}))(t)
			for secret, want := range map[string]auth.Role{secret: c.ci, everything: c.all} {
				p := must(d.Accounts.Token(t.Context(), secret))(t)
				if p.Role != want || auth.HighestRole(p.AllGrants()) != want {
					t.Errorf("the user is %s, the token %s with %v, want %s", c.user, p.Role, p.Grants, want)
				}
			}
		}
	})
}

func TestTokenForAnApplicationOrGroupHasNoRoleElsewhere(t *testing.T) {
	eachDatabase(t, func(t *testing.T, d *harness) {
		_, ana := d.person("ana", auth.Admin)
		app := must(d.CreateApplication(d.ctx, fleet.CreateApplication{Name: "agent"}))(t)
		other := must(d.CreateApplication(d.ctx, fleet.CreateApplication{Name: "probe"}))(t)
		group := must(d.CreateGroup(d.ctx, fleet.CreateGroup{ApplicationID: other.ID, Name: "prod"}))(t)
		_, secret := d.token(ana, account.CreateToken{Name: "ci", Role: auth.Operator, ApplicationIDs: []uuid.UUID{app.ID}, GroupIDs: []uuid.UUID{group.ID}})
		_, link := d.token(ana, account.CreateToken{Name: "wall", Role: auth.Admin, Link: true, GroupIDs: []uuid.UUID{group.ID}})
		in := must(d.Accounts.Token(t.Context(), secret))(t)
		wall := must(d.Accounts.Token(t.Context(), link))(t)
		for _, c := range []struct {
			app, group uuid.UUID
			ci, wall   auth.Role
		}{
			{app: app.ID, ci: auth.Operator},
			{app: other.ID},
			{app: other.ID, group: group.ID, ci: auth.Operator, wall: auth.Viewer},
			{},
		} {
			place := auth.Place{Team: app.TeamID, Application: c.app, Group: c.group}
			if got := in.RoleOn(place); got != c.ci {
				t.Errorf("the token is %q on %v, want %q", got, place, c.ci)
			}
			if got := wall.RoleOn(place); got != c.wall {
				t.Errorf("the link is %q on %v, want %q", got, place, c.wall)
			}
		}
		if wall.Credential != auth.CredentialLink || wall.Role != auth.Viewer {
			t.Errorf("link %+v", wall)
		}
	})
}

func TestInvalidTokensAreRefused(t *testing.T) {
	eachDatabase(t, func(t *testing.T, d *harness) {
		_, ana := d.person("ana", auth.Operator)
		group := uuid.New()
		d.token(ana, account.CreateToken{Name: "taken", Role: auth.Viewer})
		for _, c := range []struct {
			field string
			code  fault.Code
			with  func(*account.CreateToken)
		}{
			{"name", fault.Invalid, func(in *account.CreateToken) { in.Name = " " }},
			{"name", fault.Conflict, func(in *account.CreateToken) { in.Name = "taken" }},
			{"role", fault.Invalid, func(in *account.CreateToken) { in.Role = auth.Publisher }},
			{"role", fault.Invalid, func(in *account.CreateToken) { in.Role = 9 }},
			{"expiresAt", fault.Invalid, func(in *account.CreateToken) { in.ExpiresAt = time.Time{} }},
			{"expiresAt", fault.Invalid, func(in *account.CreateToken) { in.ExpiresAt = d.clock().Add(time.Second) }},
			{"expiresAt", fault.Invalid, func(in *account.CreateToken) { in.ExpiresAt = d.clock().AddDate(11, 0, 0) }},
			{"applicationIds", fault.Invalid, func(in *account.CreateToken) { in.ApplicationIDs = []uuid.UUID{group} }},
			{"groupIds", fault.Invalid, func(in *account.CreateToken) { in.GroupIDs = []uuid.UUID{group} }},
			{"groupIds", fault.Invalid, func(in *account.CreateToken) { in.Link = true }},
			{"groupIds", fault.Invalid, func(in *account.CreateToken) { in.GroupIDs = make([]uuid.UUID, 51) }},
			{"", fault.Forbidden, func(in *account.CreateToken) { in.Username = "admin" }},
		} {
			in := account.CreateToken{Name: "ci", Role: auth.Viewer, ExpiresAt: d.clock().Add(time.Hour)}
			c.with(&in)
			_, _, err := d.Accounts.CreateToken(auth.With(t.Context(), ana), in)
			refused(t, err, c.code, c.field)
		}
	})
}

// Else a token could make another one before it is revoked.
func TestTokensCannotManageTokensAndSessions(t *testing.T) {
	eachDatabase(t, func(t *testing.T, d *harness) {
		_, ana := d.person("ana", auth.Owner)
		row, secret := d.token(ana, account.CreateToken{Name: "ci"})
		ctx := auth.With(t.Context(), must(d.Accounts.Token(t.Context(), secret))(t))
		_, _, create := d.Accounts.CreateToken(ctx, account.CreateToken{Name: "x", ExpiresAt: d.clock().Add(time.Hour)})
		_, list := d.Accounts.Tokens(ctx, false)
		_, sessions := d.Accounts.Sessions(ctx, nil)
		_, others := d.Accounts.EndOtherSessions(ctx, account.EndOtherSessions{})
		for _, err := range []error{
			create, list, sessions, others, d.Accounts.RevokeToken(ctx, account.RevokeToken{ID: row.ID}),
			d.Accounts.EndSession(ctx, account.EndSession{ID: uuid.New()}),
		} {
			refused(t, err, fault.Forbidden, "")
		}
	})
}

// An admin sees and revokes the tokens of users with at most its own role.
func TestTokensOfOthersNeedTheirRights(t *testing.T) {
	eachDatabase(t, func(t *testing.T, d *harness) {
		_, ana := d.person("ana", auth.Admin)
		_, bob := d.person("bob", auth.Operator)
		_, olga := d.person("olga", auth.Owner)
		mine, _ := d.token(ana, account.CreateToken{Name: "mine"})
		bobs, secret := d.token(bob, account.CreateToken{Name: "bobs"})
		owners, _ := d.token(olga, account.CreateToken{Name: "owners"})
		names := func(who auth.Principal, all bool) (list []string) {
			for _, row := range must(d.Accounts.Tokens(auth.With(t.Context(), who), all))(t) {
				list = append(list, row.Name)
			}
			return list
		}
		if own, all := names(ana, false), names(ana, true); strings.Join(own, " ") != "mine" || strings.Join(all, " ") != "bobs mine" {
			t.Errorf("own %v, all %v", own, all)
		}
		_, err := d.Accounts.Tokens(auth.With(t.Context(), bob), true)
		refused(t, err, fault.Forbidden, "")
		for who, id := range map[*auth.Principal]uuid.UUID{&bob: mine.ID, &ana: owners.ID} {
			refused(t, d.Accounts.RevokeToken(auth.With(t.Context(), *who), account.RevokeToken{ID: id}), fault.NotFound, "id")
		}
		d.must(d.Accounts.RevokeToken(auth.With(t.Context(), ana), account.RevokeToken{ID: bobs.ID}))
		d.noToken(secret)
	})
}

func TestOnlyAResetByAnAdminEndsTheTokens(t *testing.T) {
	eachDatabase(t, func(t *testing.T, d *harness) {
		_, ana := d.person("ana", auth.Viewer)
		mine := auth.With(t.Context(), ana)
		_, secret := d.token(ana, account.CreateToken{Name: "a"})
		d.must(d.Accounts.ChangePassword(mine, account.ChangePassword{New: "builder 2"}))
		must(d.Accounts.Token(t.Context(), secret))(t)
		d.must(d.Accounts.ChangePassword(mine, account.ChangePassword{New: "builder 3", EndTokens: true}))
		d.noToken(secret)
		_, secret = d.token(ana, account.CreateToken{Name: "b"})
		d.must(d.Accounts.SetPassword(d.ctx, account.SetPassword{Username: "ana", New: "builder 4"}))
		d.noToken(secret)
	})
}

// The last use is written later and at most once a minute, so no call waits for it.
func TestLastUseIsWrittenOnceAMinute(t *testing.T) {
	eachDatabase(t, func(t *testing.T, d *harness) {
		_, ana := d.person("ana", auth.Viewer)
		mine := auth.With(t.Context(), ana)
		_, secret := d.token(ana, account.CreateToken{Name: "ci"})
		last := func() *time.Time {
			d.must(d.Accounts.FlushUses(t.Context()))
			return must(d.Accounts.Tokens(mine, false))(t)[0].LastUsedAt
		}
		if at := last(); at != nil {
			t.Fatalf("used at %v before the first use", at)
		}
		must(d.Accounts.Token(t.Context(), secret))(t)
		first := d.clock()
		if at := last(); at == nil || !at.Equal(first) {
			t.Fatalf("used at %v, want %v", at, first)
		}
		d.wait(50 * time.Second)
		must(d.Accounts.Token(t.Context(), secret))(t)
		if at := last(); !at.Equal(first) {
			t.Errorf("written again after 50 s, at %v", at)
		}
		d.wait(10 * time.Second)
		must(d.Accounts.Token(t.Context(), secret))(t)
		if at := last(); !at.Equal(d.clock()) {
			t.Errorf("used at %v, want %v", at, d.clock())
		}
	})
}

// A token that an older version stored as a session works until it expires, however idle.
func TestTokensOfOlderVersionsStayValid(t *testing.T) {
	eachDatabase(t, func(t *testing.T, d *harness) {
		_, ana := d.person("ana", auth.Viewer)
		secret, _, err := d.Accounts.CreateSession(auth.With(t.Context(), ana))
		d.must(err)
		d.must(d.store.Write(d.ctx, d.clock(), func(tx *store.Tx) error {
			return tx.Client().Session.Update().Where(session.UserID(ana.UserID)).ClearLastSeenAt().SetExpiresAt(d.clock().Add(90 * 24 * time.Hour)).Exec(d.ctx)
		}))
		d.wait(89 * 24 * time.Hour)
		must(d.Accounts.Session(t.Context(), secret))(t)
		d.wait(24 * time.Hour)
		if _, err := d.Accounts.Session(t.Context(), secret); !errors.Is(err, auth.ErrUnauthenticated) {
			t.Errorf("it is still valid: %v", err)
		}
	})
}

func TestSessionsEndIdleAndAreListed(t *testing.T) {
	eachDatabase(t, func(t *testing.T, d *harness) {
		_, ana := d.person("ana", auth.Viewer)
		row, bob := d.person("bob", auth.Viewer)
		mine, bobs := auth.With(t.Context(), ana), auth.With(t.Context(), bob)
		secrets := make([]string, 3)
		for i := range secrets {
			var err error
			secrets[i], _, err = d.Accounts.CreateSession(bobs)
			d.must(err)
		}
		d.wait(account.DefaultSessionIdle - time.Hour)
		must(d.Accounts.Session(t.Context(), secrets[0]))(t)
		d.must(d.Accounts.FlushUses(t.Context()))
		d.wait(2 * time.Hour)
		must(d.Accounts.Session(t.Context(), secrets[0]))(t)
		if _, err := d.Accounts.Session(t.Context(), secrets[1]); !errors.Is(err, auth.ErrUnauthenticated) {
			t.Errorf("an idle session is valid: %v", err)
		}
		list := must(d.Accounts.Sessions(bobs, nil))(t)
		if len(list) != 1 || strings.Contains(secrets[0], list[0].ID.String()) {
			t.Fatalf("%d sessions", len(list))
		}
		_, err := d.Accounts.Sessions(mine, &row.ID)
		refused(t, err, fault.Forbidden, "")
		refused(t, d.Accounts.EndSession(mine, account.EndSession{ID: list[0].ID}), fault.NotFound, "id")
		d.must(d.Accounts.EndSession(bobs, account.EndSession{ID: list[0].ID}))
		if _, err := d.Accounts.Session(t.Context(), secrets[0]); !errors.Is(err, auth.ErrUnauthenticated) {
			t.Errorf("an ended session is valid: %v", err)
		}
		for range 2 {
			_, _, err := d.Accounts.CreateSession(bobs)
			d.must(err)
		}
		// Others end a session by its user, within their rights.
		list = must(d.Accounts.Sessions(d.ctx, &row.ID))(t)
		one := account.EndSession{ID: list[0].ID, UserID: &row.ID}
		refused(t, d.Accounts.EndSession(mine, one), fault.Forbidden, "")
		refused(t, d.Accounts.EndSession(d.ctx, account.EndSession{ID: list[0].ID}), fault.NotFound, "id")
		d.must(d.Accounts.EndSession(d.ctx, one))
		if left := must(d.Accounts.Sessions(d.ctx, &row.ID))(t); len(left) != 1 || left[0].ID == one.ID {
			t.Errorf("%d sessions are left", len(left))
		}
		owner, olgas := d.person("olga-2", auth.Owner)
		_, admin := d.person("adam", auth.Admin)
		_, _, err = d.Accounts.CreateSession(auth.With(t.Context(), olgas))
		d.must(err)
		list = must(d.Accounts.Sessions(d.ctx, &owner.ID))(t)
		refused(t, d.Accounts.EndSession(auth.With(t.Context(), admin), account.EndSession{ID: list[0].ID, UserID: &owner.ID}), fault.Forbidden, "")
		// The idle ones are deleted with the others.
		if ended, err := d.Accounts.EndOtherSessions(d.ctx, account.EndOtherSessions{UserID: &row.ID}); err != nil || ended != 3 {
			t.Errorf("%d ended, %v", ended, err)
		}
		if list := must(d.Accounts.Sessions(d.ctx, &row.ID))(t); len(list) != 0 {
			t.Errorf("%d sessions after the sign-out", len(list))
		}
	})
}
