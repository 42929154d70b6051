package fleet

import (
	"context"

	"github.com/google/uuid"

	"github.com/coreroller/coreroller/event"
)

// watchMachines forgets idle machines that another process changed, until the
// context ends. Until it hears of it, a machine may be told to wait once more.
func (s *Service) watchMachines(ctx context.Context) {
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
