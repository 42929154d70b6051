package signin

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/hashicorp/golang-lru/v2/simplelru"

	"github.com/coreroller/coreroller/auth"
	"github.com/coreroller/coreroller/fleet/fault"
)

const (
	// checkEvery is the least time between two checks of a session with its provider.
	checkEvery = 5 * time.Minute
	// maxSessions limits the sessions in memory, about 50 MB. The least recently used ones are
	// no longer checked then, and end when they expire.
	maxSessions = 10_000
	// maxChecks limits the checks at the same time.
	maxChecks = 4
)

// sessions checks with the provider the sessions that are in use, in the background.
type sessions struct {
	h     *Handler
	slots chan struct{}

	mu      sync.Mutex
	kept    *simplelru.LRU[string, *kept] // by token
	closing context.Context               //nolint:containedctx // ends the checks, see close
	end     context.CancelFunc
	running sync.WaitGroup
}

// kept is what is known of a session. The lock of sessions protects it.
type kept struct {
	provider Provider
	who      person
	checked  time.Time // when the last check began
	running  bool
}

func newSessions(h *Handler) *sessions {
	s := &sessions{h: h, slots: make(chan struct{}, maxChecks)}
	s.closing, s.end = context.WithCancel(context.Background())
	s.kept, _ = simplelru.NewLRU[string, *kept](maxSessions, nil) // fails only below 1
	return s
}

func (s *sessions) close() {
	s.mu.Lock()
	s.end()
	s.mu.Unlock()
	s.running.Wait()
}

func (s *sessions) add(token string, p Provider, who person) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.kept.Add(token, &kept{provider: p, who: who, checked: s.h.Now()})
}

// take forgets a session and returns what was known of it, or nil.
func (s *sessions) take(token string) *kept {
	s.mu.Lock()
	defer s.mu.Unlock()
	k, _ := s.kept.Get(token)
	s.kept.Remove(token)
	return k
}

// used begins a check if the last one is long ago. It does not wait.
func (s *sessions) used(token string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	k, ok := s.kept.Get(token)
	if !ok || k.running || k.who.secret == "" || s.h.Now().Sub(k.checked) < checkEvery || s.closing.Err() != nil {
		return
	}
	k.running, k.checked = true, s.h.Now()
	p, who := k.provider, k.who
	s.running.Go(func() {
		now, reason := s.check(p, who)
		if reason != "" {
			s.finish(token, reason)
			return
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		k.who, k.running = now, false
	})
}

// check asks the provider. It returns why the session must end, "" if it goes on. A provider that
// does not answer ends no session.
func (s *sessions) check(p Provider, who person) (now person, reason string) {
	select {
	case s.slots <- struct{}{}:
	case <-s.closing.Done():
		return who, ""
	}
	defer func() { <-s.slots }()
	ctx, cancel := context.WithTimeout(s.closing, 2*requestTimeout)
	defer cancel()
	now, err := p.Again(ctx, who)
	if errors.Is(err, errRefused) {
		return who, "the identity provider ended the session"
	}
	if err != nil {
		s.warn(p, err)
		return who, ""
	}
	if !now.Known {
		return now, ""
	}
	in := identified(p, now)
	in.Existing = true
	switch _, err := s.h.Accounts.Identify(ctx, in); {
	case fault.CodeOf(err) != "" && fault.CodeOf(err) != fault.Unavailable:
		return who, err.Error()
	case err != nil:
		s.warn(p, err)
	}
	return now, ""
}

func (s *sessions) warn(p Provider, err error) {
	if s.closing.Err() == nil {
		s.h.Log.Warn("could not check a session with the identity provider", "provider", p.ID(), "error", err)
	}
}

// finish ends a session.
func (s *sessions) finish(token, reason string) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(s.closing), requestTimeout)
	defer cancel()
	k := s.take(token)
	if err := s.h.Accounts.EndSessionOf(ctx, token, reason); err != nil && k != nil {
		s.h.Log.Error("could not end a session", "error", err)
		s.mu.Lock()
		defer s.mu.Unlock()
		k.running = false
		s.kept.Add(token, k) // the next check tries again
	}
}

// EndURL forgets the session of a token and returns the page that ends it at the provider, or "".
func (h *Handler) EndURL(token string) string {
	if k := h.sessions.take(token); k != nil {
		return k.provider.EndURL(k.who)
	}
	return ""
}

// Directory returns d with the checks of sessions in use.
func (h *Handler) Directory(d auth.Directory) auth.Directory { return directory{d, h.sessions} }

type directory struct {
	auth.Directory
	sessions *sessions
}

// Session implements auth.Directory.
func (d directory) Session(ctx context.Context, token string) (auth.Principal, error) {
	p, err := d.Directory.Session(ctx, token)
	switch {
	case err == nil:
		d.sessions.used(token)
	case errors.Is(err, auth.ErrUnauthenticated):
		d.sessions.take(token)
	}
	return p, err
}
