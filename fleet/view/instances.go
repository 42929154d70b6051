package view

import (
	"context"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/coreroller/coreroller/auth"
	"github.com/coreroller/coreroller/ent/db"
	"github.com/coreroller/coreroller/ent/db/application"
	"github.com/coreroller/coreroller/ent/db/attempt"
	"github.com/coreroller/coreroller/ent/db/historyentry"
	"github.com/coreroller/coreroller/ent/db/instance"
	"github.com/coreroller/coreroller/ent/db/predicate"
	"github.com/coreroller/coreroller/fleet/catalog"
	"github.com/coreroller/coreroller/fleet/fault"
	"github.com/coreroller/coreroller/fleet/view/machines"
	"github.com/coreroller/coreroller/rollout"
	"github.com/coreroller/coreroller/store"
)

// Instance reads one machine.
func (s *Service) Instance(ctx context.Context, id uuid.UUID, with With) (*db.Instance, error) {
	return one(ctx, "machine", loading(s.db().Instance.Query().Where(instance.ID(id), instance.HasApplicationWith(application.DeletedAtIsNil())), with.instances).Only)
}

// InstanceByMachineID reads the machine of an application by the id that it
// sends.
func (s *Service) InstanceByMachineID(ctx context.Context, app uuid.UUID, machine string, with With) (*db.Instance, error) {
	return s.Instance(ctx, store.InstanceID(app, machine), with)
}

// InstanceByID reads machines by id.
func (s *Service) InstanceByID(ctx context.Context, ids []uuid.UUID) (map[uuid.UUID]*db.Instance, error) {
	return indexed(ctx, "machines", s.db().Instance.Query().Where(instance.IDIn(ids...)).All, func(m *db.Instance) uuid.UUID { return m.ID })
}

// GrantVoid reports whether a machine has a grant that it has not begun and that its next
// check or the background work ends, because the lease expired, or its group g was paused,
// halted, resumed or given another target since. current is the rollout of g, nil for none.
func GrantVoid(m *db.Instance, g *catalog.Group, current *db.GroupRollout, now time.Time) bool {
	if m.State != rollout.StateGranted {
		return false
	}
	if m.LeaseUntil != nil && !now.Before(*m.LeaseUntil) || g == nil || current == nil || m.OfferRolloutID == nil {
		return true
	}
	w := rollout.World{
		Policy:  g.Schedule,
		Rollout: rollout.Rollout{ID: rollout.ID(current.ID), Epoch: current.Epoch, State: current.State},
	}
	return w.Revoked(rollout.ID(*m.OfferRolloutID), m.OfferEpoch)
}

// GroupsOf returns the groups of those machines of an application that have one.
func (s *Service) GroupsOf(ctx context.Context, app uuid.UUID, machineIDs []string) (groups []uuid.UUID, err error) {
	if _, err := fault.Require(ctx, auth.Viewer); err != nil {
		return nil, err
	}
	err = s.db().Instance.Query().Where(instance.IDIn(store.InstanceIDs(app, machineIDs)...), instance.GroupIDNotNil()).Unique(true).Select(instance.FieldGroupID).Scan(ctx, &groups)
	return groups, err
}

// Machines reads a page of machines.
func (s *Service) Machines(ctx context.Context, l machines.List, with With) ([]*db.Instance, error) {
	return s.Reader.Machines(ctx, l, with.instances)
}

// Attempts returns the list of the attempts of a machine.
func (s *Service) Attempts(instance uuid.UUID, with With) *List[*db.Attempt] {
	return s.attempts(with, attempt.InstanceID(instance))
}

func (s *Service) attempts(with With, where ...predicate.Attempt) *List[*db.Attempt] {
	return listOf(loading(s.db().Attempt.Query().Where(where...), with.attempts), byID(func(a *db.Attempt) uuid.UUID { return a.ID }))
}

// History returns the list of the states of a machine.
func (s *Service) History(instance uuid.UUID) *List[*db.HistoryEntry] {
	return listOf(s.db().HistoryEntry.Query().Where(historyentry.InstanceID(instance)),
		byID(func(e *db.HistoryEntry) uuid.UUID { return e.ID }))
}

// MachineEverywhere reads the machines of all applications with an id that machines send,
// by application.
func (s *Service) MachineEverywhere(ctx context.Context, machine string, with With) ([]*db.Instance, error) {
	apps, err := s.ApplicationIDs(ctx)
	if err != nil {
		return nil, err
	}
	var all []*db.Instance
	for part := range slices.Chunk(apps, idsOfStatement) {
		ids := make([]uuid.UUID, len(part))
		for i, app := range part {
			ids[i] = store.InstanceID(app, machine)
		}
		rows, err := read(ctx, "machines", loading(s.db().Instance.Query().Where(instance.IDIn(ids...)), with.instances).All)
		if err != nil {
			return nil, err
		}
		all = append(all, rows...)
	}
	slices.SortFunc(all, func(a, b *db.Instance) int { return compareIDs(a.ApplicationID, b.ApplicationID) })
	return all, nil
}

// idsOfStatement is how many ids one statement takes.
const idsOfStatement = 500
