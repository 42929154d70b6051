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

func (r *Resolver) activities(ctx context.Context, f model.ActivityFilter, first *int, after *string) (*model.ActivityConnection, error) {
	p, err := readPage(ctx, r.fleet.View.Activities(activityFilter(f)), first, after)
	return &model.ActivityConnection{
		Nodes: p.rows, PageInfo: p.info, TotalCount: p.total,
		Edges: edges(p, func(cursor string, node *db.Activity) *model.ActivityEdge {
			return &model.ActivityEdge{Cursor: cursor, Node: node}
		}),
	}, err
}

func activityFilter(f model.ActivityFilter) view.ActivityFilter {
	return view.ActivityFilter{
		Application: f.ApplicationID, Group: f.GroupID, Instance: f.InstanceID, Kinds: f.Kinds, Severities: f.Severities,
		Since: f.Since, Until: f.Until,
	}
}

func (r *Resolver) audits(ctx context.Context, f model.AuditFilter, first *int, after *string) (*model.AuditConnection, error) {
	p, err := readPage(ctx, r.fleet.View.Audits(view.AuditFilter{
		Application: f.ApplicationID, Object: f.ObjectID, Actor: f.Actor, Verb: f.Action, Since: f.Since, Until: f.Until,
	}), first, after)
	return &model.AuditConnection{
		Nodes: p.rows, PageInfo: p.info, TotalCount: p.total,
		Edges: edges(p, func(cursor string, node *db.Audit) *model.AuditEdge {
			return &model.AuditEdge{Cursor: cursor, Node: node}
		}),
	}, err
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
		filter := activityFilter(f)
		if !snapshot {
			filter.StoredSince = new(newest.Add(-clockSkew))
		}
		rows, err := r.fleet.View.Activities(filter).Rows(ctx, shownActivities)
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
