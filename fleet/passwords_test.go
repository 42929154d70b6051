package fleet_test

import (
	"strings"
	"testing"

	"github.com/coreroller/coreroller/auth"
	"github.com/coreroller/coreroller/ent/db/user"
	"github.com/coreroller/coreroller/fleet/account"
	"github.com/coreroller/coreroller/fleet/fault"
	"github.com/coreroller/coreroller/store"
)

func TestPasswordsThatAreGuessedFirstAreRefused(t *testing.T) {
	eachDatabase(t, func(t *testing.T, d *harness) {
		d.must(d.Accounts.EnsureFirstUser(d.ctx))
		p := must(d.Accounts.Authenticate(t.Context(), "admin", "admin"))(t)
		mine := auth.With(t.Context(), p)
		for text, why := range map[string]string{
			"":                        "at least 8 characters",
			"äöüäöü7":                 "at least 8 characters",
			strings.Repeat("ab1", 86): "at most 256 bytes",
			"long\xff enough":         "must be UTF-8 text",
			"password":                "most used passwords",
			"PassWord":                "most used passwords",
			"Password2026!":           "most used passwords",
			"ｐａｓｓｗｏｒｄ":                "most used passwords",
			"qwertyuiop":              "most used passwords",
			"iloveyou":                "most used passwords",
			"administrator":           "most used passwords",
			"aaaaaaaa":                "repeats a few characters",
			"adminadmin":              "repeats a few characters",
			"a1b2a1b2a":               "repeats a few characters",
			"abcdefgh":                "is a sequence",
			"98765432":                "is a sequence",
			"efghijklm":               "is a sequence",
			"admin2026":               "is the name of the user",
			"--ADMIN--":               "is the name of the user",
			"CoreRoller1":             "is the name of the user or of this program",
		} {
			for field, err := range map[string]error{
				"newPassword": d.Accounts.ChangePassword(mine, account.ChangePassword{Current: "admin", New: text}),
				"password":    account.CheckFirstPassword(text),
			} {
				refused(t, err, fault.Invalid, field)
				if err == nil || !strings.Contains(err.Error(), why) {
					t.Errorf("%q: %v, not %s", text, err, why)
				}
			}
		}
		refused(t, d.Accounts.SetPassword(d.ctx, account.SetPassword{Username: "admin", New: "password"}), fault.Invalid, "newPassword")
		_, err := d.Accounts.CreateUser(d.ctx, account.CreateUser{Username: "jonathan", Password: "Jonathan-42", Role: auth.Viewer})
		refused(t, err, fault.Invalid, "password")
		_, err = d.Accounts.CreateUser(d.ctx, account.CreateUser{Username: "42", Password: "12-34-56-78", Role: auth.Viewer})
		d.must(err)
		for _, text := range []string{"correct horse", "äöüäöü78", "пароль для сервера", strings.Repeat("ab1", 85) + "x", "passwords are hard", "🚀🌍🐎🔋📎🎈🎲🧲", "adm1n of it all"} {
			if err := account.CheckFirstPassword(text); err != nil {
				t.Errorf("%q: %v", text, err)
			}
		}
	})
}

// Passwords from before the rules continue to work.
func TestStoredPasswordsContinueToWork(t *testing.T) {
	eachDatabase(t, func(t *testing.T, d *harness) {
		d.must(d.Accounts.EnsureFirstUser(d.ctx))
		for _, old := range []string{"password", strings.Repeat("x", 1024)} {
			hash := must(auth.HashPassword(old))(t)
			d.must(d.store.Write(d.ctx, d.clock(), func(tx *store.Tx) error {
				return tx.Client().User.Update().Where(user.Username("admin")).SetPasswordHash(hash).Exec(d.ctx)
			}))
			if _, err := d.Accounts.Authenticate(t.Context(), "admin", old); err != nil {
				t.Errorf("%d characters: %v", len(old), err)
			}
		}
	})
}
