package checkin

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/uuid"

	"github.com/coreroller/coreroller/fleet/catalog"
	"github.com/coreroller/coreroller/store"
)

// useEvery is the least time between two writes of when a secret was used last.
const useEvery = time.Minute

// enrolls reports whether the request carries a right secret that enrolls its machine.
func (c *call) enrolls() bool { return c.secret != nil && c.secret.Purpose == catalog.PurposeEnroll }

// identify checks certificate and secret under the locks, where the configuration is
// current. The certificate must name the machine if one of its groups requires it. The
// secret must be right for the group that the machine names. It must also be right for
// the group that the machine leaves or stays in, so that no client takes machines out of
// a protected group by naming another one. If a person or an expression chose the group, the
// secret of the group that the machine names is enough.
func (b *batch) identify(c *call, m *store.Machine, group *catalog.Group) (v catalog.Verdict) {
	app := group.App
	named := app.Group(c.group.ID)
	if named == nil {
		named = group // it was deleted meanwhile
	}
	if v = b.certify(c, m, named, group); v != catalog.VerdictOK {
		return v
	}
	if c.secret, v = named.Identify(c.in.Secret, b.now); v != catalog.VerdictOK {
		return v
	}
	placed := m != nil && (m.Moved || m.MoveTo != uuid.Nil || m.HomeGroup != uuid.Nil) // not by its track
	if c.secret == nil || !placed && !c.choice.Selected {
		if _, v = group.Identify(c.in.Secret, b.now); v != catalog.VerdictOK {
			return v
		}
	}
	if m == nil || c.secret != nil && placed {
		return catalog.VerdictOK
	}
	if left := app.Group(m.GroupID); left != nil {
		_, v = left.Identify(c.in.Secret, b.now)
	}
	return v
}

// certify checks the certificate for the groups that the machine names, is in, and will
// be in. A certificate is of the machine, so it stays right when a person moves it.
func (b *batch) certify(c *call, m *store.Machine, named, group *catalog.Group) (v catalog.Verdict) {
	if v = named.Certify(c.in.Certificate, c.in.Machine, b.now); v == catalog.VerdictOK {
		v = group.Certify(c.in.Certificate, c.in.Machine, b.now)
	}
	if v != catalog.VerdictOK || m == nil {
		return v
	}
	if left := group.App.Group(m.GroupID); left != nil {
		return left.Certify(c.in.Certificate, c.in.Machine, b.now)
	}
	return v
}

// secretUses are the times at which secrets were used last.
type secretUses struct {
	noted   sync.Map // secret id → *atomic.Int64, Unix microseconds
	mu      sync.Mutex
	waiting map[uuid.UUID]time.Time // to write
}

// note records the use of a secret. It costs one lookup, except once in useEvery.
func (u *secretUses) note(id uuid.UUID, now time.Time) {
	found, ok := u.noted.Load(id)
	if !ok {
		found, _ = u.noted.LoadOrStore(id, &atomic.Int64{})
	}
	at := found.(*atomic.Int64)
	last := at.Load()
	if now.UnixMicro()-last < useEvery.Microseconds() || !at.CompareAndSwap(last, now.UnixMicro()) {
		return
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.waiting == nil {
		u.waiting = map[uuid.UUID]time.Time{}
	}
	u.waiting[id] = now
}

func (u *secretUses) take() map[uuid.UUID]time.Time {
	u.mu.Lock()
	defer u.mu.Unlock()
	all := u.waiting
	u.waiting = nil
	return all
}

// FlushSecretUses writes when secrets were used. After an error the next use in a minute
// is written.
func (s *Service) FlushSecretUses(ctx context.Context) error {
	return s.store.UseSecrets(ctx, s.now(), s.secrets.take())
}
