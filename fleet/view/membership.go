package view

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/google/uuid"

	"github.com/coreroller/coreroller/auth"
	"github.com/coreroller/coreroller/ent/db"
	"github.com/coreroller/coreroller/ent/db/instance"
	"github.com/coreroller/coreroller/ent/db/reassignment"
	"github.com/coreroller/coreroller/fleet/catalog"
	"github.com/coreroller/coreroller/fleet/fault"
	"github.com/coreroller/coreroller/fleet/input"
	"github.com/coreroller/coreroller/fleet/membership"
	"github.com/coreroller/coreroller/fleet/selector"
	"github.com/coreroller/coreroller/fleet/view/machines"
	"github.com/coreroller/coreroller/rollout/phrase"
)

// maxPreviewed is how many machines a preview of an expression looks at.
const maxPreviewed = 100_000

// newGroup stands for a group that does not exist yet. Its id will be the highest, so it is
// tried last of those with the same priority.
var newGroup = uuid.Max

// maxSamples is how many machine ids a preview names for each move.
const maxSamples = 5

// PreviewExpression is the input of Service.PreviewExpression.
type PreviewExpression struct {
	ApplicationID uuid.UUID
	GroupID       *uuid.UUID // nil: a new group
	Arch          string     // of a new group
	Expression    string     // "": the group has none any more
	Priority      int
}

// ExpressionPreview is what an expression would do to the machines of its application.
type ExpressionPreview struct {
	Machines int  // that were looked at
	Complete bool // these are all; else there are more than a preview looks at
	Matches  int  // for which the expression is true
	Comes    int  // join the group
	Leaves   int  // leave it
	Waiting  int  // move once their update has ended
	Kept     int  // stay, because their group is left only with an approval
	Moves    []ExpressionMove
	Sentence string
}

// ExpressionMove is a number of machines that move from one group to another.
type ExpressionMove struct {
	From, To  uuid.UUID // zero: the new group
	Machines  int
	Samples   []string    // machine ids, at most 5
	SampleIDs []uuid.UUID // of the same machines
}

// PreviewExpression counts what an expression of a group would move. It changes nothing.
func (s *Service) PreviewExpression(ctx context.Context, in PreviewExpression) (*ExpressionPreview, error) {
	if _, err := fault.Require(ctx, auth.Viewer); err != nil {
		return nil, err
	}
	if s.seen(ctx).App(in.ApplicationID) == nil {
		return nil, fault.Errorf(fault.NotFound, "applicationId", "there is no such application")
	}
	app := s.catalog.Catalog().App(in.ApplicationID)
	var p input.Problems
	e := p.Expression("expression", in.Expression)
	p.Priority("priority", in.Priority)
	in.Arch = p.Arch("arch", in.Arch)
	id := input.Or(in.GroupID, newGroup)
	if g := s.seen(ctx).Group(id); in.GroupID != nil && (g == nil || g.App.ID != app.ID) {
		p.Add("groupId", "the application has no such group")
	}
	if err := p.Err(); err != nil {
		return nil, err
	}
	next := app.WithExpression(id, cmp.Or(in.Arch, "amd64"), e, in.Priority)
	out := &ExpressionPreview{}
	moves := map[[2]uuid.UUID]*ExpressionMove{}
	var failed error
	err := s.Walk(ctx, machines.Filter{Application: &app.ID}, maxPreviewed, membershipColumns(), func(rows []*db.Instance) {
		var labels map[uuid.UUID][]*db.MachineLabel
		if next.SelectLabels() && failed == nil {
			labels, failed = s.labelsOf(ctx, rows)
		}
		for _, row := range rows {
			out.look(next, row, labels[row.ID], id, e, moves)
		}
	})
	if err := cmp.Or(err, failed); err != nil {
		return nil, err
	}
	out.Complete = out.Machines < maxPreviewed
	for _, m := range moves {
		if m.To == newGroup {
			m.To = uuid.Nil
		}
		out.Moves = append(out.Moves, *m)
	}
	slices.SortFunc(out.Moves, func(a, b ExpressionMove) int {
		return cmp.Or(b.Machines-a.Machines, slices.Compare(a.From[:], b.From[:]), slices.Compare(a.To[:], b.To[:]))
	})
	out.describe()
	return out, nil
}

func membershipColumns() []string {
	return []string{
		instance.FieldHomeGroupID, instance.FieldArch, instance.FieldMoved, instance.FieldMoveTo, instance.FieldGrantedAt, instance.FieldMachineAlias,
		instance.FieldAddress, instance.FieldOem, instance.FieldOemVersion, instance.FieldAlephVersion,
	}
}

