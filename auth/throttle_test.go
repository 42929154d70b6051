package auth

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// guesses sends n wrong passwords of a name from an address and returns how many were
// checked, which is what costs time.
func guesses(g *Guard, p *people, n int, name func(i int) string, address func(i int) string) int32 {
	before := p.checks.Load()
	for i := range n {
		request(g, func(r *http.Request) { r.RemoteAddr = address(i); r.SetBasicAuth(name(i), fmt.Sprint("guess ", i)) })
	}
	return p.checks.Load() - before
}

func always(text string) func(int) string { return func(int) string { return text } }

func numbered(format string) func(int) string {
	return func(i int) string { return fmt.Sprintf(format, i) }
}

func TestGuessesOverALimitAreRefusedWithoutACheck(t *testing.T) {
	for name, c := range map[string]struct {
		username, address func(int) string
		checked           int32
	}{
		"one name from one address":     {always("ana"), always("192.0.2.1"), freeTries},
		"a name that does not exist":    {always("eve"), always("192.0.2.1"), freeTries},
		"many names from one address":   {numbered("user%d"), always("192.0.2.1"), freeOfAddress},
		"many names from one /64":       {numbered("user%d"), numbered("2001:db8::%x"), freeOfAddress},
		"one name from many addresses":  {always("ana"), numbered("192.0.2.%d"), freeOfName},
		"none that exists from many":    {always("eve"), numbered("192.0.2.%d"), freeOfName},
		"one long name from one source": {always(strings.Repeat("x", 500)), always("192.0.2.1"), freeTries},
	} {
		synctest.Test(t, func(t *testing.T) { // the clock stands still
			p := &people{}
			if n := guesses(guardOf(p), p, 300, c.username, c.address); n != c.checked {
				t.Errorf("%s: %d of 300 guesses were checked, want %d", name, n, c.checked)
			}
			if n := p.throttled.Load(); n != 300-c.checked {
				t.Errorf("%s: %d refused guesses were recorded, want %d", name, n, 300-c.checked)
			}
		})
	}
}

// signIn signs ana in as the page does and returns the device cookies of the answer.
func signIn(t *testing.T, g *Guard, address, password string, cookies ...*http.Cookie) (status int, set []*http.Cookie) {
	t.Helper()
	r := httptest.NewRequest(http.MethodPost, "/", http.NoBody)
	r.RemoteAddr = address
	for _, c := range cookies {
		r.AddCookie(c)
	}
	w := httptest.NewRecorder()
	g.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		err := g.Try(r.Context(), "ana", func(ctx context.Context) error {
			_, err := g.options.Directory.Authenticate(ctx, "ana", password)
			return err
		})
		if err != nil {
			w.WriteHeader(http.StatusForbidden)
			return
		}
		g.RememberDevice(r.Context(), "ana")
	})).ServeHTTP(w, r)
	return w.Code, w.Result().Cookies()
}

// While a guesser is refused, a browser that signed in before signs in at once, from the
// guesser's address and from any other.
func TestGuesserCannotKeepAKnownBrowserOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &people{key: "key 1"}
		g := guardOf(p)
		status, known := signIn(t, g, "192.0.2.1", "right")
		if status != http.StatusOK || len(known) != 1 || !known[0].HttpOnly || known[0].SameSite != http.SameSiteLaxMode {
			t.Fatalf("sign-in: %d %v", status, known)
		}
		guesses(g, p, 300, always("ana"), always("192.0.2.1"))
		guesses(g, p, 300, always("ana"), numbered("198.51.100.%d"))
		for _, address := range []string{"192.0.2.1", "203.0.113.1"} {
			if status, _ := signIn(t, g, address, "right"); status != http.StatusForbidden {
				t.Errorf("an unknown browser at %s: %d", address, status)
			}
			before := p.known.Load()
			if status, _ := signIn(t, g, address, "right", known...); status != http.StatusOK || p.known.Load() != before+1 {
				t.Errorf("the known browser at %s: %d", address, status)
			}
		}

		// The cookie is no way to guess more.
		before := p.checks.Load()
		for i := range 300 {
			signIn(t, g, "203.0.113.2", fmt.Sprint(i), known...)
		}
		if n := p.checks.Load() - before; n != freeTries {
			t.Errorf("%d guesses with a device cookie were checked, want %d", n, freeTries)
		}
		forged := *known[0]
		forged.Value = "made up." + signDevice([]byte("another key"), "made up")
		p.key = "key 2" // after a change of the password
		for _, c := range []*http.Cookie{&forged, known[0], {Name: known[0].Name, Value: "."}} {
			if status, _ := signIn(t, g, "192.0.2.1", "right", c); status != http.StatusForbidden {
				t.Errorf("cookie %q: %d", c.Value, status)
			}
		}
	})
}

// Sessions, tokens, and passwords that were right before are no guesses.
func TestGuesserDelaysNoCredentialsInUse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &people{}
		g := guardOf(p)
		request(g, basic("ana", "right"))
		guesses(g, p, 300, always("ana"), always("192.0.2.1"))
		for range 3 {
			for name, prepare := range map[string]func(*http.Request){
				"session": cookie("token"), "basic": basic("ana", "right"),
				"token": func(r *http.Request) { r.Header.Set("Authorization", "Bearer "+TokenPrefix+"secret") },
			} {
				w := request(g, func(r *http.Request) { prepare(r); r.RemoteAddr = "192.0.2.1" })
				if w.Code != http.StatusOK {
					t.Errorf("%s: %d", name, w.Code)
				}
			}
			time.Sleep(2 * verifiedFor)
			guesses(g, p, 300, always("ana"), always("192.0.2.1"))
		}
		if p.known.Load() != 3-1 {
			t.Errorf("%d checks in the lane of known callers, want 2", p.known.Load())
		}
	})
}

// A user of the guesser's own does not reset the limit of the address.
func TestRightPasswordOfOneUserDoesNotFreeTheAddress(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &people{}
		g := guardOf(p)
		checked := int32(0)
		for round := range 20 {
			signIn(t, g, "192.0.2.1", "right")
			checked += guesses(g, p, 10, numbered(fmt.Sprint("user", round, "-%d")), always("192.0.2.1"))
		}
		if checked != freeOfAddress {
			t.Errorf("%d guesses were checked, want %d", checked, freeOfAddress)
		}
	})
}

func TestLimitEvictsTheLeastRecentlyUsedKey(t *testing.T) {
	l := newLimit(freeTries)
	for i := range maxThrottled + 2 {
		l.add(fmt.Sprint("user", i), time.Now())
		l.add("in use", time.Now())
	}
	if n := l.failures.Len(); n != maxThrottled {
		t.Errorf("%d keys are counted, want %d", n, maxThrottled)
	}
	for key, want := range map[string]bool{"in use": true, "user0": false} {
		if got := l.failures.Contains(key); got != want {
			t.Errorf("%q is counted: %v, want %v", key, got, want)
		}
	}
}
