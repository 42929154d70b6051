package auth

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// people is a Directory with one user: ana, password "right", session token "token".
type people struct {
	checks           atomic.Int32
	broken           error
	key              string // of the device cookies of ana
	throttled, known atomic.Int32
	wait             chan struct{} // Authenticate blocks until it is closed; nil: it does not block
}

func (p *people) Authenticate(ctx context.Context, username, password string) (Principal, error) {
	p.checks.Add(1)
	if Known(ctx) {
		p.known.Add(1)
	}
	if p.wait != nil {
		<-p.wait
	}
	switch {
	case p.broken != nil:
		return Principal{}, p.broken
	case username != "ana" || password != "right":
		return Principal{}, fmt.Errorf("wrong password: %w", ErrUnauthenticated)
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

func (p *people) Token(_ context.Context, secret string) (Principal, error) {
	if secret != TokenPrefix+"secret" {
		return Principal{}, ErrUnauthenticated
	}
	return Principal{Name: "ana", Token: "ci", Credential: CredentialToken}, nil
}

func (p *people) DeviceKey(_ context.Context, username string) ([]byte, error) {
	if username != "ana" {
		return nil, nil
	}
	return []byte(p.key), nil
}

func (p *people) Throttled(context.Context, string) { p.throttled.Add(1) }

func guardOf(p *people) *Guard {
	return NewGuard(Options{Directory: p, Now: time.Now, Realm: "here"})
}

// request sends a request through the guard to a handler that prints the principal.
func request(g *Guard, prepare func(*http.Request)) *httptest.ResponseRecorder {
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
	return func(r *http.Request) { r.AddCookie(&http.Cookie{Name: SessionCookie, Value: token}) }
}

func TestGuardIdentifiesThePrincipal(t *testing.T) {
	broken := &people{broken: errors.New("no database")}
	for name, c := range map[string]struct {
		people  *people
		prepare func(*http.Request)
		status  int
		body    string
	}{
		"no credentials":          {&people{}, func(*http.Request) {}, 200, "false  "},
		"right password":          {&people{}, basic("ana", "right"), 200, "true ana basic"},
		"wrong password":          {&people{}, basic("ana", "wrong"), 401, ""},
		"unknown scheme":          {&people{}, func(r *http.Request) { r.Header.Set("Authorization", "Digest token") }, 401, ""},
		"token":                   {&people{}, func(r *http.Request) { r.Header.Set("Authorization", "bearer token") }, 200, "true ana token"},
		"expired token":           {&people{}, func(r *http.Request) { r.Header.Set("Authorization", "Bearer old") }, 401, ""},
		"empty token":             {&people{}, func(r *http.Request) { r.Header.Set("Authorization", "Bearer ") }, 401, ""},
		"token, not cookie":       {&people{}, func(r *http.Request) { cookie("token")(r); r.Header.Set("Authorization", "Bearer old") }, 401, ""},
		"token, database down":    {broken, func(r *http.Request) { r.Header.Set("Authorization", "Bearer token") }, 503, ""},
		"session":                 {&people{}, cookie("token"), 200, "true ana session"},
		"expired session":         {&people{}, cookie("old"), 200, "false  "},
		"password, not cookie":    {&people{}, func(r *http.Request) { cookie("token")(r); basic("ana", "wrong")(r) }, 401, ""},
		"session, database down":  {broken, cookie("token"), 503, ""},
		"password, database down": {broken, basic("ana", "right"), 503, ""},
	} {
		w := request(guardOf(c.people), c.prepare)
		if w.Code != c.status || c.status == 200 && w.Body.String() != c.body {
			t.Errorf("%s: status %d: %q", name, w.Code, w.Body)
		}
		if challenge := w.Header().Get("WWW-Authenticate"); (challenge == "Basic realm=here") != (w.Code == 401) {
			t.Errorf("%s: challenge %q", name, challenge)
		}
	}
}

func TestRequireRejectsAnonymousRequests(t *testing.T) {
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

// A script that sends the same credentials repeatedly pays for one hash.
func TestVerifiedPasswordsAreCached(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &people{}
		g := guardOf(p)
		check := func(want int32) {
			t.Helper()
			request(g, basic("ana", "right"))
			if got := p.checks.Load(); got != want {
				t.Errorf("%d checks, want %d", got, want)
			}
		}
		check(1)
		check(1)
		time.Sleep(verifiedFor + time.Second)
		check(2)
		g.Forget()
		check(3)
		request(g, basic("ana", "wrong"))
		request(g, basic("ana", "wrong"))
		if got := p.checks.Load(); got != 5 {
			t.Errorf("%d checks, want 5: wrong passwords must not be cached", got)
		}
	})
}

// Twenty concurrent requests with the same credentials cause one check and
// count as one attempt.
func TestConcurrentRequestsWithTheSameCredentialsShareOneCheck(t *testing.T) {
	p := &people{wait: make(chan struct{})}
	g := guardOf(p)
	var done sync.WaitGroup
	for range 20 {
		done.Go(func() {
			if w := request(g, basic("ana", "right")); w.Code != http.StatusOK {
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
		t.Errorf("%d checks, want 1", n)
	}
}

func TestPasswordGuessingIsThrottled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &people{}
		g := guardOf(p)
		from := func(address, password string) int {
			return request(g, func(r *http.Request) { r.RemoteAddr = address; r.SetBasicAuth("ana", password) }).Code
		}
		for i := range freeTries {
			if code := from("a", fmt.Sprint(i)); code != 401 {
				t.Fatalf("attempt %d: status %d", i, code)
			}
		}
		if code := from("a", "right"); code != 429 {
			t.Errorf("after %d failures: status %d", freeTries, code)
		}
		if code := from("b", "right"); code != 200 {
			t.Errorf("from another address: status %d", code)
		}
		g.Forget()
		time.Sleep(time.Second)
		if code := from("a", "still wrong"); code != 401 {
			t.Errorf("after the first delay: status %d", code)
		}
		time.Sleep(time.Second)
		if code := from("a", "right"); code != 429 {
			t.Errorf("the delay does not grow: status %d", code)
		}
		time.Sleep(time.Second)
		if code := from("a", "right"); code != 200 {
			t.Errorf("after the second delay: status %d", code)
		}
		for range 100 { // the delay has an upper bound
			from("c", "wrong")
			time.Sleep(maxDelay)
		}
		if code := from("c", "right"); code != 200 {
			t.Errorf("after the longest delay: status %d", code)
		}
	})
}

// A database fault does not prove that the password is wrong.
func TestFaultsDoNotCountAsFailedAttempts(t *testing.T) {
	p := &people{broken: errors.New("no database")}
	g := guardOf(p)
	for range 2 * freeTries {
		if w := request(g, basic("ana", "right")); w.Code != 503 {
			t.Fatalf("status %d", w.Code)
		}
	}
	p.broken = nil
	if w := request(g, basic("ana", "right")); w.Code != 200 {
		t.Errorf("status %d", w.Code)
	}
}

func TestSessionCookieIsSetOnPlainRequestsOnly(t *testing.T) {
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

func TestAgainFailsOnlyForInvalidCredentials(t *testing.T) {
	p := &people{}
	g := guardOf(p)
	at := func(prepare func(*http.Request)) (ctx context.Context) {
		r := httptest.NewRequest(http.MethodGet, "/", http.NoBody)
		prepare(r)
		g.Handler(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { ctx = r.Context() })).ServeHTTP(httptest.NewRecorder(), r)
		return ctx
	}
	signedIn, anonymous := at(cookie("token")), at(cookie("old"))
	if p, err := g.Again(signedIn); err != nil || p.Name != "ana" {
		t.Errorf("signed in: %v %v", p, err)
	}
	if _, err := g.Again(anonymous); !errors.Is(err, ErrUnauthenticated) {
		t.Errorf("expired session: %v", err)
	}
	p.broken = errors.New("no database")
	if p, err := g.Again(signedIn); err != nil || p.Name != "ana" {
		t.Errorf("database fault: %v %v", p, err)
	}
	if _, err := g.Again(t.Context()); err != nil {
		t.Errorf("no HTTP request: %v", err)
	}
}

// The prefix decides which credentials a bearer has.
func TestBearerIsATokenOrAnOldSession(t *testing.T) {
	g := guardOf(&people{})
	for header, want := range map[string]struct {
		status int
		text   string
	}{
		"Bearer crt_secret": {http.StatusOK, "ana token ci"},
		"bearer token":      {http.StatusOK, "ana token"},
		"Bearer crt_other":  {http.StatusUnauthorized, "the token is not valid"},
		"Bearer secret":     {http.StatusUnauthorized, "the token is not valid"},
	} {
		w, r := httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, "/", http.NoBody)
		r.Header.Set("Authorization", header)
		g.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			p, _ := From(r.Context())
			_, _ = w.Write([]byte(p.Name + " " + p.Proof()))
		})).ServeHTTP(w, r)
		if w.Code != want.status || !strings.Contains(w.Body.String(), want.text) {
			t.Errorf("%s: %d %s", header, w.Code, w.Body)
		}
	}
}
