package store

import (
	"context"
	"errors"

	"github.com/google/uuid"

	"github.com/coreroller/coreroller/event"
	"github.com/coreroller/coreroller/rollout"
)

// Batch is what one transaction writes, except configuration: changed groups and
// machines and their journals.
type Batch struct {
	Groups   []*GroupState
	Machines []*Machine

	Activities []Activity
	History    []HistoryEntry
	Attempts   []Attempt // their machines must be in Machines
	Progress   []rollout.Progress
	Labels     []Label       // to set; their machines must be in Machines
	Unlabeled  []uuid.UUID   // LabelIDs to delete
	Unsent     []uuid.UUID   // LabelIDs to delete if they are request attributes
	Events     []event.Event // published after the commit
}

// Save writes a batch with a few statements, whatever its size. The caller holds
// the locks of all groups that its machines are or were in. A transaction saves
// one batch.
func (tx *Tx) Save(ctx context.Context, b *Batch) error {
	if tx.saved != nil {
		return errors.New("a transaction can save only one batch")
	}
	tx.saved = b
	b.countWrite()
	for _, m := range b.Machines {
		if m.Attempt.Open() {
			b.noteLease(m)
		}
	}
	ended, changed := tx.attemptChanges(b)
	added, updated := machineChanges(b.Machines)
	rollouts, ledgers := groupChanges(b.Groups, tx.now)
	written, err := tx.write(ctx, added, updated, rollouts, ledgers, countChange(b.Machines), waveChange(b.Progress), ended, tx.historyChange(b.History))
	if err != nil {
		return err
	}
	if err := checkWritten(written, added, updated); err != nil {
		tx.store.recent.forget(b.Groups)
		return err
	}
	if _, err := tx.write(ctx, changed); err != nil {
		return err
	}
	if err := tx.saveFailures(ctx, b.Attempts); err != nil {
		return err
	}
	if err := tx.saveActivities(ctx, b.Activities); err != nil {
		return err
	}
	if err := tx.saveLabels(ctx, b); err != nil {
		return err
	}
	if err := tx.deleteForgotten(ctx, b.Machines); err != nil {
		return err
	}
	tx.publish(b)
	return nil
}

// countWrite increments writes of the groups if a machine has or had an open
// attempt.
func (b *Batch) countWrite() {
	for _, m := range b.Machines {
		if m.Attempt.Open() || m.was != nil && m.was.Attempt.Open() {
			for _, g := range b.Groups {
				g.writes = g.was.writes + 1
			}
			return
		}
	}
}

// noteLease lowers NextLeaseAt of the machine's group to the machine's lease.
func (b *Batch) noteLease(m *Machine) {
	for _, g := range b.Groups {
		if g.GroupID == m.GroupID && (g.NextLeaseAt.IsZero() || m.Attempt.LeaseUntil.Before(g.NextLeaseAt)) {
			g.NextLeaseAt = m.Attempt.LeaseUntil
		}
	}
}

// publish queues the events of a batch.
func (tx *Tx) publish(b *Batch) {
	for _, g := range b.Groups {
		tx.Publish(event.Event{Kind: event.GroupChanged, App: g.ApplicationID, Group: g.GroupID})
	}
	for _, m := range b.Machines {
		if m.quiet {
			continue
		}
		tx.Publish(event.Event{Kind: event.MachineChanged, App: m.ApplicationID, Group: m.GroupID, Instance: m.InstanceID})
	}
	for i := range b.Activities {
		tx.Publish(event.Event{Kind: event.ActivityAdded, App: b.Activities[i].ApplicationID, Group: b.Activities[i].GroupID})
	}
	tx.Publish(b.Events...)
}
