package store

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/coreroller/coreroller/ent/db/instance"
	"github.com/coreroller/coreroller/ent/db/predicate"
	"github.com/coreroller/coreroller/rollout"
	"github.com/coreroller/coreroller/rollout/version"
)

// Known reports whether an active machine of a group was first seen at that time or
// earlier, or is enrolled. In a group with such machines it usually reads one row.
func (tx *Tx) Known(ctx context.Context, group uuid.UUID, before time.Time) (bool, error) {
	return tx.anyKnown(ctx, group, before)
}

// KnownWait returns what World.NoteKnown records. It looks only at machines below
// the target and stops at the first known one.
func (tx *Tx) KnownWait(ctx context.Context, w *rollout.World) (bool, error) {
	group := uuid.UUID(w.Group)
	versions, err := tx.versions(ctx, group)
	if err != nil {
		return false, err
	}
	var behind, never []string
	goal := w.Goal()
	for text := range versions {
		if v, _ := rollout.ParseVersion(text); goal.Place(v) == version.Behind {
			behind = append(behind, text)
		}
	}
	for _, r := range w.NeverUpdates() {
		never = append(never, r.String())
	}
	return tx.anyKnown(ctx, group, w.Rollout.Newcomers.Since,
		instance.VersionIn(behind...), instance.ReasonNotIn(never...), instance.RebootOverdue(false))
}

func (tx *Tx) anyKnown(ctx context.Context, group uuid.UUID, before time.Time, where ...predicate.Instance) (bool, error) {
	found, err := tx.Client().Instance.Query().
		Where(instance.GroupID(group), instance.Standing(rollout.StandingActive), instance.Or(instance.CreatedAtLTE(before), instance.Enrolled(true))).Where(where...).Exist(ctx)
	if err != nil {
		return false, fmt.Errorf("look for known machines: %w", err)
	}
	return found, nil
}
