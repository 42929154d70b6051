package view

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"entgo.io/ent/dialect/sql"
	"github.com/google/uuid"

	"github.com/coreroller/coreroller/auth"
	"github.com/coreroller/coreroller/ent/db"
	"github.com/coreroller/coreroller/ent/db/attempt"
	"github.com/coreroller/coreroller/ent/db/instance"
	"github.com/coreroller/coreroller/ent/db/machinelabel"
	"github.com/coreroller/coreroller/ent/db/predicate"
	"github.com/coreroller/coreroller/fleet/fault"
	"github.com/coreroller/coreroller/fleet/job"
)

const (
	// sliceAttempts is the most failed attempts of a rollout whose machines are looked at:
	// their labels are not counted when they fail.
	sliceAttempts = 1000
	// standsOut is the least number of failed attempts of a slice that stands out.
	standsOut = 3
	// previousVersion is the name of the version that a machine ran before. No attribute can
	// have it.
	previousVersion = "version"
)

// FailureSlice is the failed attempts of a rollout whose machines have an attribute or a
// tag.
type FailureSlice struct {
	Name      string
	Value     string // "" for a tag
	Tag       bool
	Attempts  int
	StandsOut bool // at least half of the failed attempts, but not all
}

// FailureSlices are the slices of the newest failed attempts of a rollout.
type FailureSlices struct {
	Attempts int // that were looked at, at most sliceAttempts
	Slices   []FailureSlice
}

// FailureSlices counts the failed attempts of a rollout by what their machines are:
// platform and previous version as they were when the attempt ended, everything else as it
// is now. There is no slice by architecture, because the machines of a group have the same.
// name limits the slices to one attribute or tag. A rollout has at most one failed attempt
// of a machine.
func (s *Service) FailureSlices(ctx context.Context, rollout uuid.UUID, name *string, first *int) (*FailureSlices, error) {
	if _, err := fault.Require(ctx, auth.Viewer); err != nil {
		return nil, err
	}
	limit := 20
	if first != nil {
		limit = *first
	}
	if limit < 1 || limit > maxKinds {
		return nil, fault.Errorf(fault.Invalid, "first", "must be from 1 to %d", maxKinds)
	}
	if name != nil && strings.ContainsRune(*name, 0) {
		return nil, fault.Errorf(fault.Invalid, "name", "must not contain NUL")
	}
	sums := map[FailureSlice]int{}
	add := func(slice FailureSlice, n int) {
		if (slice.Value != "" || slice.Tag) && (name == nil || *name == slice.Name) {
			sums[slice] += n
		}
	}
	failed, err := s.newestFailed(ctx, rollout)
	if err != nil {
		return nil, err
	}
	for _, row := range failed {
		add(FailureSlice{Name: job.AttributeOEM, Value: row.Oem}, 1)
		add(FailureSlice{Name: previousVersion, Value: row.FromVersion}, 1)
	}
	for part := range slices.Chunk(machinesOf(failed), idsOfStatement) {
		if err := errors.Join(s.machineSlices(ctx, part, add), s.labelSlices(ctx, part, name, add)); err != nil {
			return nil, fmt.Errorf("read failures by attribute: %w", err)
		}
	}
	out := &FailureSlices{Attempts: len(failed), Slices: make([]FailureSlice, 0, len(sums))}
	for slice, n := range sums {
		slice.Attempts, slice.StandsOut = n, n >= standsOut && 2*n >= out.Attempts && n < out.Attempts
		out.Slices = append(out.Slices, slice)
	}
	slices.SortFunc(out.Slices, func(a, b FailureSlice) int {
		tag := map[bool]int{true: 1}
		return cmp.Or(cmp.Compare(b.Attempts, a.Attempts), cmp.Compare(a.Name, b.Name), cmp.Compare(tag[a.Tag], tag[b.Tag]), cmp.Compare(a.Value, b.Value))
	})
	out.Slices = out.Slices[:min(len(out.Slices), limit)]
	return out, nil
}

// newestFailed reads what attempts keep of the newest failed attempts of a rollout.
func (s *Service) newestFailed(ctx context.Context, rollout uuid.UUID) ([]*db.Attempt, error) {
	return read(ctx, "failed attempts", s.db().Attempt.Query().Where(attempt.RolloutID(rollout), failed).Order(attempt.ByID(sql.OrderDesc())).Limit(sliceAttempts).
		Select(attempt.FieldInstanceID, attempt.FieldOem, attempt.FieldFromVersion).All)
}

