package graph

import (
	"context"

	"github.com/coreroller/coreroller/ent/db"
	"github.com/coreroller/coreroller/fleet/catalog"
	"github.com/coreroller/coreroller/fleet/view"
	"github.com/coreroller/coreroller/graph/model"
)

// instances reads a page of machines.
func (r *Resolver) instances(ctx context.Context, f model.InstanceFilter, first *int, after *string, by *model.InstanceOrder) (*model.InstanceConnection, error) {
	l := &machines{MachineList: view.MachineList{MachineFilter: machineFilter(f)}, view: r.fleet.View, with: withNodes(ctx)}
	if by != nil {
		l.By = machineColumn(by.Field)
		l.Down = by.Direction != nil && *by.Direction == model.OrderDirectionDesc
	}
	p, err := readRows[*db.Instance](ctx, l, first, after)
	if err != nil {
		return nil, err
	}
	c := &model.InstanceConnection{Nodes: p.rows, PageInfo: p.info, TotalIsExact: true}
	c.Edges = edges(p, func(cursor string, node *db.Instance) *model.InstanceEdge {
		return &model.InstanceEdge{Cursor: cursor, Node: node}
	})
	if asked(ctx, "totalCount") || asked(ctx, "totalIsExact") {
		c.TotalCount, c.TotalIsExact, err = r.fleet.View.CountMachines(ctx, l.MachineFilter, maxCounted)
	}
	return c, err
}

// machines is a list of machines as a pager.
type machines struct {
	view.MachineList
	view *view.Service
	with view.With
}

// Rows implements pager.
func (m *machines) Rows(ctx context.Context, n int) ([]*db.Instance, error) {
	m.Limit = n
	return m.view.Machines(ctx, m.MachineList, m.with)
}

func machineFilter(f model.InstanceFilter) view.MachineFilter {
	out := view.MachineFilter{
		Application: f.ApplicationID, Group: f.GroupID, States: f.States, Versions: f.Versions, Standings: f.Standings, Reasons: f.Reasons,
		OEM: f.Oem, SeenAfter: f.SeenAfter, SeenBefore: f.SeenBefore, Search: value(f.Search),
	}
	if f.CountedAs != nil {
		out.CountedAs = []catalog.Part{}
	}
	for _, part := range f.CountedAs {
		out.CountedAs = append(out.CountedAs, catalog.Part(part))
	}
	return out
}

// countedPart returns the count that includes a machine; nil without a group.
func (r *Resolver) countedPart(m *db.Instance) *model.CountedAs {
	if m.GroupID == nil {
		return nil
	}
	g := r.fleet.Catalog().Group(*m.GroupID)
	if g == nil {
		return nil // the group was deleted meanwhile
	}
	part := model.CountedAs(g.Part(m))
	return &part
}

func machineColumn(f model.InstanceOrderField) view.MachineColumn {
	switch f {
	case model.InstanceOrderFieldState:
		return view.ByState
	case model.InstanceOrderFieldVersion:
		return view.ByVersion
	case model.InstanceOrderFieldMachineID:
	}
	return view.ByMachineID
}
