package checkin

import (
	"context"

	"github.com/coreroller/coreroller/fleet/catalog"
	"github.com/coreroller/coreroller/store"
)

// TouchRows is the number of last-seen times written per FlushLastSeen.
const TouchRows = touchRows

// CheckInTogether decides check-ins in one batch of the lane. It leaves the idle
// cache as it is.
func (s *Service) CheckInTogether(ctx context.Context, all ...CheckIn) error {
	calls := make([]*call, len(all))
	for i, in := range all {
		group, _ := s.catalog.Catalog().Find(in.AppID, in.Track, catalog.Arch(in.Board, in.Arch))
		version, _ := runningVersion(group.App.Versioning, in.Version)
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
