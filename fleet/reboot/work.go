package reboot

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/coreroller/coreroller/ent/db"
	"github.com/coreroller/coreroller/ent/db/instance"
	"github.com/coreroller/coreroller/ent/db/rebootslot"
	"github.com/coreroller/coreroller/fleet/catalog"
	"github.com/coreroller/coreroller/rollout"
	"github.com/coreroller/coreroller/store"
)

const (
	// forgetAfter is how long a client that waits may be silent. Clients ask every few
	// minutes, and their next request is stored again.
	forgetAfter = 24 * time.Hour
	// matchEvery is the least time between two searches for the machines of clients, each
	// of which reads the ids of all machines of an application.
	matchEvery = time.Minute
	// matchRows is how many machines one statement of a search reads.
	matchRows = 5000
)

// Work reports overdue slots, releases those that the policy releases and those whose
// machine runs another version, forgets silent clients, and finds the machines of
// clients with a derived id. One process does it for all.
func (s *Service) Work(ctx context.Context, now time.Time) error {
	held, err := s.store.Reader().RebootSlot.Query().Where(rebootslot.TakenAtNotNil()).All(ctx)
	if err != nil {
		return fmt.Errorf("read reboot slots: %w", err)
	}
	groups := map[uuid.UUID]bool{}
	for _, row := range held {
		groups[row.GroupID] = true
	}
	for id := range groups {
		if g := s.catalog.Catalog().Group(id); g != nil {
			if err := s.store.Write(ctx, now, func(tx *store.Tx) error { return s.settle(ctx, tx, g) }); err != nil {
				return fmt.Errorf("settle reboot slots: %w", err)
			}
		}
	}
	if err := s.forget(ctx, now); err != nil {
		return fmt.Errorf("forget silent clients: %w", err)
	}
	return s.match(ctx, now)
}

// settle applies the policy to the holders of a group.
func (s *Service) settle(ctx context.Context, tx *store.Tx, was *catalog.Group) error {
	states, err := tx.LockGroups(ctx, []uuid.UUID{was.ID})
	if err != nil || len(states) == 0 {
		return err
	}
	g, st, err := s.current(ctx, tx, states, was)
	if err != nil {
		return nil //nolint:nilerr // the group was deleted meanwhile
	}
	rows, err := tx.Client().RebootSlot.Query().Where(rebootslot.GroupID(g.ID), rebootslot.TakenAtNotNil()).All(ctx)
	if err != nil {
		return err
	}
	machines, err := machinesOf(ctx, tx.Client(), rows)
	if err != nil {
		return err
	}
	now := s.now()
	w := g.World(st, now, &rollout.Effects{})
	var b store.Batch
	for _, row := range rows {
		m := (*db.Instance)(nil)
		if row.InstanceID != nil {
			m = machines[*row.InstanceID]
		}
		if err := s.settleOne(ctx, tx, &b, g, &w, row, m, now); err != nil {
			return err
		}
	}
	return tx.Save(ctx, &b)
}

// settleOne decides about one holder. m is its machine, nil for none.
func (s *Service) settleOne(ctx context.Context, tx *store.Tx, b *store.Batch, g *catalog.Group, w *rollout.World, row *db.RebootSlot, m *db.Instance, now time.Time) error {
	if m != nil && m.Version != row.Version && m.LastSeenAt.After(*row.TakenAt) {
		tx.Publish(Events(row)...)
		b.History = append(b.History, store.HistoryEntry{InstanceID: m.ID, Entry: rollout.Entry{
			Machine: m.MachineID, State: m.State, Version: m.Version, Detail: "was seen on " + m.Version + ", so its reboot slot is free",
		}})
		return tx.Client().RebootSlot.DeleteOne(row).Exec(ctx)
	}
	name := row.LockID
	if m != nil {
		name = m.MachineID
	}
	u := tx.Client().RebootSlot.UpdateOne(row)
	switch {
	case w.RebootReleased(*row.TakenAt, now):
		u.ClearTakenAt().SetLostAt(now).SetReason(rollout.RebootOverdueHolder.String())
		g.Journal(b, slotActivity(rollout.ActivityRebootSlotReleased, row, name, "released by the policy; the client held it since "+row.TakenAt.UTC().Format(time.DateTime+" UTC")+" and did not come back"), "")
	case row.OverdueAt == nil && w.RebootOverdue(*row.TakenAt, now):
		u.SetOverdueAt(now)
		g.Journal(b, slotActivity(rollout.ActivityRebootSlotOverdue, row, name, "held since "+row.TakenAt.UTC().Format(time.DateTime+" UTC")+" and not given back"), "")
	default:
		return nil
	}
	tx.Publish(Events(row)...)
	return u.Exec(ctx)
}

