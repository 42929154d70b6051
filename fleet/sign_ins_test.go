package fleet_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/coreroller/coreroller/auth"
	"github.com/coreroller/coreroller/ent/db"
	"github.com/coreroller/coreroller/fleet/account"
)

// tooLong is a wrong password that is refused without the slow hash.
var tooLong = strings.Repeat("x", 1025)

// attempts returns how many failed sign-ins an entry stands for.
func attempts(t *testing.T, a *db.Audit) int {
	t.Helper()
	var after struct {
		Username string
		Attempts int
	}
	if err := json.Unmarshal([]byte(a.After), &after); err != nil || after.Username != a.Actor {
		t.Fatalf("entry %+v: %v", a, err)
	}
	return after.Attempts
}

func TestSignInsAreInTheAudit(t *testing.T) {
	eachDatabase(t, func(t *testing.T, d *harness) {
		d.must(d.Accounts.EnsureFirstUser(d.ctx))
		p := must(d.Accounts.Authenticate(t.Context(), "admin", "admin"))(t)
		token, _, err := d.Accounts.CreateSession(auth.With(t.Context(), p))
		d.must(err)
		d.must(d.Accounts.DeleteSession(t.Context(), "made up"))
		d.must(d.Accounts.DeleteSession(t.Context(), token))
		d.must(d.Accounts.DeleteSession(t.Context(), token))
		d.must(d.Accounts.SetPassword(d.ctx, account.SetPassword{Username: "admin", New: "correct horse"}))
		for verb, credential := range map[string]auth.Credential{"signIn": auth.CredentialBasic, "signOut": auth.CredentialSession} {
			all := d.audits(verb)
			if len(all) != 1 || all[0].Actor != "admin" || all[0].ObjectID != p.UserID || all[0].Credential != string(credential) {
				t.Errorf("%s: %+v", verb, all)
			}
		}
		if all := d.audits("setPassword"); len(all) != 1 || all[0].After != `{"username":"admin"}` {
			t.Errorf("setPassword: %+v", all)
		}
		if all := d.audits("signInFailed"); len(all) != 0 {
			t.Errorf("no sign-in failed, but %+v", all)
		}
	})
}

func TestFailedSignInsAreCountedByMinute(t *testing.T) {
	eachDatabase(t, func(t *testing.T, d *harness) {
		d.must(d.Accounts.EnsureFirstUser(d.ctx))
		fail := func(name string) {
			t.Helper()
			if _, err := d.Accounts.Authenticate(t.Context(), name, tooLong); err == nil {
				t.Fatal("a wrong password was accepted")
			}
		}
		counts := func() (all []int) {
			for _, a := range d.audits("signInFailed") {
				all = append(all, attempts(t, a))
			}
			return all
		}
		want := func(numbers ...int) {
			t.Helper()
			if got := counts(); fmt.Sprint(got) != fmt.Sprint(numbers) {
				t.Errorf("entries with %v attempts, want %v", got, numbers)
			}
		}
		fail("admin")
		want(1) // at once
		for range 7 {
			fail("admin")
		}
		d.must(d.Accounts.FlushSignIns(t.Context(), false))
		want(1)
		d.wait(time.Minute)
		d.must(d.Accounts.FlushSignIns(t.Context(), false))
		want(1, 7)
		fail("admin") // its entry of this minute exists
		want(1, 7)
		d.must(d.Accounts.FlushSignIns(t.Context(), true)) // the end of the process
		want(1, 7, 1)
		a := d.audits("signInFailed")[0]
		if a.Actor != "admin" || a.ObjectID == uuid.Nil || a.Object != "user" {
			t.Errorf("entry %+v", a)
		}

		fail("e\xffvil\nname\u202e" + strings.Repeat("ü", 100))
		a = d.audits("signInFailed")[3]
		if !strings.HasPrefix(a.Actor, "e�vil�name�üü") || len(a.Actor) > 80 || a.ObjectID != uuid.Nil {
			t.Errorf("name %q", a.Actor)
		}
	})
}

// A guesser with many names cannot fill the audit, and no attempt is lost.
func TestAFloodOfFailedSignInsIsBounded(t *testing.T) {
	eachDatabase(t, func(t *testing.T, d *harness) {
		const minutes, each = 3, 300
		for range minutes {
			for i := range each {
				_, err := d.Accounts.Authenticate(t.Context(), fmt.Sprint("name ", i), tooLong)
				if err == nil {
					t.Fatal("a wrong password was accepted")
				}
			}
			d.wait(time.Minute)
		}
		d.must(d.Accounts.FlushSignIns(t.Context(), true))
		all, sum := d.audits("signInFailed"), 0
		for _, a := range all {
			sum += attempts(t, a)
		}
		if len(all) > (minutes+1)*21 || sum != minutes*each {
			t.Errorf("%d entries for %d attempts, want at most %d for %d", len(all), sum, (minutes+1)*21, minutes*each)
		}
		if others := all[len(all)-1]; others.Actor != "" || others.Reason == "" {
			t.Errorf("the entry of all others: %+v", others)
		}
		chain, err := d.store.VerifyAudits(t.Context(), "")
		if err != nil || chain.Entries == 0 {
			t.Errorf("chain %+v, %v", chain, err)
		}
	})
}

// Attempts that are refused without a check are in the audit, as one number a minute.
func TestThrottledSignInsAreInTheAudit(t *testing.T) {
	eachDatabase(t, func(t *testing.T, d *harness) {
		for range 300 {
			d.Accounts.Throttled(t.Context(), "admin")
		}
		d.must(d.Accounts.FlushSignIns(t.Context(), true))
		all, sum := d.audits("signInFailed"), 0
		for _, a := range all {
			sum += attempts(t, a)
			if a.Actor != "admin" || a.Reason != "too many attempts: the password was not checked" {
				t.Errorf("entry %+v", a)
			}
		}
		if len(all) != 2 || sum != 300 {
			t.Errorf("%d entries for %d attempts, want 2 for 300", len(all), sum)
		}
	})
}

// The key of device cookies is secret, of one user, and ends with the password.
func TestDeviceKeyFollowsThePassword(t *testing.T) {
	eachDatabase(t, func(t *testing.T, d *harness) {
		d.must(d.Accounts.EnsureFirstUser(d.ctx))
		first := must(d.Accounts.DeviceKey(t.Context(), "admin"))(t)
		if again := must(d.Accounts.DeviceKey(t.Context(), "admin"))(t); len(first) != 32 || string(again) != string(first) {
			t.Errorf("keys %x and %x", first, again)
		}
		for _, name := range []string{"eve", "a\xff", "a\x00"} {
			if key := must(d.Accounts.DeviceKey(t.Context(), name))(t); key != nil {
				t.Errorf("%q has the key %x", name, key)
			}
		}
		d.must(d.Accounts.SetPassword(d.ctx, account.SetPassword{Username: "admin", New: "correct horse"}))
		if key := must(d.Accounts.DeviceKey(t.Context(), "admin"))(t); string(key) == string(first) {
			t.Error("the new password has the old key")
		}
	})
}
