package graph

import (
	"cmp"
	"context"

	"github.com/google/uuid"

	"github.com/coreroller/coreroller/ent/db"
	"github.com/coreroller/coreroller/event"
	"github.com/coreroller/coreroller/fleet"
	"github.com/coreroller/coreroller/fleet/catalog"
	"github.com/coreroller/coreroller/fleet/view"
	"github.com/coreroller/coreroller/fleet/view/machines"
	"github.com/coreroller/coreroller/graph/model"
	"github.com/coreroller/coreroller/rollout"
)

func (r *queryResolver) Instance(ctx context.Context, id uuid.UUID) (*db.Instance, error) {
	return maybe(r.fleet.View.Instance(ctx, id, with(ctx)))
}

func (r *queryResolver) InstanceByMachineID(ctx context.Context, applicationID uuid.UUID, machineID string) (*db.Instance, error) {
	return maybe(r.fleet.View.InstanceByMachineID(ctx, applicationID, machineID, with(ctx)))
}

func (r *queryResolver) Instances(ctx context.Context, filter *machines.Filter, first *int, after *string, orderBy *model.InstanceOrder) (*model.InstanceConnection, error) {
	l := &machinePager{List: machines.List{Filter: value(filter)}, view: r.fleet.View, with: withNodes(ctx)}
	if orderBy != nil {
		l.By, l.Down = machineColumns[orderBy.Field], value(orderBy.Direction) == model.OrderDirectionDesc
	}
	c, err := readRows[*db.Instance](ctx, l, first, after)
	if err != nil {
		return nil, err
	}
	if askedTotal(ctx) {
		c.TotalCount, c.TotalCountIsExact, err = r.fleet.View.CountMachines(ctx, l.Filter, maxCounted)
	}
	return c, err
}

var machineColumns = map[model.InstanceOrderField]machines.Column{
	model.InstanceOrderFieldMachineID: machines.ByMachineID,
	model.InstanceOrderFieldState:     machines.ByState,
	model.InstanceOrderFieldVersion:   machines.ByVersion,
}

// machinePager is a list of machines as a pager.
type machinePager struct {
	machines.List
	view *view.Service
	with view.With
}

// Page implements pager.
func (m *machinePager) Page(ctx context.Context, n int) (view.Page[*db.Instance], error) {
	m.Limit = n + 1
	rows, err := m.view.Machines(ctx, m.List, m.with)
	return view.PageOf(rows, n, m.Place), err
}

func (r *instanceResolver) Alias(_ context.Context, obj *db.Instance) (string, error) {
	return cmp.Or(obj.Alias, obj.MachineAlias), nil
}

// CountedAs returns nil without a group.
func (r *instanceResolver) CountedAs(ctx context.Context, obj *db.Instance) (*catalog.Part, error) {
	if obj.GroupID == nil {
		return nil, nil
	}
	g := r.fleet.Catalog().Group(*obj.GroupID)
	if g == nil {
		return nil, nil // the group was deleted meanwhile
	}
	current, err := loadersOf(ctx).current.load(ctx, g.ID)
	if err != nil || current == nil {
		return new(g.Part(obj, rollout.RolloutActive)), err
	}
	return new(g.Part(obj, current.State)), nil
}

// Grant returns nil for a void grant, which the next check withdraws.
func (r *instanceResolver) Grant(ctx context.Context, obj *db.Instance) (*model.Grant, error) {
	if obj.GrantedAt == nil || obj.GroupID == nil {
		return nil, nil
	}
	current, err := loadersOf(ctx).current.load(ctx, *obj.GroupID)
	if err != nil || view.GrantVoid(obj, r.fleet.Catalog().Group(*obj.GroupID), current, r.Now()) {
		return nil, err
	}
	return &model.Grant{
		Version: obj.OfferVersion, Wave: obj.OfferWave + 1, Number: obj.Attempt, GrantedAt: *obj.GrantedAt, LeaseExpiresAt: obj.LeaseUntil,
		DownloadingAt: obj.DownloadingAt, DownloadedAt: obj.DownloadedAt, InstalledAt: obj.InstalledAt,
	}, nil
}

func (r *instanceResolver) Override(_ context.Context, obj *db.Instance) (*model.Override, error) {
	if obj.Override == rollout.OverrideNone || obj.OverrideUntil != nil && !r.Now().Before(*obj.OverrideUntil) {
		return nil, nil
	}
	return &model.Override{
		Kind: obj.Override, Version: obj.OverrideVersion, Until: obj.OverrideUntil, By: obj.OverrideBy, Reason: obj.OverrideReason,
	}, nil
}

