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

// shownEntries is the maximum number of entries in one message.
const shownEntries = 50

// ActivityAdded sends the newest entries, then each added entry once.
func (r *subscriptionResolver) ActivityAdded(ctx context.Context, filter *view.ActivityFilter) (<-chan *model.ActivityAddition, error) {
	f := value(filter)
	wanted := func(e event.Event) bool {
		return e.Kind == event.ActivityAdded &&
			(f.Application == nil || e.App == *f.Application || e.App == uuid.Nil) &&
			(f.Group == nil || e.Group == *f.Group || e.Group == uuid.Nil)
	}
	a := addition[*db.Activity]{id: func(row *db.Activity) uuid.UUID { return row.ID }}
	return watch(ctx, r.Resolver, messageInterval, wanted, func(ctx context.Context, snapshot bool) (*model.ActivityAddition, bool, error) {
		f.StoredSince = a.begin(r.Now(), snapshot)
		page, err := r.fleet.View.Activities(f).Page(ctx, shownEntries)
		return &model.ActivityAddition{AsOf: a.asOf, Snapshot: snapshot, Activities: a.added(page.Rows, snapshot)}, false, err
	})
}

// AuditAdded sends the newest entries, then each added entry once.
func (r *subscriptionResolver) AuditAdded(ctx context.Context, filter *view.AuditFilter) (<-chan *model.AuditAddition, error) {
	f := value(filter)
	wanted := func(e event.Event) bool {
		return e.Kind == event.AuditAdded && (f.Application == nil || e.App == *f.Application)
	}
	a := addition[*db.Audit]{id: func(row *db.Audit) uuid.UUID { return row.ID }}
	return watch(ctx, r.Resolver, messageInterval, wanted, func(ctx context.Context, snapshot bool) (*model.AuditAddition, bool, error) {
		f.StoredSince = a.begin(r.Now(), snapshot)
		page, err := r.fleet.View.Audits(f).Page(ctx, shownEntries)
		return &model.AuditAddition{AsOf: a.asOf, Snapshot: snapshot, Audits: a.added(page.Rows, snapshot)}, false, err
	})
}

// addition follows a journal for one subscriber.
type addition[T any] struct {
	id   func(row T) uuid.UUID
	asOf time.Time // of the last read
	sent map[uuid.UUID]bool
}

// begin begins a read and returns since when rows may be new; nil for a snapshot.
func (a *addition[T]) begin(now time.Time, snapshot bool) (since *time.Time) {
	if !snapshot {
		since = new(a.asOf.Add(-view.Unsettled))
	}
	a.asOf = now
	return since
}

// added returns the rows that were not in the last read.
func (a *addition[T]) added(rows []T, snapshot bool) []T {
	before, fresh := a.sent, []T{}
	a.sent = make(map[uuid.UUID]bool, len(rows))
	for _, row := range rows {
		id := a.id(row)
		if a.sent[id] = true; snapshot || !before[id] {
			fresh = append(fresh, row)
		}
	}
	return fresh
}
