package checkin

import (
	"context"

	"github.com/google/uuid"

	"github.com/coreroller/coreroller/event"
)

// fillRows is how many machines one statement reads while the idle cache fills.
const fillRows = 5000

// fill reads all machines into the idle cache after a start, so that a restart
// does not send every idle machine through the lane once. Newer entries stay.
func (s *Service) fill(ctx context.Context) {
	defer s.idle.endFill()
	for cursor := uuid.Nil; ; {
		machines, err := s.store.Walk(ctx, cursor, fillRows)
		if err != nil {
			if ctx.Err() == nil {
				s.log.Warn("could not fill the idle cache", "error", err)
			}
			return
		}
		for _, m := range machines {
			shard := s.idle.shard(m.InstanceID)
			shard.mu.Lock()
			if _, newer := shard.changed[m.InstanceID]; !newer && m.GroupID != uuid.Nil {
				s.idle.put(shard, m)
			}
			shard.mu.Unlock()
		}
		if len(machines) < fillRows {
			return
		}
		cursor = machines[len(machines)-1].InstanceID
	}
}

// Filled is closed when the idle cache was filled after a start. Until then the
// check-ins of idle machines cost a transaction each.
func (s *Service) Filled() <-chan struct{} { return s.idle.filled }

func (i *idleCache) endFill() {
	for k := range i.shards {
		i.shards[k].mu.Lock()
		i.shards[k].changed = nil
		i.shards[k].mu.Unlock()
	}
	close(i.filled)
}

// watch drops idle machines that another process changed, until the context
// ends. Until the event arrives, such a machine may be held for its old reason.
func (s *Service) watch(ctx context.Context) {
	sub := s.store.Bus().Subscribe(func(e event.Event) bool { return e.Kind == event.MachineChanged && e.Remote })
	defer sub.Close()
	for {
		select {
		case <-ctx.Done():
			return
		case <-sub.Ready():
		}
		var ids []uuid.UUID
		for _, e := range sub.Take() {
			if e.Kind == event.Resync {
				s.idle.clear()
				continue
			}
			ids = append(ids, e.Instance)
		}
		s.idle.forget(ids...)
	}
}
