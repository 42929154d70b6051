package auth

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// people is a directory: ana with the password "right" and the session "token".
type people struct {
	checks atomic.Int32
	broken error
	wait   chan struct{} // nil: answer at once
}

func (p *people) Authenticate(_ context.Context, username, password string) (Principal, error) {
	p.checks.Add(1)
	if p.wait != nil {
		<-p.wait
	}
	switch {
	case p.broken != nil:
		return Principal{}, p.broken
	case username != "ana" || password != "right":
		return Principal{}, fmt.Errorf("no: %w", ErrUnauthenticated)
	}
	return Principal{Name: username}, nil
}

func (p *people) Session(_ context.Context, token string) (Principal, error) {
	switch {
	case p.broken != nil:
		return Principal{}, p.broken
	case token != "token":
		return Principal{}, ErrUnauthenticated
	}
	return Principal{Name: "ana"}, nil
}

func guardOf(p *people) *Guard {
	return NewGuard(Options{Directory: p, Now: time.Now, Realm: "here"})
}

// visitWith asks a handler behind the guard, which says who it sees.
func visitWith(g *Guard, prepare func(*http.Request)) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodGet, "/", http.NoBody)
	prepare(r)
	w := httptest.NewRecorder()
	g.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p, ok := From(r.Context())
		_, _ = fmt.Fprintf(w, "%v %s %s", ok, p.Name, p.Credential)
	})).ServeHTTP(w, r)
	return w
}

func basic(name, password string) func(*http.Request) {
	return func(r *http.Request) { r.SetBasicAuth(name, password) }
}

func cookie(token string) func(*http.Request) {
	return func(r *http.Request) { r.AddCookie(&http.Cookie{Name: SessionCookie, Value: token}) } //nolint:gosec // of a request
}

func TestGuardSeesWhoAsks(t *testing.T) {
	broken := &people{broken: errors.New("no database")}
	for name, c := range map[string]struct {
		people  *people
		prepare func(*http.Request)
		status  int
		body    string
	}{
		"nobody":           {&people{}, func(*http.Request) {}, 200, "false  "},
		"right password":   {&people{}, basic("ana", "right"), 200, "true ana basic"},
		"wrong password":   {&people{}, basic("ana", "wrong"), 401, ""},
		"unknown scheme":   {&people{}, func(r *http.Request) { r.Header.Set("Authorization", "Digest token") }, 401, ""},
		"token":            {&people{}, func(r *http.Request) { r.Header.Set("Authorization", "bearer token") }, 200, "true ana token"},
		"old token":        {&people{}, func(r *http.Request) { r.Header.Set("Authorization", "Bearer old") }, 401, ""},
		"no token":         {&people{}, func(r *http.Request) { r.Header.Set("Authorization", "Bearer ") }, 401, ""},
		"token wins":       {&people{}, func(r *http.Request) { cookie("token")(r); r.Header.Set("Authorization", "Bearer old") }, 401, ""},
		"no database":      {broken, func(r *http.Request) { r.Header.Set("Authorization", "Bearer token") }, 503, ""},
		"session":          {&people{}, cookie("token"), 200, "true ana session"},
		"old session":      {&people{}, cookie("old"), 200, "false  "},
		"password wins":    {&people{}, func(r *http.Request) { cookie("token")(r); basic("ana", "wrong")(r) }, 401, ""},
		"database is away": {broken, cookie("token"), 503, ""},
		"and for basic":    {broken, basic("ana", "right"), 503, ""},
	} {
		w := visitWith(guardOf(c.people), c.prepare)
		if w.Code != c.status || c.status == 200 && w.Body.String() != c.body {
			t.Errorf("%s: %d %q", name, w.Code, w.Body)
		}
		if challenge := w.Header().Get("WWW-Authenticate"); (challenge == "Basic realm=here") != (w.Code == 401) {
			t.Errorf("%s: challenge %q", name, challenge)
		}
	}
}

func TestRequireAsksStrangers(t *testing.T) {
	g := guardOf(&people{})
	h := g.Require(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) }),
		func(w http.ResponseWriter, _ *http.Request, status int, code, _ string) {
			w.WriteHeader(status)
			_, _ = fmt.Fprint(w, code)
		})
	for token, status := range map[string]int{"": 401, "old": 401, "token": 204} {
		r := httptest.NewRequest(http.MethodGet, "/", http.NoBody)
		cookie(token)(r)
		w := httptest.NewRecorder()
		if h.ServeHTTP(w, r); w.Code != status || w.Body.String() == "UNAUTHENTICATED" != (status == 401) {
			t.Errorf("%d %q, want %d", w.Code, w.Body, status)
		}
	}
}

// Scripts that send the same name and password again and again pay once.
func TestRightPasswordsAreRememberedForAWhile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &people{}
		g := guardOf(p)
		ask := func(want int32) {
			t.Helper()
			visitWith(g, basic("ana", "right"))
			if got := p.checks.Load(); got != want {
				t.Errorf("%d checks, want %d", got, want)
			}
		}
		ask(1)
		ask(1)
		time.Sleep(verifiedFor + time.Second)
		ask(2)
		g.Forget()
		ask(3)
		visitWith(g, basic("ana", "wrong"))
		visitWith(g, basic("ana", "wrong"))
		if got := p.checks.Load(); got != 5 {
			t.Errorf("%d checks: wrong passwords are not remembered", got)
		}
	})
}

