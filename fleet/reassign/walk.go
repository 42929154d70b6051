// Package reassign moves machines to where they belong after the expressions of groups or
// their labels changed: one by a verb, all by a walk in the background.
package reassign

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/coreroller/coreroller/auth"
	"github.com/coreroller/coreroller/ent/db"
	"github.com/coreroller/coreroller/ent/db/instance"
	"github.com/coreroller/coreroller/ent/db/reassignment"
	"github.com/coreroller/coreroller/event"
	"github.com/coreroller/coreroller/fleet/catalog"
	"github.com/coreroller/coreroller/fleet/change"
	"github.com/coreroller/coreroller/fleet/membership"
	"github.com/coreroller/coreroller/rollout"
	"github.com/coreroller/coreroller/rollout/phrase"
	"github.com/coreroller/coreroller/store"
)

const (
	// walkRows is how many machines are read at once.
	walkRows = 2000
	// moveRows is how many machines one transaction moves: some ten milliseconds under the
	// locks of their groups.
	moveRows = 200
	// walkTime bounds one run, so that other jobs are not late.
	walkTime = 2 * time.Second
)

// Walker applies changed expressions to the machines that do not check in meanwhile.
type Walker struct {
	Store   *store.Store
	Catalog *catalog.Cache
	Changes *change.Writer
	Now     func() time.Time // for how long a run takes
}

// Work looks at the next machines of every application whose expressions changed. One
// process at a time does this; it continues where an earlier one stopped.
func (w *Walker) Work(ctx context.Context, now time.Time) error {
	rows, err := w.Store.Reader().Reassignment.Query().All(ctx)
	if err != nil {
		return fmt.Errorf("read the walks over machines: %w", err)
	}
	walks := map[uuid.UUID]*db.Reassignment{}
	for _, row := range rows {
		walks[row.ApplicationID] = row
	}
	snapshot := w.Catalog.Catalog()
	for _, id := range snapshot.Apps() {
		app, row := snapshot.App(id), walks[id]
		if row == nil && app.Selectors() == 0 || row != nil && row.Selectors == app.Selectors() && row.EndedAt != nil {
			continue
		}
		if row == nil || row.Selectors != app.Selectors() {
			if err := w.Store.Write(ctx, now, func(tx *store.Tx) error { return Restart(ctx, tx, app, now) }); err != nil {
				return err
			}
			if row, err = w.Store.Reader().Reassignment.Query().Where(reassignment.ApplicationID(id)).Only(ctx); err != nil {
				return fmt.Errorf("read a walk over machines: %w", err)
			}
		}
		if err := w.walk(ctx, app, row); err != nil {
			return fmt.Errorf("move machines by expressions: %w", err)
		}
	}
	return nil
}

// Restart lets the walk over the machines of an application begin again.
func Restart(ctx context.Context, tx *store.Tx, app *catalog.App, now time.Time) error {
	walks := tx.Client().Reassignment
	n, err := walks.Update().Where(reassignment.ApplicationID(app.ID)).SetSelectors(app.Selectors()).SetAfter("").SetSeen(0).
		SetMoved(0).SetWaiting(0).SetKept(0).SetStartedAt(now).ClearEndedAt().Save(ctx)
	if err == nil && n == 0 {
		err = walks.Create().SetID(store.NewID(now)).SetApplicationID(app.ID).SetSelectors(app.Selectors()).SetStartedAt(now).Exec(ctx)
	}
	return err
}

// walk looks at machines until the time is over or all were seen.
func (w *Walker) walk(ctx context.Context, app *catalog.App, row *db.Reassignment) error {
	for began := w.Now(); w.Now().Sub(began).Abs() < walkTime; {
		page, err := w.page(ctx, app.ID, row.After)
		if err != nil {
			return err
		}
		labels, err := w.labels(ctx, app, page)
		if err != nil {
			return err
		}
		tally, wrong := tally{seen: len(page)}, []uuid.UUID(nil)
		for _, m := range page {
			if misplaced(app, m, labels[m.ID]) {
				wrong = append(wrong, m.ID)
			}
		}
		for len(wrong) > 0 {
			part := wrong[:min(moveRows, len(wrong))]
			if err := w.move(ctx, app, part, &tally); err != nil {
				return err
			}
			wrong = wrong[len(part):]
		}
		if row, err = w.advance(ctx, app, row, page, tally); err != nil || row == nil || row.EndedAt != nil {
			return err
		}
	}
	return nil
}

// tally counts what was done with machines.
type tally struct{ seen, moved, waiting, kept int }

// page reads the next machines in the order of the index of the application.
func (w *Walker) page(ctx context.Context, app uuid.UUID, after string) ([]*db.Instance, error) {
	return w.Store.Reader().Instance.Query().Where(instance.ApplicationID(app), instance.MachineIDGT(after)).
		Order(instance.ByMachineID()).Limit(walkRows).
		Select(instance.FieldID, instance.FieldMachineID, instance.FieldGroupID, instance.FieldHomeGroupID, instance.FieldArch, instance.FieldMoved,
			instance.FieldMoveTo, instance.FieldGrantedAt, instance.FieldMachineAlias, instance.FieldAddress, instance.FieldOem,
			instance.FieldOemVersion, instance.FieldAlephVersion, instance.FieldSelectedWave).All(ctx)
}

