package view

import (
	"context"
	"slices"

	"github.com/google/uuid"

	"github.com/coreroller/coreroller/auth"
	"github.com/coreroller/coreroller/ent/db"
	"github.com/coreroller/coreroller/ent/db/machinelabel"
	"github.com/coreroller/coreroller/fleet/fault"
)

// MachineLabels reads the attributes and tags that people gave machines, by the id of the
// machine, sorted by kind and name.
func (s *Service) MachineLabels(ctx context.Context, machines []uuid.UUID) (map[uuid.UUID][]*db.MachineLabel, error) {
	if _, err := fault.Require(ctx, auth.Viewer); err != nil {
		return nil, err
	}
	found := map[uuid.UUID][]*db.MachineLabel{}
	for part := range slices.Chunk(machines, idsOfStatement) {
		rows, err := read(ctx, "attributes and tags", s.db().MachineLabel.Query().Where(machinelabel.InstanceIDIn(part...)).
			Order(machinelabel.ByInstanceID(), machinelabel.ByTag(), machinelabel.ByName()).All)
		if err != nil {
			return nil, err
		}
		for _, row := range rows {
			found[row.InstanceID] = append(found[row.InstanceID], row)
		}
	}
	return found, nil
}

func (s *Service) labelsOf(ctx context.Context, machines []*db.Instance) (map[uuid.UUID][]*db.MachineLabel, error) {
	ids := make([]uuid.UUID, len(machines))
	for i, m := range machines {
		ids[i] = m.ID
	}
	return s.MachineLabels(ctx, ids)
}
