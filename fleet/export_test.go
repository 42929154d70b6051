package fleet

import (
	"context"

	"github.com/coreroller/coreroller/store"
)

// Together checks machines in as one batch of the lane.
func (s *Service) Together(ctx context.Context, all ...CheckIn) error {
	calls := make([]*call, len(all))
	for i, in := range all {
		group, _ := s.Catalog().Find(in.AppID, in.Track, Arch(in.Board, in.Arch))
		version, _ := runningVersion(in.Version)
		calls[i] = &call{in: in, version: version, group: group, instance: store.InstanceID(group.App.ID, in.Machine)}
	}
	err := s.store.Write(ctx, s.now(), func(tx *store.Tx) error {
		_, err := s.process(ctx, tx, calls)
		return err
	})
	if err == nil {
		calls[0].view.committed()
	}
	return err
}

// WriteSeen writes when idle machines were last seen, as much as is written at
// a time, and says how many moments that were.
func WriteSeen(ctx context.Context, s *Service) (int, error) { return s.writeSeen(ctx, touchRows) }

// SeenRows is how many that are at most.
const SeenRows = touchRows
