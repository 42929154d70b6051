package checkin

import (
	"context"
	"time"

	"github.com/google/uuid"

	"github.com/coreroller/coreroller/rollout"
	"github.com/coreroller/coreroller/store"
)

const (
	// SilentAfter is how long an unseen machine counts as active.
	SilentAfter = 24 * time.Hour
	// expireAfter is when a silent machine leaves its group and all counts.
	expireAfter = 30 * 24 * time.Hour
)

// Advance ends the expired leases of a group and opens the waves that are due. It
// reports whether more expired leases are waiting.
func (s *Service) Advance(ctx context.Context, now time.Time, group uuid.UUID) (more bool, err error) {
	err = s.store.Write(ctx, now, func(tx *store.Tx) error {
		b := s.newBatch(ctx, tx)
		b.machines = map[uuid.UUID]*store.Machine{}
		if err := b.lock([]uuid.UUID{group}); err != nil || b.worlds[group] == nil {
			return err
		}
		if err := b.settle(group); err != nil {
			return err
		}
		more = len(b.machines) >= dueLimit
		b.worlds[group].Advance(b.now, b.effects[group])
		b.worlds[group].NoteStall(b.now, b.effects[group])
		return b.save(nil)
	})
	return more, err
}

// Silence takes machines of one group that are still silent under its lock out
// of the active count, and those unseen for 30 days out of the group.
func (s *Service) Silence(ctx context.Context, now time.Time, group uuid.UUID, ids []uuid.UUID) error {
	defer s.idle.forget(ids...)
	return s.store.Write(ctx, now, func(tx *store.Tx) error {
		b := s.newBatch(ctx, tx)
		err := b.lock([]uuid.UUID{group})
		if err != nil || b.worlds[group] == nil {
			return err
		}
		if b.machines, err = tx.Machines(ctx, ids); err != nil {
			return err
		}
		w, fx := b.worlds[group], b.effects[group]
		for id, m := range b.machines {
			unseen := now.Sub(m.LastSeenAt)
			if m.GroupID != group || unseen < SilentAfter {
				delete(b.machines, id)
				continue
			}
			if m.Standing != rollout.StandingSilent {
				w.Silence(&m.Machine, b.now, fx)
			}
			if unseen >= expireAfter {
				w.Abandon(&m.Machine, b.now, fx)
				w.Leave(&m.Machine)
				m.GroupID = uuid.Nil
			}
		}
		return b.save(nil)
	})
}
