package account

import (
	"context"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/coreroller/coreroller/auth"
	"github.com/coreroller/coreroller/ent/db"
	"github.com/coreroller/coreroller/ent/db/session"
	"github.com/coreroller/coreroller/ent/db/token"
	"github.com/coreroller/coreroller/store"
)

const (
	// useEvery is the shortest time between two writes of a last use.
	useEvery = time.Minute
	// maxUses caps the uses that wait to be written. Later ones are noted by a later call.
	maxUses = 4096
)

// uses collects when sessions and tokens were last used, so that no call waits for a
// write. FlushUses writes them.
type uses struct {
	mu       sync.Mutex
	sessions map[string]use // by hash
	tokens   map[uuid.UUID]use
}

type use struct {
	at      time.Time
	address string
}

func newUses() *uses {
	return &uses{sessions: map[string]use{}, tokens: map[uuid.UUID]use{}}
}

func (u *uses) session(ctx context.Context, row *db.Session, now time.Time) {
	note(ctx, u, u.sessions, row.ID, row.LastSeenAt, now)
}

func (u *uses) token(ctx context.Context, row *db.Token, now time.Time) {
	last := row.LastUsedAt
	if last == nil {
		last = &time.Time{}
	}
	note(ctx, u, u.tokens, row.ID, last, now)
}

// note remembers a use if the last one is old enough; nil is not written.
func note[K comparable](ctx context.Context, u *uses, m map[K]use, id K, last *time.Time, now time.Time) {
	if last == nil || now.Sub(*last) < useEvery {
		return
	}
	address, _ := auth.Client(ctx)
	u.mu.Lock()
	defer u.mu.Unlock()
	if _, waits := m[id]; waits || len(m) < maxUses {
		m[id] = use{now, address}
	}
}

// take removes and returns what waits.
func (u *uses) take() (map[string]use, map[uuid.UUID]use) {
	u.mu.Lock()
	defer u.mu.Unlock()
	sessions, tokens := maps.Clone(u.sessions), maps.Clone(u.tokens)
	clear(u.sessions)
	clear(u.tokens)
	return sessions, tokens
}

// FlushUses writes when sessions and tokens were last used. What cannot be written is
// noted again by their next use.
func (s *Service) FlushUses(ctx context.Context) error {
	sessions, tokens := s.uses.take()
	if len(sessions)+len(tokens) == 0 {
		return nil
	}
	return s.store.Write(ctx, s.now(), func(tx *store.Tx) error {
		// In one order, so that two processes do not wait for each other.
		for _, id := range slices.Sorted(maps.Keys(sessions)) {
			u := sessions[id]
			err := tx.Client().Session.Update().Where(session.ID(id), session.LastSeenAtLT(u.at)).
				SetLastSeenAt(u.at).SetAddress(u.address).Exec(ctx)
			if err != nil {
				return err
			}
		}
		for _, id := range slices.SortedFunc(maps.Keys(tokens), func(a, b uuid.UUID) int { return slices.Compare(a[:], b[:]) }) {
			u := tokens[id]
			err := tx.Client().Token.Update().Where(token.ID(id), token.Or(token.LastUsedAtIsNil(), token.LastUsedAtLT(u.at))).
				SetLastUsedAt(u.at).SetLastUsedAddress(u.address).Exec(ctx)
			if err != nil {
				return err
			}
		}
		return nil
	})
}
