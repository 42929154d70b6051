package view

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/coreroller/coreroller/auth"
	"github.com/coreroller/coreroller/ent/db"
	"github.com/coreroller/coreroller/ent/db/rebootslot"
	"github.com/coreroller/coreroller/fleet/fault"
	"github.com/coreroller/coreroller/fleet/reboot"
	"github.com/coreroller/coreroller/rollout"
	"github.com/coreroller/coreroller/rollout/phrase"
)

const (
	// maxWaiting bounds the clients of one group that are listed while they wait, and
	// maxAllWaiting those of all groups of one read.
	maxWaiting    = 50
	maxAllWaiting = 1000
)

// RebootSlots are the reboot slots of a group.
type RebootSlots struct {
	Limit        int           // of the policy
	Held         []*RebootSlot // the oldest first, then the lost ones
	Waiting      []*RebootSlot // the first that asked
	WaitingCount int
	Next         rollout.RebootDecision // about the next client that asks
}

// Hold says why the next client gets no slot, "" if it would get one.
func (r *RebootSlots) Hold() string {
	if r.Next.Reason.Allows() {
		return ""
	}
	return r.Next.Detail()
}

// HoldUntil is when the reason can end by itself; nil: not known.
func (r *RebootSlots) HoldUntil() *time.Time {
	if r.Next.Until.IsZero() {
		return nil
	}
	return &r.Next.Until
}

// RebootSlot is a client with its state.
type RebootSlot struct {
	*db.RebootSlot
	State      RebootSlotState
	Sentence   string
	ExpectedAt *time.Time // nil: it holds no slot
}

// RebootSlotState is what a client has.
type RebootSlotState string

// The states of a client.
const (
	RebootSlotWaiting RebootSlotState = "WAITING"
	RebootSlotHeld    RebootSlotState = "HELD"
	RebootSlotOverdue RebootSlotState = "OVERDUE"
	RebootSlotLost    RebootSlotState = "LOST"
)

// ManyRebootSlots returns the slots of groups by group.
func (s *Service) ManyRebootSlots(ctx context.Context, groups []uuid.UUID) (map[uuid.UUID]*RebootSlots, error) {
	if _, err := fault.Require(ctx, auth.Viewer); err != nil {
		return nil, err
	}
	worlds, err := s.rebootWorlds(ctx, groups)
	if err != nil {
		return nil, err
	}
	out := make(map[uuid.UUID]*RebootSlots, len(worlds))
	for id, w := range worlds {
		out[id] = &RebootSlots{Limit: w.Policy.Policy().RebootSlots, Next: w.next}
		for _, row := range w.held {
			out[id].Held = append(out[id].Held, w.slot(row, s.now()))
		}
	}
	waiting, err := s.db().RebootSlot.Query().Where(rebootslot.GroupIDIn(groups...), rebootslot.TakenAtIsNil(), rebootslot.LostAtIsNil()).
		Order(rebootslot.ByAskedAt(), rebootslot.ByID()).Limit(maxAllWaiting).All(ctx)
	if err != nil {
		return nil, fmt.Errorf("read waiting clients: %w", err)
	}
	for _, row := range waiting {
		if r := out[row.GroupID]; r != nil && len(r.Waiting) < maxWaiting {
			r.Waiting = append(r.Waiting, worlds[row.GroupID].slot(row, s.now()))
		}
	}
	var counts []struct {
		GroupID uuid.UUID `json:"group_id"`
		Count   int
	}
	if err := s.db().RebootSlot.Query().Where(rebootslot.GroupIDIn(groups...), rebootslot.TakenAtIsNil(), rebootslot.LostAtIsNil()).
		GroupBy(rebootslot.FieldGroupID).Aggregate(db.Count()).Scan(ctx, &counts); err != nil {
		return nil, fmt.Errorf("count waiting clients: %w", err)
	}
	for _, c := range counts {
		if r := out[c.GroupID]; r != nil {
			r.WaitingCount = c.Count
		}
	}
	return out, nil
}

// InstanceRebootSlots returns what machines hold or wait for, by machine.
func (s *Service) InstanceRebootSlots(ctx context.Context, instances []uuid.UUID) (map[uuid.UUID]*RebootSlot, error) {
	if _, err := fault.Require(ctx, auth.Viewer); err != nil {
		return nil, err
	}
	rows, err := s.db().RebootSlot.Query().Where(rebootslot.InstanceIDIn(instances...)).Order(rebootslot.ByID()).All(ctx)
	if err != nil {
		return nil, fmt.Errorf("read reboot slots of machines: %w", err)
	}
	if len(rows) == 0 {
		return nil, nil
	}
	var groups []uuid.UUID
	for _, row := range rows {
		groups = append(groups, row.GroupID)
	}
	worlds, err := s.rebootWorlds(ctx, groups)
	if err != nil {
		return nil, err
	}
	out := map[uuid.UUID]*RebootSlot{}
	for _, row := range rows {
		if w := worlds[row.GroupID]; w != nil && (out[*row.InstanceID] == nil || row.TakenAt != nil) { // what it holds comes first
			out[*row.InstanceID] = w.slot(row, s.now())
		}
	}
	return out, nil
}

