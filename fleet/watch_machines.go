package fleet

import (
	"context"

	"github.com/google/uuid"

	"coreroller/event"
)

// watchMachines forgets idle machines that somebody changed, here or in another
// process, until the context ends. Until then they are only told to wait a
// little longer.
func (s *Service) watchMachines(ctx context.Context) {
	sub := s.store.Bus().Subscribe(func(e event.Event) bool { return e.Kind == event.MachineChanged })
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