func machinesOf(rows []*db.Attempt) []uuid.UUID {
	ids := make([]uuid.UUID, len(rows))
	for i, row := range rows {
		ids[i] = row.InstanceID
	}
	return ids
}

// machineSlices counts by what machines send of themselves now.
func (s *Service) machineSlices(ctx context.Context, ids []uuid.UUID, add func(FailureSlice, int)) error {
	rows, err := s.db().Instance.Query().Where(instance.IDIn(ids...)).Select(instance.FieldOemVersion, instance.FieldAlephVersion).All(ctx)
	for _, row := range rows {
		add(FailureSlice{Name: job.AttributeOEMVersion, Value: row.OemVersion}, 1)
		add(FailureSlice{Name: job.AttributeAlephVersion, Value: row.AlephVersion}, 1)
	}
	return err
}

// labelSlices counts by the attributes and tags that people set, and by request
// attributes.
func (s *Service) labelSlices(ctx context.Context, ids []uuid.UUID, name *string, add func(FailureSlice, int)) error {
	var rows []struct {
		Tag   bool
		Name  string
		Value string
		Count int
	}
	q := s.db().MachineLabel.Query().Where(machinelabel.InstanceIDIn(ids...))
	if name != nil {
		q.Where(machinelabel.Name(*name))
	}
	err := q.GroupBy(machinelabel.FieldTag, machinelabel.FieldName, machinelabel.FieldValue).Aggregate(db.Count()).Scan(ctx, &rows)
	for _, row := range rows {
		add(FailureSlice{Name: row.Name, Value: row.Value, Tag: row.Tag}, row.Count)
	}
	return err
}

// sliced returns the conditions of a slice on failed attempts. Those on machines are met
// only by attempts that FailureSlices looks at.
func (s *Service) sliced(ctx context.Context, rollout uuid.UUID, f *FailureFilter) (where []predicate.Attempt, err error) {
	var conditions []func(context.Context, []uuid.UUID) ([]uuid.UUID, error)
	if f.Tag != nil {
		conditions = append(conditions, s.labeled(true, *f.Tag, ""))
	}
	if f.Attribute != nil {
		value := f.Attribute.Value
		switch f.Attribute.Name {
		case job.AttributeOEM:
			where = append(where, attempt.Oem(value))
		case previousVersion:
			where = append(where, attempt.FromVersion(value))
		case job.AttributeOEMVersion:
			conditions = append(conditions, s.sending(instance.OemVersion(value)))
		case job.AttributeAlephVersion:
			conditions = append(conditions, s.sending(instance.AlephVersion(value)))
		default:
			conditions = append(conditions, s.labeled(false, f.Attribute.Name, value))
		}
	}
	if conditions == nil {
		return where, nil
	}
	rows, err := s.newestFailed(ctx, rollout)
	if err != nil {
		return nil, err
	}
	var machines []uuid.UUID
	for part := range slices.Chunk(machinesOf(rows), idsOfStatement) {
		for _, met := range conditions {
			if part, err = met(ctx, part); err != nil {
				return nil, fmt.Errorf("read failures by attribute: %w", err)
			}
		}
		machines = append(machines, part...)
	}
	return append(where, attempt.InstanceIDIn(machines...)), nil
}

// sending returns which machines meet a condition.
func (s *Service) sending(condition predicate.Instance) func(context.Context, []uuid.UUID) ([]uuid.UUID, error) {
	return func(ctx context.Context, ids []uuid.UUID) ([]uuid.UUID, error) {
		return s.db().Instance.Query().Where(instance.IDIn(ids...), condition).IDs(ctx)
	}
}

// labeled returns which machines have a label. It compares kind and value itself: with
// them in the statement a database may read all machines with the label instead of these.
func (s *Service) labeled(tag bool, name, value string) func(context.Context, []uuid.UUID) ([]uuid.UUID, error) {
	return func(ctx context.Context, ids []uuid.UUID) (met []uuid.UUID, err error) {
		rows, err := s.db().MachineLabel.Query().Where(machinelabel.InstanceIDIn(ids...), machinelabel.Name(name)).
			Select(machinelabel.FieldInstanceID, machinelabel.FieldTag, machinelabel.FieldValue).All(ctx)
		for _, row := range rows {
			if row.Tag == tag && row.Value == value {
				met = append(met, row.InstanceID)
			}
		}
		return met, err
	}
}