// labels reads the attributes and tags of machines if the expressions read any.
func (w *Walker) labels(ctx context.Context, app *catalog.App, page []*db.Instance) (map[uuid.UUID][]*db.MachineLabel, error) {
	if !app.SelectLabels() || len(page) == 0 {
		return nil, nil
	}
	ids := make([]uuid.UUID, len(page))
	for i, m := range page {
		ids[i] = m.ID
	}
	return w.Store.Labels(ctx, ids)
}

// misplaced reports whether a machine is not where it belongs, or its row does not say why
// it is there or which wave selects it.
func misplaced(app *catalog.App, row *db.Instance, labels []*db.MachineLabel) bool {
	m := membership.OfRow(row, labels)
	if m.Group == uuid.Nil {
		return false // it joins a group at its next check-in
	}
	if g := app.Group(m.Group); g != nil && g.SelectedWave(&m.Machine) != m.SelectedWave {
		return true
	}
	if m.Chosen {
		return false
	}
	c := membership.Choose(app, &m, app.Group(m.HomeOrGroup()))
	return c.Group != nil && (c.Group.ID != m.Group || c.Selected != (m.Home != uuid.Nil))
}

// move puts machines where they belong, in one transaction.
func (w *Walker) move(ctx context.Context, app *catalog.App, ids []uuid.UUID, t *tally) error {
	v := change.Verb{Name: "reassign", Object: "instance", App: app.ID, Part: true, By: auth.Principal{Name: "expressions", TeamID: app.TeamID, Credential: auth.CredentialCommand}}
	var n tally
	err := w.Changes.Do(ctx, v, func(c *change.Change) error {
		n = tally{}
		if err := c.Lock(app.GroupIDs()...); err != nil {
			return err
		}
		if err := c.Load(); err != nil {
			return err
		}
		if c.Config.Selectors() != app.Selectors() {
			return change.ErrUnchanged // changed again: the walk begins again
		}
		machines, err := c.Tx.Machines(ctx, ids)
		if err != nil {
			return err
		}
		labels := map[uuid.UUID][]*db.MachineLabel{}
		if app.SelectLabels() {
			if labels, err = c.Tx.Labels(ctx, ids); err != nil {
				return err
			}
		}
		for _, id := range ids {
			m := machines[id]
			if m == nil || m.GroupID == uuid.Nil || c.States[m.GroupID] == nil {
				continue
			}
			was := m.GroupID
			choice, done, err := Assign(c, m, labels[id])
			if err != nil {
				return err
			}
			if !done {
				continue
			}
			c.Batch.Machines = append(c.Batch.Machines, m)
			switch {
			case choice.Stays == membership.StaysUpdating:
				n.waiting++
			case choice.Stays == membership.StaysProtected:
				n.kept++
			case m.GroupID != was:
				n.moved++
			}
		}
		return nil
	})
	t.moved, t.waiting, t.kept = t.moved+n.moved, t.waiting+n.waiting, t.kept+n.kept
	return err
}

// advance stores how far the walk is, and returns the new row; nil if it began again or
// was deleted meanwhile. After the last machine it adds an activity.
func (w *Walker) advance(ctx context.Context, app *catalog.App, row *db.Reassignment, page []*db.Instance, t tally) (next *db.Reassignment, err error) {
	now := w.Now()
	err = w.Store.Write(ctx, now, func(tx *store.Tx) error {
		next = nil
		u := tx.Client().Reassignment.Update().
			Where(reassignment.ID(row.ID), reassignment.Selectors(row.Selectors), reassignment.After(row.After), reassignment.StartedAt(row.StartedAt)).
			AddSeen(t.seen).AddMoved(t.moved).AddWaiting(t.waiting).AddKept(t.kept)
		ended := len(page) < walkRows
		if ended {
			u.SetEndedAt(now)
		} else {
			u.SetAfter(page[len(page)-1].MachineID)
		}
		n, err := u.Save(ctx)
		if err != nil || n == 0 {
			return err
		}
		if next, err = tx.Client().Reassignment.Get(ctx, row.ID); err != nil {
			return err
		}
		if !ended {
			return nil
		}
		batch := &store.Batch{Events: []event.Event{{Kind: event.AppChanged, App: app.ID}}}
		if next.Moved > 0 {
			batch.Activities = append(batch.Activities, store.Activity{
				Activity:      rollout.Activity{Kind: rollout.ActivityMachinesMoved, Severity: rollout.SeverityInfo, Detail: phrase.Count(next.Moved, "machine") + " moved by expressions"},
				ApplicationID: app.ID, ApplicationName: app.Name,
			})
		}
		return tx.Save(ctx, batch)
	})
	return next, err
}
