package importing

import (
	"context"
	"fmt"

	"github.com/google/uuid"

	"github.com/coreroller/coreroller/rollout"
	"github.com/coreroller/coreroller/store"
	"github.com/coreroller/coreroller/store/foreign"
)

// actor is the actor of imported activity: who did it is not known there.
const actor = "imported"

func (i *Importer) writeActivity(ctx context.Context, app *application, here *existing, r *Report) error {
	var out store.Imported
	flush := func(least int) error {
		if len(out.Activities) < least {
			return nil
		}
		return i.store.Write(ctx, i.now(), func(tx *store.Tx) error {
			saved, err := tx.SaveImported(ctx, &out)
			r.count(KindActivity).New += int(saved.Activities)
			r.count(KindActivity).Same += len(out.Activities) - int(saved.Activities)
			out = store.Imported{}
			return err
		})
	}
	err := i.source.Activities(ctx, app.ID, i.since, func(a foreign.Activity) error {
		if a.Class < int(rollout.ActivityPackageNotFound) || a.Class > int(rollout.ActivityChannelMoved) || a.Severity < 1 || a.Severity > 4 {
			r.drop(KindActivity, a.ID, app.Name, "its class %d or severity %d is not known", a.Class, a.Severity)
			return nil
		}
		out.Activities = append(out.Activities, i.activity(app, here, a))
		return flush(rowsAtOnce)
	})
	if err != nil {
		return err
	}
	if err := flush(1); err != nil {
		return err
	}
	return i.finishRollouts(ctx, app, here)
}

func (i *Importer) activity(app *application, here *existing, a foreign.Activity) store.ImportedActivity {
	row := store.ImportedActivity{ID: store.ImportedID(a.At, "activity", app.ID.String(), fmt.Sprint(a.Class), a.ID), At: a.At}
	row.Kind, row.Severity = rollout.ActivityKind(a.Class), rollout.Severity(a.Severity) //nolint:gosec // G115: checked
	row.Version, row.Actor = line(a.Version, 255), actor
	row.ApplicationID, row.ApplicationName = app.ID, here.app.Name
	if g := here.groups[a.GroupID]; g != nil {
		row.GroupID, row.GroupName = g.ID, g.Name
	}
	if c := here.channels[a.ChannelID]; c != nil {
		row.ChannelID, row.ChannelName = c.ID, c.Name
	}
	if a.Machine != "" && i.refused(a.Machine) == "" {
		row.Machine, row.InstanceID = a.Machine, store.InstanceID(app.ID, a.Machine)
	}
	if a.Class == int(rollout.ActivityRolloutFinished) {
		if r := i.rollouts[rolloutKey{a.GroupID, a.Version}]; r != nil {
			r.State = rollout.RolloutCompleted
		}
	}
	return row
}

// finishRollouts stores which rollouts the activity calls finished.
func (i *Importer) finishRollouts(ctx context.Context, _ *application, here *existing) error {
	var all []store.ImportedRollout
	for key, r := range i.rollouts {
		if r.State == rollout.RolloutCompleted && here.groups[key.group] != nil {
			all = append(all, *r)
		}
	}
	if len(all) == 0 {
		return nil
	}
	return i.store.Write(ctx, i.now(), func(tx *store.Tx) error {
		groups := make([]uuid.UUID, len(all))
		for k := range all {
			groups[k] = all[k].GroupID
		}
		if _, err := tx.LockGroups(ctx, groups); err != nil {
			return err
		}
		_, err := tx.SaveImported(ctx, &store.Imported{Rollouts: all})
		return err
	})
}