// Twenty requests at once with the same credentials are one check, and one try.
func TestSameCredentialsAreCheckedOnceAtATime(t *testing.T) {
	p := &people{wait: make(chan struct{})}
	g := guardOf(p)
	var done sync.WaitGroup
	for range 20 {
		done.Go(func() {
			if w := visitWith(g, basic("ana", "right")); w.Code != http.StatusOK {
				t.Errorf("status %d", w.Code)
			}
		})
	}
	for p.checks.Load() == 0 {
		time.Sleep(time.Millisecond)
	}
	close(p.wait)
	done.Wait()
	if n := p.checks.Load(); n != 1 {
		t.Errorf("%d checks", n)
	}
}

func TestGuessingIsSlowedDown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &people{}
		g := guardOf(p)
		from := func(address, password string) int {
			return visitWith(g, func(r *http.Request) { r.RemoteAddr = address; r.SetBasicAuth("ana", password) }).Code
		}
		for i := range freeTries {
			if code := from("a", fmt.Sprint(i)); code != 401 {
				t.Fatalf("try %d: %d", i, code)
			}
		}
		if code := from("a", "right"); code != 429 {
			t.Errorf("after %d failures: %d", freeTries, code)
		}
		if code := from("b", "right"); code != 200 {
			t.Errorf("from elsewhere: %d", code)
		}
		g.Forget()
		time.Sleep(time.Second)
		if code := from("a", "still wrong"); code != 401 {
			t.Errorf("after a second: %d", code)
		}
		time.Sleep(time.Second)
		if code := from("a", "right"); code != 429 {
			t.Errorf("the wait does not grow: %d", code)
		}
		time.Sleep(time.Second)
		if code := from("a", "right"); code != 200 {
			t.Errorf("after the wait: %d", code)
		}
		for range 100 { // the longest wait is bounded
			from("c", "wrong")
			time.Sleep(maxPause)
		}
		if code := from("c", "right"); code != 200 {
			t.Errorf("after the longest wait: %d", code)
		}
	})
}

// A fault of the database says nothing about the password.
func TestFaultsAreNoFailures(t *testing.T) {
	p := &people{broken: errors.New("no database")}
	g := guardOf(p)
	for range 2 * freeTries {
		if w := visitWith(g, basic("ana", "right")); w.Code != 503 {
			t.Fatalf("status %d", w.Code)
		}
	}
	p.broken = nil
	if w := visitWith(g, basic("ana", "right")); w.Code != 200 {
		t.Errorf("status %d", w.Code)
	}
}

func TestGuardIsBounded(t *testing.T) {
	b := newBounded[int, int](3)
	for i := range 5 {
		b.set(i, i)
		b.get(2)
	}
	if _, ok := b.get(2); !ok || len(b.items) != 3 || b.order.Len() != 3 {
		t.Errorf("%d items, %d in order, the one in use is there: %v", len(b.items), b.order.Len(), ok)
	}
	if _, ok := b.get(1); ok {
		t.Error("the one not in use is still there")
	}
	b.remove(2)
	b.clear()
	if len(b.items) != 0 || b.order.Len() != 0 {
		t.Error("not empty")
	}
}

func TestSessionCookie(t *testing.T) {
	g := NewGuard(Options{Directory: &people{}, Now: time.Now, Secure: func(*http.Request) bool { return true }})
	answer := func(prepare func(*http.Request)) (*http.Cookie, error) {
		r := httptest.NewRequest(http.MethodPost, "/", http.NoBody)
		prepare(r)
		w := httptest.NewRecorder()
		var err error
		g.Handler(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			err = SetSession(r.Context(), "secret", time.Now().Add(time.Hour))
		})).ServeHTTP(w, r)
		if err != nil {
			return nil, err
		}
		return w.Result().Cookies()[0], nil
	}
	c, err := answer(func(*http.Request) {})
	if err != nil || c.Name != SessionCookie || c.Value != "secret" || !c.HttpOnly || !c.Secure || c.SameSite != http.SameSiteLaxMode || c.Path != "/" {
		t.Errorf("%+v %v", c, err)
	}
	for name, value := range map[string]string{"Upgrade": "websocket", "Accept": "text/event-stream"} {
		if _, err := answer(func(r *http.Request) { r.Header.Set(name, value) }); !errors.Is(err, ErrNoCookie) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := SetSession(t.Context(), "x", time.Now()); !errors.Is(err, ErrNoCookie) {
		t.Errorf("without a request: %v", err)
	}
}

func TestRecheck(t *testing.T) {
	p := &people{}
	g := guardOf(p)
	at := func(prepare func(*http.Request)) (ctx context.Context) {
		r := httptest.NewRequest(http.MethodGet, "/", http.NoBody)
		prepare(r)
		g.Handler(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { ctx = r.Context() })).ServeHTTP(httptest.NewRecorder(), r)
		return ctx
	}
	signedIn, stranger := at(cookie("token")), at(cookie("old"))
	if err := g.Recheck(signedIn); err != nil {
		t.Errorf("signed in: %v", err)
	}
	if err := g.Recheck(stranger); !errors.Is(err, ErrUnauthenticated) {
		t.Errorf("not signed in any more: %v", err)
	}
	p.broken = errors.New("no database")
	if err := g.Recheck(signedIn); err != nil {
		t.Errorf("a fault: %v", err)
	}
	if err := g.Recheck(t.Context()); err != nil {
		t.Errorf("the command line: %v", err)
	}
}
