package graph

import (
	"context"
	"slices"

	"coreroller/ent/db"
	"coreroller/ent/db/group"
	"coreroller/ent/db/groupcount"
	"coreroller/ent/db/instance"
	"coreroller/ent/db/predicate"
	"coreroller/graph/model"
)

// countInstances is how many machines match, and whether that is all of them:
// from the counters where they know it.
func (r *Resolver) countInstances(ctx context.Context, f model.InstanceFilter, counted *counted, where []predicate.Instance) (int, bool, error) {
	if f.Oem != nil || f.SeenAfter != nil || f.SeenBefore != nil || f.Search != nil && *f.Search != "" {
		ids, err := r.reader.Instance.Query().Where(where...).Limit(maxCounted + 1).IDs(ctx)
		return min(len(ids), maxCounted), len(ids) <= maxCounted, err
	}
	var counts []predicate.GroupCount
	if f.GroupID != nil {
		counts = append(counts, groupcount.GroupID(*f.GroupID))
	}
	if f.ApplicationID != nil {
		counts = append(counts, groupcount.HasGroupWith(group.ApplicationID(*f.ApplicationID)))
	}
	if f.States != nil {
		counts = append(counts, groupcount.StateIn(f.States...))
	}
	if f.Versions != nil {
		counts = append(counts, groupcount.VersionIn(f.Versions...))
	}
	if f.Standings != nil {
		counts = append(counts, groupcount.StandingIn(f.Standings...))
	}
	if f.Reasons != nil {
		counts = append(counts, groupcount.ReasonIn(reasonCodes(f.Reasons)...))
	}
	if counted != nil {
		counts = append(counts, counted.where)
	}
	var sums []struct {
		Sum *int `json:"sum"` // null without rows
	}
	err := r.reader.GroupCount.Query().Where(counts...).Aggregate(db.Sum(groupcount.FieldMachines)).Scan(ctx, &sums)
	if err != nil {
		return 0, false, err
	}
	if f.GroupID != nil {
		return value(sums[0].Sum), true, nil
	}
	// The counters know no machine without a group; there are few.
	homeless, err := r.reader.Instance.Query().Where(slices.Concat(where, []predicate.Instance{instance.GroupIDIsNil()})...).
		Limit(maxCounted).IDs(ctx)
	return value(sums[0].Sum) + len(homeless), len(homeless) < maxCounted, err
}
