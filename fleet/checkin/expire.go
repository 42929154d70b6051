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
		if err := b.repairLeases(group); err != nil {
			return err
		}
		if err := b.noteKnown(group); err != nil {
			return err
		}
		b.worlds[group].Advance(b.now, b.effects[group])
		b.worlds[group].NoteStall(b.now, b.effects[group])
		return b.save(nil)
	})
	return more, err
}

// noteKnown records whether newcomers still wait for known machines. Check-ins do not:
// it may read as many machines as there are newcomers below the target.
func (b *batch) noteKnown(group uuid.UUID) error {
	w := b.worlds[group]
	if !w.KnownDue(b.now) {
		return nil
	}
	waits, err := b.tx.KnownWait(b.ctx, w)
	if err == nil {
		w.NoteKnown(waits, b.now, b.effects[group])
	}
	return err
}

// repairLeases shortens the leases that end later than those of a right clock. Their
// machines may never ask again, so that they would block their slots.
func (b *batch) repairLeases(group uuid.UUID) error {
	w, fx := b.worlds[group], b.effects[group]
	late, err := b.tx.LateLeases(b.ctx, group, w.LatestLease(b.now), dueLimit)
	if err != nil || len(late) == 0 {
		return err
	}
	if w.Outages, w.Unserved, err = b.tx.Serving(b.ctx); err != nil {
		return err
	}
	b.read = b.s.now()
	for _, m := range late {
		if b.machines[m.InstanceID] == nil && w.RepairLease(&m.Machine, b.read, fx) {
			b.machines[m.InstanceID] = m
		}
	}
	return nil
}

// Silence takes machines of one group that are still silent under its lock out
// of the active count, and those unseen for 30 days out of the group. Times in which
// no machine could be seen do not count. It repairs last-seen times that are ahead.
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
		b.read = s.now()
		w, fx := b.worlds[group], b.effects[group]
		silent, expired := rollout.Ago(now, SilentAfter, w.Outages), rollout.Ago(now, expireAfter, w.Outages)
		for id, m := range b.machines {
			if m.GroupID == group && w.RepairMachine(&m.Machine, b.read, fx) {
				continue
			}
			if m.GroupID != group || m.LastSeenAt.After(silent) {
				delete(b.machines, id)
				continue
			}
			if m.Standing != rollout.StandingSilent {
				w.Silence(&m.Machine, b.now, fx)
			}
			if !m.LastSeenAt.After(expired) {
				w.Abandon(&m.Machine, b.now, fx)
				w.Leave(&m.Machine)
				m.GroupID = uuid.Nil
			}
		}
		return b.save(nil)
	})
}