// look counts one machine.
func (out *ExpressionPreview) look(next *catalog.App, row *db.Instance, labels []*db.MachineLabel, group uuid.UUID, e *selector.Expression, moves map[[2]uuid.UUID]*ExpressionMove) {
	out.Machines++
	m := membership.OfRow(row, labels)
	if e != nil && e.Matches(&m.Machine) {
		out.Matches++
	}
	if m.Chosen || m.Group == uuid.Nil {
		return
	}
	home := next.Group(m.HomeOrGroup())
	c := membership.Choose(next, &m, home)
	if c.Group == nil || c.Group.ID == m.Group {
		return
	}
	switch c.Stays {
	case membership.StaysProtected:
		out.Kept++
		return
	case membership.StaysUpdating:
		out.Waiting++
	case membership.StaysNot:
	}
	if c.Group.ID == group {
		out.Comes++
	}
	if m.Group == group {
		out.Leaves++
	}
	key := [2]uuid.UUID{m.Group, c.Group.ID}
	if moves[key] == nil {
		moves[key] = &ExpressionMove{From: m.Group, To: c.Group.ID}
	}
	moves[key].Machines++
	if len(moves[key].Samples) < maxSamples {
		moves[key].Samples = append(moves[key].Samples, row.MachineID)
		moves[key].SampleIDs = append(moves[key].SampleIDs, row.ID)
	}
}

func (out *ExpressionPreview) describe() {
	moved := 0
	for i := range out.Moves {
		moved += out.Moves[i].Machines
	}
	out.Sentence = "moves " + phrase.Count(moved, "machine")
	if out.Waiting > 0 {
		out.Sentence += fmt.Sprintf(", %d of them once their update has ended", out.Waiting)
	}
	if out.Kept > 0 {
		out.Sentence += "; " + phrase.Count(out.Kept, "machine") + " cannot leave a group without an approval"
	}
	if !out.Complete {
		out.Sentence += fmt.Sprintf("; only the first %s were looked at", phrase.Count(out.Machines, "machine"))
	}
}

// Membership is why a machine is in its group.
type Membership struct {
	By       MembershipBy
	Sentence string
	Results  []ExpressionResult // in the order in which the expressions are tried
}

// MembershipBy is what chose the group of a machine.
type MembershipBy string

// The values of MembershipBy.
const (
	ByTrack      MembershipBy = "TRACK"
	ByExpression MembershipBy = "EXPRESSION"
	ByPerson     MembershipBy = "PERSON"
)

// ExpressionResult is the expression of one group with its result for a machine.
type ExpressionResult struct {
	Group *catalog.Group
	Is    bool
	Parts []ExpressionPart
}

// ExpressionPart is one comparison of an expression with its result for a machine.
type ExpressionPart selector.Part

// maxResults is how many expressions an explanation has.
const maxResults = 50

// Membership explains why a machine with the given attributes and tags is in its group.
func (s *Service) Membership(ctx context.Context, row *db.Instance, labels []*db.MachineLabel) (*Membership, error) {
	if _, err := fault.Require(ctx, auth.Viewer); err != nil {
		return nil, err
	}
	app := s.catalog.Catalog().App(row.ApplicationID)
	if app == nil {
		return nil, fault.Errorf(fault.NotFound, "", "the application was deleted")
	}
	m := membership.OfRow(row, labels)
	out := &Membership{}
	seen := s.seen(ctx)
	for _, g := range app.SelectorGroups() {
		if g.Arch != m.Arch || seen.Group(g.ID) == nil {
			continue
		}
		r := ExpressionResult{Group: g, Is: g.Expression.Matches(&m.Machine)}
		for _, part := range g.Expression.Explain(&m.Machine) {
			r.Parts = append(r.Parts, ExpressionPart(part))
		}
		if out.Results = append(out.Results, r); r.Is || len(out.Results) == maxResults {
			break
		}
	}
	out.explain(app, &m)
	return out, nil
}

// explain says what chose the group, and whether the machine is to move.
func (out *Membership) explain(app *catalog.App, m *membership.Machine) {
	at := app.Group(m.Group)
	switch {
	case at == nil:
		out.By, out.Sentence = ByTrack, "in no group until it checks in again"
		return
	case m.Chosen:
		out.By, out.Sentence = ByPerson, "a person chose the group: neither its track nor an expression counts"
		return
	}
	c := membership.Choose(app, m, app.Group(m.HomeOrGroup()))
	out.By, out.Sentence = ByTrack, "its track names the group"
	if m.Home != uuid.Nil {
		out.By, out.Sentence = ByExpression, "the expression of group "+at.Name+" is true, and that of no group before it"
	}
	if c.Group == nil || c.Group == at {
		return
	}
	to := "the expression of group " + c.Group.Name + " is true: it moves there "
	if !c.Selected {
		to = "no expression is true any more: it moves to group " + c.Group.Name + " of its track "
	}
	switch c.Stays {
	case membership.StaysUpdating:
		out.Sentence = to + "once its update has ended"
	case membership.StaysProtected:
		out.Sentence = to + "only with an approval, because group " + at.Name + " or its channel requires one"
	case membership.StaysNot:
		out.Sentence = to + "within minutes, or at its next check"
	}
}

// Reassignments reads the walks that apply changed expressions, by application.
func (s *Service) Reassignments(ctx context.Context, apps []uuid.UUID) (map[uuid.UUID]*db.Reassignment, error) {
	return indexed(ctx, "the walks over machines", s.db().Reassignment.Query().Where(reassignment.ApplicationIDIn(apps...)).All,
		func(r *db.Reassignment) uuid.UUID { return r.ApplicationID })
}