// rebootWorld is a group with the clients that hold slots.
type rebootWorld struct {
	rollout.World
	held []*db.RebootSlot // the oldest first, then the lost ones
	next rollout.RebootDecision
}

// rebootWorlds reads groups without a lock. It leaves out those that do not exist.
func (s *Service) rebootWorlds(ctx context.Context, groups []uuid.UUID) (map[uuid.UUID]*rebootWorld, error) {
	c := s.seen(ctx)
	states, err := s.store.ReadGroups(ctx, groups)
	if err != nil {
		return nil, err
	}
	held, err := s.db().RebootSlot.Query().Where(rebootslot.GroupIDIn(groups...), rebootslot.Or(rebootslot.TakenAtNotNil(), rebootslot.LostAtNotNil())).
		Order(rebootslot.ByLostAt(), rebootslot.ByTakenAt(), rebootslot.ByID()).All(ctx)
	if err != nil {
		return nil, fmt.Errorf("read reboot slots: %w", err)
	}
	out := make(map[uuid.UUID]*rebootWorld, len(states))
	for id, st := range states {
		g := c.Group(id)
		if g == nil {
			continue
		}
		w := &rebootWorld{World: g.World(st, s.now(), &rollout.Effects{})}
		var lost []*db.RebootSlot
		for _, row := range held {
			switch {
			case row.GroupID != id:
			case row.TakenAt != nil:
				w.held = append(w.held, row)
			default:
				lost = append(lost, row)
			}
		}
		counted, err := reboot.CountedAs(ctx, s.db(), w.held, len(lost))
		if err != nil {
			return nil, err
		}
		w.held = append(w.held, lost...)
		w.next = w.DecideReboot(counted, "", s.now())
		out[id] = w
	}
	return out, nil
}

func (w *rebootWorld) slot(row *db.RebootSlot, now time.Time) *RebootSlot {
	r := &RebootSlot{RebootSlot: row}
	switch {
	case row.LostAt != nil:
		r.State, r.Sentence = RebootSlotLost, "did not come back from its reboot; the policy released its slot at "+row.LostAt.UTC().Format(time.DateTime+" UTC")
	case row.TakenAt == nil:
		r.State, r.Sentence = RebootSlotWaiting, "waits for its reboot slot: "+w.next.Detail()
		if w.next.Reason.Allows() {
			r.Sentence = "waits for its reboot slot, which it gets when it asks again"
		}
	default:
		due := row.TakenAt.Add(w.Policy.Policy().RebootOverdueAfter)
		r.ExpectedAt = &due
		since := row.TakenAt.UTC().Format(time.DateTime + " UTC")
		if r.State, r.Sentence = RebootSlotHeld, "holds a reboot slot since "+since; w.RebootOverdue(*row.TakenAt, now) {
			r.State, r.Sentence = RebootSlotOverdue, "holds a reboot slot since "+since+", which is overdue: release it if the machine does not come back"
		}
	}
	return r
}

// addRebootSlots adds the groups with overdue slots.
func (s *Service) addRebootSlots(ctx context.Context, groups map[uuid.UUID]*db.Group, out *attentions) error {
	rows, err := s.db().RebootSlot.Query().Where(rebootslot.Or(rebootslot.OverdueAtNotNil(), rebootslot.LostAtNotNil())).Order(rebootslot.ByID()).All(ctx)
	if err != nil {
		return fmt.Errorf("read overdue reboot slots: %w", err)
	}
	overdue := map[uuid.UUID][]*db.RebootSlot{}
	for _, row := range rows {
		overdue[row.GroupID] = append(overdue[row.GroupID], row)
	}
	for id, g := range groups {
		if late := overdue[id]; len(late) > 0 {
			since := late[0].OverdueAt
			if since == nil {
				since = late[0].LostAt
			}
			out.add(g, AttentionRebootSlotOverdue, rollout.SeverityWarning, since, phrase.Count(len(late), "machine")+" did not give "+either(len(late), "its reboot slot", "their reboot slots")+
				" back; release it if the machine does not return")
		}
	}
	return nil
}
