package auth

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"net/http"
	"sync"
	"time"

	"github.com/hashicorp/golang-lru/v2/simplelru"
)

const (
	// verifiedFor is how long verified credentials are accepted without hashing
	// again, which saves a script 40 ms per request. A password that another
	// process changed stays valid for at most this long.
	verifiedFor = 30 * time.Second
	// maxVerified caps the cached credentials, so that the cache stays below
	// 1 MB.
	maxVerified = 1024
)

// Directory looks up users, sessions and tokens. An error that wraps ErrUnauthenticated
// means that the credentials are wrong. Any other error is a fault.
type Directory interface {
	Authenticate(ctx context.Context, username, password string) (Principal, error)
	Session(ctx context.Context, token string) (Principal, error)
	// Token looks up a secret that begins with TokenPrefix.
	Token(ctx context.Context, secret string) (Principal, error)
	// DeviceKey returns the secret that signs the device cookies of a user, nil for a
	// name without a password. It changes with the password.
	DeviceKey(ctx context.Context, username string) ([]byte, error)
	// Throttled is called for each attempt that is refused without a check.
	Throttled(ctx context.Context, username string)
}

// Options configure a Guard.
type Options struct {
	Directory Directory
	Now       func() time.Time
	// Realm appears in the browser's dialog for basic authentication.
	Realm string
	// Address returns the client's address, resolved through trusted proxies.
	// Nil uses the address of the connection.
	Address func(*http.Request) string
	// Secure reports whether the client uses TLS, possibly up to a proxy. Nil
	// uses the state of the connection to this server.
	Secure func(*http.Request) bool
}

// Guard authenticates HTTP requests. It is safe for concurrent use.
type Guard struct {
	options  Options
	key      [32]byte // random, so that memory never holds a plain hash of a password
	throttle *throttle

	mu       sync.Mutex
	verified *simplelru.LRU[[32]byte, verified]
	running  map[[32]byte]*verification // at most one per credentials
}

type verified struct {
	principal Principal
	until     time.Time
}

// verification is a password check in progress. The other fields may be read
// after done is closed.
type verification struct {
	done      chan struct{}
	principal Principal
	err       error
}

// NewGuard returns a Guard. Directory and Now must be set.
func NewGuard(o Options) *Guard {
	if o.Address == nil {
		o.Address = func(r *http.Request) string { return r.RemoteAddr }
	}
	if o.Secure == nil {
		o.Secure = func(r *http.Request) bool { return r.TLS != nil }
	}
	g := &Guard{options: o, throttle: newThrottle(), verified: newLRU[[32]byte, verified](maxVerified), running: map[[32]byte]*verification{}}
	_, _ = rand.Read(g.key[:]) // documented never to fail
	return g
}

// Forget clears the cache of verified credentials. Call it after a password
// changed.
func (g *Guard) Forget() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.verified.Purge()
}

// Try runs one sign-in attempt of username. After too many failures it returns
// TooManyTries without calling f. f returns an error that wraps
// ErrUnauthenticated if the password is wrong.
func (g *Guard) Try(ctx context.Context, username string, f func(context.Context) error) error {
	a := attempt{username: username, address: requestOf(ctx).address, device: g.device(ctx, username)}
	if a.device != "" {
		ctx = withKnown(ctx)
	}
	if err := g.throttle.begin(a, g.options.Now()); err != nil {
		g.options.Directory.Throttled(ctx, username)
		return err
	}
	switch err := f(ctx); {
	case err == nil:
		g.throttle.end(a, true)
		return nil
	case !errors.Is(err, ErrUnauthenticated):
		g.throttle.end(a, false) // a fault does not count as a wrong password
		return err
	default:
		return err
	}
}

// basic checks a name and password.
func (g *Guard) basic(ctx context.Context, username, password string) (Principal, error) {
	mac := hmac.New(sha256.New, g.key[:])
	mac.Write([]byte(username))
	mac.Write([]byte{0})
	mac.Write([]byte(password))
	key := [32]byte(mac.Sum(nil))

	g.mu.Lock()
	last, right := g.verified.Get(key) // also if it must be checked again
	if right && g.options.Now().Before(last.until) {
		g.mu.Unlock()
		return last.principal, nil
	}
	if v, ok := g.running[key]; ok {
		g.mu.Unlock()
		select {
		case <-v.done:
			return v.principal, v.err
		case <-ctx.Done():
			return Principal{}, ctx.Err()
		}
	}
	v := &verification{done: make(chan struct{}), err: errors.New("the password check panicked")}
	g.running[key] = v
	g.mu.Unlock()
	defer func() { // deferred, so that a panic does not block waiting requests
		g.mu.Lock()
		delete(g.running, key)
		if v.err == nil {
			g.verified.Add(key, verified{v.principal, g.options.Now().Add(verifiedFor)})
		}
		g.mu.Unlock()
		close(v.done)
	}()

	check := func(ctx context.Context) (err error) {
		// Other requests may wait for this result, so it outlives this one.
		v.principal, err = g.options.Directory.Authenticate(context.WithoutCancel(ctx), username, password)
		return err
	}
	var err error
	if right {
		// A password that was right before is no guess: guessers of the name, or behind
		// the same address, do not delay it.
		if err = check(withKnown(ctx)); errors.Is(err, ErrUnauthenticated) {
			g.unverify(key)
		}
	} else {
		err = g.Try(ctx, username, check)
	}
	v.principal.Credential, v.err = CredentialBasic, err
	return v.principal, err
}

// unverify forgets credentials that are not right any more.
func (g *Guard) unverify(key [32]byte) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.verified.Remove(key)
}

// Again identifies the caller of a long-lived connection again, whose rights may have
// changed. It returns ErrUnauthenticated if the credentials that the connection
// started with are no longer valid. After a fault it returns the principal of the
// context, because a fault does not prove that they are invalid.
func (g *Guard) Again(ctx context.Context) (Principal, error) {
	before, _ := From(ctx)
	info := requestOf(ctx)
	if info.r == nil {
		return before, nil
	}
	switch p, err := g.caller(ctx, info.r); {
	case errors.Is(err, ErrUnauthenticated), err == nil && p.Name == "":
		return Principal{}, ErrUnauthenticated
	case err != nil:
		return before, nil //nolint:nilerr // see above
	default:
		return p, nil
	}
}

// Bearer identifies the caller of a websocket by a value of the header Authorization,
// which pages cannot set there. The caller of the context is replaced, also for Again.
func (g *Guard) Bearer(ctx context.Context, header string) (context.Context, error) {
	info := requestOf(ctx)
	if info.r == nil {
		return ctx, ErrUnauthenticated
	}
	info.r = info.r.Clone(info.r.Context())
	info.r.Header.Set("Authorization", header)
	ctx = withRequest(ctx, info)
	p, err := g.bearer(ctx, header)
	if err != nil {
		return ctx, err
	}
	return With(ctx, p), nil
}
