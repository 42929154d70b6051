package fleet

import (
	"bytes"
	"context"
	"maps"
	"slices"

	"github.com/google/uuid"
)

// recallRows is how many machines are read at a time after a start.
const recallRows = 5000

// recall fills the memory after a start, so that a restart does not send every
// idle machine through the lane once. What was learned meanwhile stays.
func (s *Service) recall(ctx context.Context) {
	defer s.idle.recalled()
	for cursor := uuid.Nil; ; {
		machines, err := s.store.Walk(ctx, cursor, recallRows)
		if err != nil {
			if ctx.Err() == nil {
				s.log.Warn("machines could not be remembered", "error", err)
			}
			return
		}
		for _, m := range machines {
			shard := s.idle.shard(m.InstanceID)
			shard.mu.Lock()
			if _, newer := shard.learned[m.InstanceID]; !newer && m.GroupID != uuid.Nil {
				s.idle.keep(shard, m)
			}
			shard.mu.Unlock()
		}
		if len(machines) < recallRows {
			return
		}
		cursor = machines[len(machines)-1].InstanceID
	}
}

// Recalled is closed when the memory of idle machines was filled after a start;
// until then their checks cost a transaction each.
func (s *Service) Recalled() <-chan struct{} { return s.idle.full }

// recalled ends the time in which older rows come in.
func (i *idleMemory) recalled() {
	for k := range i.shards {
		i.shards[k].mu.Lock()
		i.shards[k].learned = nil
		i.shards[k].mu.Unlock()
	}
	close(i.full)
}

func distinct(ids []uuid.UUID) []uuid.UUID {
	slices.SortFunc(ids, func(a, b uuid.UUID) int { return bytes.Compare(a[:], b[:]) })
	return slices.Compact(ids)
}

func sortedKeys[V any](m map[uuid.UUID]V) []uuid.UUID {
	return slices.SortedFunc(maps.Keys(m), func(a, b uuid.UUID) int { return bytes.Compare(a[:], b[:]) })
}
