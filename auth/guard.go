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
)

const (
	// verifiedFor is how long a name and password that were right once are
	// taken without hashing again, so that scripts do not pay 40 ms for every
	// request. It bounds how long a password changed by another process works.
	verifiedFor = 30 * time.Second
	// maxVerified bounds the memory of that.
	maxVerified = 1024
)

// Directory knows users and sessions. An error that wraps ErrUnauthenticated
// means that name and password, or the token, are not right; any other error
// is a fault.
type Directory interface {
	Authenticate(ctx context.Context, username, password string) (Principal, error)
	Session(ctx context.Context, token string) (Principal, error)
}

// Options configure a Guard.
type Options struct {
	Directory Directory
	Now       func() time.Time
	// Realm is shown by browsers that are asked for basic authentication.
	Realm string
	// Address is the client's, behind trusted proxies too; nil: the peer's.
	Address func(*http.Request) string
	// Secure says whether the client speaks TLS, maybe to a proxy; nil: whether
	// it does with this server.
	Secure func(*http.Request) bool
}

// Guard finds out who makes a request. It is safe for concurrent use.
type Guard struct {
	o        Options
	key      [32]byte // so that the memory of this process holds no plain hash of a password
	throttle *throttle

	mu       sync.Mutex
	verified *bounded[[32]byte, verified]
	running  map[[32]byte]*running // the same credentials are checked once at a time
}

type verified struct {
	principal Principal
	until     time.Time
}

type running struct {
	done      chan struct{}
	principal Principal
	err       error
}

// NewGuard makes a Guard.
func NewGuard(o Options) *Guard {
	if o.Address == nil {
		o.Address = func(r *http.Request) string { return r.RemoteAddr }
	}
	if o.Secure == nil {
		o.Secure = func(r *http.Request) bool { return r.TLS != nil }
	}
	g := &Guard{o: o, throttle: newThrottle(), verified: newBounded[[32]byte, verified](maxVerified), running: map[[32]byte]*running{}}
	_, _ = rand.Read(g.key[:]) // documented never to fail
	return g
}

// Forget drops what is remembered of passwords. To be called when one changes.
func (g *Guard) Forget() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.verified.clear()
}

// Try runs a sign-in of username unless it comes too early after failures;
// then it returns TooManyTries. f returns an error that wraps
// ErrUnauthenticated when the password was wrong.
func (g *Guard) Try(ctx context.Context, username string, f func() error) error {
	address := visitOf(ctx).address
	before, err := g.throttle.begin(username, address, g.o.Now())
	if err != nil {
		return err
	}
	switch err = f(); {
	case err == nil:
		g.throttle.settle(username, address, tries{})
	case !errors.Is(err, ErrUnauthenticated):
		g.throttle.settle(username, address, before) // a fault says nothing about the password
	}
	return err
}

// basic checks a name and password.
func (g *Guard) basic(ctx context.Context, username, password string) (Principal, error) {
	mac := hmac.New(sha256.New, g.key[:])
	mac.Write([]byte(username))
	mac.Write([]byte{0})
	mac.Write([]byte(password))
	key := [32]byte(mac.Sum(nil))

	g.mu.Lock()
	if v, ok := g.verified.get(key); ok && g.o.Now().Before(v.until) {
		g.mu.Unlock()
		return v.principal, nil
	}
	if r, ok := g.running[key]; ok {
		g.mu.Unlock()
		select {
		case <-r.done:
			return r.principal, r.err
		case <-ctx.Done():
			return Principal{}, ctx.Err()
		}
	}
	r := &running{done: make(chan struct{}), err: errors.New("checking the password broke off")}
	g.running[key] = r
	g.mu.Unlock()
	defer func() { // deferred, so that a panic does not leave the others waiting
		g.mu.Lock()
		delete(g.running, key)
		if r.err == nil {
			g.verified.set(key, verified{r.principal, g.o.Now().Add(verifiedFor)})
		}
		g.mu.Unlock()
		close(r.done)
	}()

	err := g.Try(ctx, username, func() (err error) {
		// Others may wait for this answer: it does not end with this request.
		r.principal, err = g.o.Directory.Authenticate(context.WithoutCancel(ctx), username, password)
		return err
	})
	r.principal.Credential, r.err = CredentialBasic, err
	return r.principal, err
}

// Recheck reports, with ErrUnauthenticated, that whoever a long connection
// began with is not signed in any more. A fault says nothing and is nil.
func (g *Guard) Recheck(ctx context.Context) error {
	v := visitOf(ctx)
	if v.r == nil {
		return nil
	}
	p, err := g.identify(ctx, v.r)
	if errors.Is(err, ErrUnauthenticated) || err == nil && p == (Principal{}) {
		return ErrUnauthenticated
	}
	return nil
}