func (r *instanceResolver) Attempts(ctx context.Context, obj *db.Instance, first *int, after *string) (*model.AttemptConnection, error) {
	return readPage(ctx, r.fleet.View.Attempts(obj.ID, withNodes(ctx)), first, after)
}

func (r *instanceResolver) History(ctx context.Context, obj *db.Instance, first *int, after *string) (*model.HistoryConnection, error) {
	return readPage(ctx, r.fleet.View.History(obj.ID), first, after)
}

// Instance returns nil if the machine was forgotten.
func (r *attemptResolver) Instance(ctx context.Context, obj *db.Attempt) (*db.Instance, error) {
	row, err := obj.Instance(ctx)
	return row, db.MaskNotFound(err)
}

func (r *attemptResolver) Wave(_ context.Context, obj *db.Attempt) (int, error) {
	return obj.Wave + 1, nil
}

func (r *attemptResolver) Description(_ context.Context, obj *db.Attempt) (string, error) {
	if obj.Outcome.Failure() {
		return failureDescription(obj.Outcome, obj.Code), nil
	}
	return codeDescription(obj.Code), nil
}

// failureDescription describes how attempts failed, without the code.
func failureDescription(o rollout.Outcome, code int) string {
	switch {
	case code != 0:
		return codeDescription(code)
	case o == rollout.OutcomeTimeout:
		return "no report within the lease"
	case o == rollout.OutcomeRolledBack:
		return "rolled back after the reboot"
	}
	return "no code"
}

// codeDescription describes an error code; "" for code 0.
func codeDescription(code int) string {
	if code == 0 {
		return ""
	}
	return cmp.Or(rollout.CodeText(code), "unknown code")
}

func (r *mutationResolver) HoldInstance(ctx context.Context, input fleet.HoldInstance) (*model.InstancePayload, error) {
	return payload(r.fleet.HoldInstance(ctx, input))
}

func (r *mutationResolver) PinInstance(ctx context.Context, input fleet.PinInstance) (*model.InstancePayload, error) {
	return payload(r.fleet.PinInstance(ctx, input))
}

func (r *mutationResolver) ReleaseInstance(ctx context.Context, input fleet.ReleaseInstance) (*model.InstancePayload, error) {
	return payload(r.fleet.ReleaseInstance(ctx, input))
}

func (r *mutationResolver) MoveInstance(ctx context.Context, input fleet.MoveInstance) (*model.InstancePayload, error) {
	return payload(r.fleet.MoveInstance(ctx, input))
}

func (r *mutationResolver) SetInstanceAlias(ctx context.Context, input fleet.SetInstanceAlias) (*model.InstancePayload, error) {
	return payload(r.fleet.SetInstanceAlias(ctx, input))
}

func (r *mutationResolver) LabelInstance(ctx context.Context, input fleet.LabelInstance) (*model.InstancePayload, error) {
	return payload(r.fleet.LabelInstance(ctx, input))
}

func (r *mutationResolver) ForgetInstance(ctx context.Context, input fleet.ForgetInstance) (*model.DeletePayload, error) {
	return deletePayload(input.ID, r.fleet.ForgetInstance(ctx, input))
}

func (r *mutationResolver) EnrollInstances(ctx context.Context, input fleet.EnrollInstances) (*model.EnrollInstancesPayload, error) {
	return payload(r.fleet.EnrollInstances(ctx, input))
}

func (r *mutationResolver) ForgetInstances(ctx context.Context, input fleet.ForgetInstances) (*model.ForgetInstancesPayload, error) {
	return payload(r.fleet.ForgetInstances(ctx, input))
}

func (r *subscriptionResolver) InstanceChanged(ctx context.Context, id uuid.UUID) (<-chan *model.InstanceChange, error) {
	wanted := func(e event.Event) bool { return e.Kind == event.MachineChanged && e.Instance == id }
	return watch(ctx, r.Resolver, messageInterval, wanted, func(ctx context.Context, snapshot bool) (*model.InstanceChange, bool, error) {
		row, err := maybe(r.fleet.View.Instance(ctx, id, with(ctx, []string{"instance"})))
		return &model.InstanceChange{AsOf: r.Now(), Snapshot: snapshot, Instance: row}, row == nil, err
	})
}
