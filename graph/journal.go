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

func (r *queryResolver) Audits(ctx context.Context, filter *view.AuditFilter, first *int, after *string, order *model.OrderDirection) (*model.AuditConnection, error) {
	return readPage(ctx, ordered(r.Resolver, r.fleet.View.Audits(value(filter)), order), first, after)
}

// AuditChain reads the end of the chain.
func (r *queryResolver) AuditChain(ctx context.Context) (*model.AuditChain, error) {
	head, err := r.fleet.View.AuditChain(ctx)
	if err != nil {
		return nil, err
	}
	chain := &model.AuditChain{Entries: int(head.Entries), LastHash: head.Hash}
	if !head.At.IsZero() {
		chain.LastAt = &head.At
	}
	return chain, nil
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

func (r *queryResolver) Activities(ctx context.Context, filter *view.ActivityFilter, first *int, after *string, order *model.OrderDirection) (*model.ActivityConnection, error) {
	return readPage(ctx, ordered(r.Resolver, r.fleet.View.Activities(value(filter)), order), first, after)
}

// ordered reverses a list if the oldest entries are wanted first.
func ordered[T any](r *Resolver, l *view.List[T], order *model.OrderDirection) *view.List[T] {
	if value(order) == model.OrderDirectionAsc {
		l.OldestFirst(r.Now())
	}
	return l
}

func (r *activityResolver) Description(_ context.Context, obj *db.Activity) (string, error) {
	return codeDescription(obj.Code), nil
}

// shownActivities is the maximum number of entries in one message.
const shownActivities = 50

// ActivityAdded sends the newest entries, then each added entry once.
func (r *subscriptionResolver) ActivityAdded(ctx context.Context, filter *view.ActivityFilter) (<-chan *model.ActivityAddition, error) {
	f := value(filter)
	wanted := func(e event.Event) bool {
		return e.Kind == event.ActivityAdded &&
			(f.Application == nil || e.App == *f.Application || e.App == uuid.Nil) &&
			(f.Group == nil || e.Group == *f.Group || e.Group == uuid.Nil)
	}
	lastRead := time.Time{}
	sent := map[uuid.UUID]bool{}
	return watch(ctx, r.Resolver, messageInterval, wanted, func(ctx context.Context, snapshot bool) (*model.ActivityAddition, bool, error) {
		f.StoredSince = nil
		if !snapshot {
			f.StoredSince = new(lastRead.Add(-view.Unsettled))
		}
		lastRead = r.Now()
		page, err := r.fleet.View.Activities(f).Page(ctx, shownActivities)
		if err != nil {
			return nil, false, err
		}
		m := &model.ActivityAddition{AsOf: lastRead, Snapshot: snapshot, Activities: []*db.Activity{}}
		before := sent
		sent = make(map[uuid.UUID]bool, len(page.Rows))
		for _, row := range page.Rows {
			if snapshot || !before[row.ID] {
				m.Activities = append(m.Activities, row)
			}
			sent[row.ID] = true
		}
		return m, false, nil
	})
}
