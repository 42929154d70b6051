package graph

import (
	"cmp"
	"context"
	"slices"

	"github.com/coreroller/coreroller/ent/db"
	"github.com/coreroller/coreroller/fleet/job"
	"github.com/coreroller/coreroller/graph/model"
)

// Attributes returns what the machine sends and what users set.
func (r *instanceResolver) Attributes(ctx context.Context, obj *db.Instance) ([]*model.MachineAttribute, error) {
	rows, err := loadersOf(ctx).labels.load(ctx, obj.ID)
	if err != nil {
		return nil, err
	}
	all := []*model.MachineAttribute{}
	for _, sent := range []job.Attribute{
		{Name: job.AttributeOEM, Value: obj.Oem}, {Name: job.AttributeOEMVersion, Value: obj.OemVersion}, {Name: job.AttributeAlephVersion, Value: obj.AlephVersion},
		{Name: job.AttributeArch, Value: obj.Arch}, {Name: job.AttributeAddress, Value: obj.Address},
	} {
		if sent.Value != "" {
			all = append(all, &model.MachineAttribute{Name: sent.Name, Value: sent.Value, Source: model.AttributeSourceMachine})
		}
	}
	for _, row := range rows {
		switch {
		case row.Tag:
		case row.Sent:
			all = append(all, &model.MachineAttribute{Name: row.Name, Value: row.Value, Source: model.AttributeSourceMachine})
		default:
			all = append(all, &model.MachineAttribute{Name: row.Name, Value: row.Value, Source: model.AttributeSourceUser, SetBy: row.SetBy, SetAt: &row.SetAt})
		}
	}
	slices.SortFunc(all, func(a, b *model.MachineAttribute) int { return cmp.Compare(a.Name, b.Name) })
	return all, nil
}

func (r *instanceResolver) Tags(ctx context.Context, obj *db.Instance) ([]*db.MachineLabel, error) {
	rows, err := loadersOf(ctx).labels.load(ctx, obj.ID)
	tags := []*db.MachineLabel{}
	for _, row := range rows {
		if row.Tag {
			tags = append(tags, row)
		}
	}
	return tags, err
}
