package graph

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/coreroller/coreroller/ent/db"
	"github.com/coreroller/coreroller/event"
	"github.com/coreroller/coreroller/fleet/view"
	"github.com/coreroller/coreroller/graph/model"
)

func (r *queryResolver) Audits(ctx context.Context, filter *view.AuditFilter, first *int, after *string) (*model.AuditConnection, error) {
	return readPage(ctx, r.fleet.View.Audits(value(filter)), first, after)
}

func (r *auditResolver) Rollout(ctx context.Context, obj *db.Audit) (*db.GroupRollout, error) {
	if obj.Object != "rollout" {
		return nil, nil
	}
	return loadersOf(ctx).rollouts.load(ctx, obj.ObjectID)
}

// Package returns the package that the object points to after the change; nil for
// none.
func (r *auditResolver) Package(ctx context.Context, obj *db.Audit) (*db.Release, error) {
	if obj.After == "" {
		return nil, nil
	}
	var after struct {
		PackageID *uuid.UUID `json:"package_id"`
	}
	if err := json.Unmarshal([]byte(obj.After), &after); err != nil {
		return nil, fmt.Errorf("audit %s: %w", obj.ID, err)
	}
	if after.PackageID == nil {
		return nil, nil
	}
	return loadersOf(ctx).packages.load(ctx, *after.PackageID)
}

func (r *queryResolver) Activities(ctx context.Context, filter *view.ActivityFilter, first *int, after *string) (*model.ActivityConnection, error) {
	return readPage(ctx, r.fleet.View.Activities(value(filter)), first, after)
}

func (r *activityResolver) Description(_ context.Context, obj *db.Activity) (string, error) {
	return codeDescription(obj.Code), nil
}

const (
	// shownActivities is the maximum number of entries in one message.
	shownActivities = 50
	// clockSkew is the assumed clock difference between servers that share a
	// database: an entry this much older than the newest one may still be unsent.
	clockSkew = 5 * time.Second
)

// ActivityAdded sends the newest entries, then each added entry once.
func (r *subscriptionResolver) ActivityAdded(ctx context.Context, filter *view.ActivityFilter) (<-chan *model.ActivityAddition, error) {
	f := value(filter)
	wanted := func(e event.Event) bool {
		return e.Kind == event.ActivityAdded &&
			(f.Application == nil || e.App == *f.Application || e.App == uuid.Nil) &&
			(f.Group == nil || e.Group == *f.Group || e.Group == uuid.Nil)
	}
	newest := time.Time{}
	sent := map[uuid.UUID]bool{}
	return watch(ctx, r.Resolver, messageInterval, wanted, func(ctx context.Context, snapshot bool) (*model.ActivityAddition, bool, error) {
		f.StoredSince = nil
		if !snapshot {
			f.StoredSince = new(newest.Add(-clockSkew))
		}
		rows, err := r.fleet.View.Activities(f).Rows(ctx, shownActivities)
		if err != nil {
			return nil, false, err
		}
		m := &model.ActivityAddition{AsOf: r.Now(), Snapshot: snapshot, Activities: []*db.Activity{}}
		before := sent
		sent = make(map[uuid.UUID]bool, len(rows))
		for _, row := range rows {
			if snapshot || !before[row.ID] {
				m.Activities = append(m.Activities, row)
			}
			sent[row.ID] = true
			if row.At.After(newest) {
				newest = row.At
			}
		}
		return m, false, nil
	})
}