// slotActivity is an activity about a client. It names the machine only if it is known.
func slotActivity(k rollout.ActivityKind, row *db.RebootSlot, name, text string) *rollout.Effects {
	a := rollout.Activity{Kind: k, Severity: rollout.SeverityWarning, Version: row.Version, Detail: text}
	if row.InstanceID != nil {
		a.Machine = name
	} else {
		a.Detail = "client " + row.LockID + ": " + text
	}
	return &rollout.Effects{Activities: []rollout.Activity{a}}
}

func machinesOf(ctx context.Context, c *db.Client, rows []*db.RebootSlot) (map[uuid.UUID]*db.Instance, error) {
	var ids []uuid.UUID
	for _, row := range rows {
		if row.InstanceID != nil {
			ids = append(ids, *row.InstanceID)
		}
	}
	out := map[uuid.UUID]*db.Instance{}
	if len(ids) == 0 {
		return out, nil
	}
	all, err := c.Instance.Query().Where(instance.IDIn(ids...)).All(ctx)
	for _, m := range all {
		out[m.ID] = m
	}
	return out, err
}

// forget deletes the clients that wait and stopped asking. Outages do not count.
func (s *Service) forget(ctx context.Context, now time.Time) error {
	since := rollout.Ago(now, forgetAfter, s.store.Outages())
	rows, err := s.store.Reader().RebootSlot.Query().Where(rebootslot.RenewedAtLT(since), rebootslot.TakenAtIsNil(), rebootslot.LostAtIsNil()).Limit(1000).All(ctx)
	if err != nil || len(rows) == 0 {
		return err
	}
	return s.store.Write(ctx, now, func(tx *store.Tx) error {
		for _, row := range rows {
			n, err := tx.Client().RebootSlot.Delete().Where(rebootslot.ID(row.ID), rebootslot.RenewedAtLT(since), rebootslot.TakenAtIsNil(), rebootslot.LostAtIsNil()).Exec(ctx)
			if err != nil {
				return err
			}
			if n > 0 {
				tx.Publish(Events(row)...)
			}
		}
		return nil
	})
}

// match finds the machines of clients that send an id derived from the machine's.
func (s *Service) match(ctx context.Context, now time.Time) error {
	s.matching.Lock()
	defer s.matching.Unlock()
	if now.Sub(s.matched).Abs() < matchEvery {
		return nil
	}
	rows, err := s.store.Reader().RebootSlot.Query().Where(rebootslot.InstanceIDIsNil()).Limit(maxUnknown).All(ctx)
	if err != nil {
		return fmt.Errorf("read clients without a machine: %w", err)
	}
	wanted := map[uuid.UUID]map[string][]*db.RebootSlot{}
	for _, row := range rows {
		if !derivable(row.LockID) {
			continue
		}
		if wanted[row.ApplicationID] == nil {
			wanted[row.ApplicationID] = map[string][]*db.RebootSlot{}
		}
		wanted[row.ApplicationID][row.LockID] = append(wanted[row.ApplicationID][row.LockID], row)
	}
	if len(wanted) > 0 {
		s.matched = now
	}
	for app, clients := range wanted {
		if err := s.matchApplication(ctx, now, app, clients); err != nil {
			return fmt.Errorf("find the machines of clients: %w", err)
		}
	}
	return nil
}

func (s *Service) matchApplication(ctx context.Context, now time.Time, app uuid.UUID, clients map[string][]*db.RebootSlot) error {
	for after := ""; ; {
		page, err := s.store.Reader().Instance.Query().Where(instance.ApplicationID(app), instance.MachineIDGT(after)).
			Order(instance.ByMachineID()).Limit(matchRows).Select(instance.FieldID, instance.FieldMachineID, instance.FieldVersion).All(ctx)
		if err != nil {
			return err
		}
		for _, m := range page {
			id, _ := Derived(m.MachineID)
			for _, row := range clients[id] {
				err := s.store.Write(ctx, now, func(tx *store.Tx) error {
					row.InstanceID = &m.ID
					tx.Publish(Events(row)...)
					return tx.Client().RebootSlot.Update().Where(rebootslot.ID(row.ID)).SetInstanceID(m.ID).SetVersion(m.Version).Exec(ctx)
				})
				if err != nil {
					return err
				}
			}
		}
		if len(page) < matchRows {
			return nil
		}
		after = page[len(page)-1].MachineID
	}
}
