package graph

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"entgo.io/ent/dialect/sql"
	"github.com/google/uuid"

	"github.com/coreroller/coreroller/ent/db"
	"github.com/coreroller/coreroller/ent/db/activity"
	"github.com/coreroller/coreroller/ent/db/audit"
	"github.com/coreroller/coreroller/ent/db/predicate"
	"github.com/coreroller/coreroller/event"
	"github.com/coreroller/coreroller/fleet/view"
	"github.com/coreroller/coreroller/graph/model"
)

// Activity and audit: append-only lists, newest first.

func (r *Resolver) activities(ctx context.Context, f model.ActivityFilter, first *int, after *string) (*model.ActivityConnection, error) {
	q := r.reader.Activity.Query().Where(activityConditions(f)...)
	o := newestID(func(a *db.Activity) uuid.UUID { return a.ID })
	p, err := readPage(ctx, first, after, o, q.Clone().Limit(maxCounted).IDs, func(after func(*sql.Selector), n int) ([]*db.Activity, error) {
		return q.Where(after).Order(activity.ByID(sql.OrderDesc())).Limit(n).All(ctx)
	})
	return &model.ActivityConnection{
		Nodes: p.rows, PageInfo: p.info, TotalCount: p.total,
		Edges: edges(p, func(cursor string, node *db.Activity) *model.ActivityEdge {
			return &model.ActivityEdge{Cursor: cursor, Node: node}
		}),
	}, err
}

func activityConditions(f model.ActivityFilter) []predicate.Activity {
	var where []predicate.Activity
	if f.ApplicationID != nil {
		where = append(where, activity.ApplicationID(*f.ApplicationID))
	}
	if f.GroupID != nil {
		where = append(where, activity.GroupID(*f.GroupID))
	}
	if f.InstanceID != nil {
		where = append(where, activity.InstanceID(*f.InstanceID))
	}
	if f.Kinds != nil {
		where = append(where, activity.KindIn(f.Kinds...))
	}
	if f.Severities != nil {
		where = append(where, activity.SeverityIn(f.Severities...))
	}
	if f.Since != nil {
		where = append(where, activity.AtGTE(*f.Since), activity.IDGTE(view.FirstID(*f.Since)))
	}
	if f.Until != nil {
		where = append(where, activity.AtLT(*f.Until), activity.IDLT(view.FirstID(f.Until.Add(time.Millisecond))))
	}
	return where
}

func (r *Resolver) audits(ctx context.Context, f model.AuditFilter, first *int, after *string) (*model.AuditConnection, error) {
	q := r.reader.Audit.Query().Where(auditConditions(f)...)
	o := newestID(func(a *db.Audit) uuid.UUID { return a.ID })
	p, err := readPage(ctx, first, after, o, q.Clone().Limit(maxCounted).IDs, func(after func(*sql.Selector), n int) ([]*db.Audit, error) {
		return q.Where(after).Order(audit.ByID(sql.OrderDesc())).Limit(n).All(ctx)
	})
	return &model.AuditConnection{
		Nodes: p.rows, PageInfo: p.info, TotalCount: p.total,
		Edges: edges(p, func(cursor string, node *db.Audit) *model.AuditEdge {
			return &model.AuditEdge{Cursor: cursor, Node: node}
		}),
	}, err
}

func auditConditions(f model.AuditFilter) []predicate.Audit {
	var where []predicate.Audit
	if f.ApplicationID != nil {
		where = append(where, audit.ApplicationID(*f.ApplicationID))
	}
	if f.ObjectID != nil {
		where = append(where, audit.ObjectID(*f.ObjectID))
	}
	if f.Actor != nil {
		where = append(where, audit.Actor(*f.Actor))
	}
	if f.Action != nil {
		where = append(where, audit.Verb(*f.Action))
	}
	if f.Since != nil {
		where = append(where, audit.AtGTE(*f.Since), audit.IDGTE(view.FirstID(*f.Since)))
	}
	if f.Until != nil {
		where = append(where, audit.AtLT(*f.Until), audit.IDLT(view.FirstID(f.Until.Add(time.Millisecond))))
	}
	return where
}

// packageNamed returns the package that the object of an entry points to after
// the change; nil for none.
func packageNamed(a *db.Audit) (*uuid.UUID, error) {
	if a.After == "" {
		return nil, nil
	}
	var after struct {
		PackageID *uuid.UUID `json:"package_id"`
	}
	if err := json.Unmarshal([]byte(a.After), &after); err != nil {
		return nil, fmt.Errorf("audit %s: %w", a.ID, err)
	}
	return after.PackageID, nil
}

const (
	// shownActivities is the maximum number of entries in one message.
	shownActivities = 50
	// clockSkew is the assumed clock difference between servers that share a
	// database: an entry this much older than the newest one may still be unsent.
	clockSkew = 5 * time.Second
)

// activityAdded sends the newest entries, then each added entry once.
func (r *Resolver) activityAdded(ctx context.Context, f model.ActivityFilter) (<-chan *model.ActivityAddition, error) {
	wanted := func(e event.Event) bool {
		return e.Kind == event.ActivityAdded &&
			(f.ApplicationID == nil || e.App == *f.ApplicationID || e.App == uuid.Nil) &&
			(f.GroupID == nil || e.Group == *f.GroupID || e.Group == uuid.Nil)
	}
	newest := time.Time{}
	sent := map[uuid.UUID]bool{}
	return watch(ctx, r, messageInterval, wanted, func(ctx context.Context, snapshot bool) (*model.ActivityAddition, bool, error) {
		q := r.reader.Activity.Query().Where(activityConditions(f)...)
		if !snapshot {
			q.Where(activity.IDGTE(view.FirstID(newest.Add(-clockSkew))))
		}
		rows, err := q.Order(activity.ByID(sql.OrderDesc())).Limit(shownActivities).All(ctx)
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
