package view

import (
	"cmp"
	"context"
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
	out := &FailureSlices{Slices: []FailureSlice{}}
	for _, read := range []func(context.Context, uuid.UUID, *string, func(FailureSlice, int)) (int, error){s.attemptSlices, s.machineSlices, s.labelSlices} {
		n, err := read(ctx, rollout, name, add)
		if err != nil {
			return nil, fmt.Errorf("read failures by attribute: %w", err)
		}
		if out.Attempts = max(out.Attempts, n); out.Attempts == 0 {
			return out, nil
		}
	}
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

// attemptSlices counts by what attempts keep, and returns the number of attempts.
func (s *Service) attemptSlices(ctx context.Context, rollout uuid.UUID, _ *string, add func(FailureSlice, int)) (total int, err error) {
	var rows []struct {
		OEM         string `sql:"oem"`
		FromVersion string `sql:"from_version"`
		Count       int    `sql:"count"`
	}
	err = s.db().Attempt.Query().Where(newestFailed(attempt.FieldID, attempt.FieldID, rollout)).
		GroupBy(attempt.FieldOem, attempt.FieldFromVersion).Aggregate(db.Count()).Scan(ctx, &rows)
	for _, row := range rows {
		total += row.Count
		add(FailureSlice{Name: job.AttributeOEM, Value: row.OEM}, row.Count)
		add(FailureSlice{Name: previousVersion, Value: row.FromVersion}, row.Count)
	}
	return total, err
}

// machineSlices counts by what machines send of themselves now.
func (s *Service) machineSlices(ctx context.Context, rollout uuid.UUID, _ *string, add func(FailureSlice, int)) (int, error) {
	var rows []struct {
		OEMVersion   string `sql:"oem_version"`
		AlephVersion string `sql:"aleph_version"`
		Count        int    `sql:"count"`
	}
	err := s.db().Instance.Query().Where(newestFailed(instance.FieldID, attempt.FieldInstanceID, rollout)).
		GroupBy(instance.FieldOemVersion, instance.FieldAlephVersion).Aggregate(db.Count()).Scan(ctx, &rows)
	for _, row := range rows {
		add(FailureSlice{Name: job.AttributeOEMVersion, Value: row.OEMVersion}, row.Count)
		add(FailureSlice{Name: job.AttributeAlephVersion, Value: row.AlephVersion}, row.Count)
	}
	return 0, err
}

// labelSlices counts by the attributes and tags that people set, and by request
// attributes. It reads only the most frequent ones.
func (s *Service) labelSlices(ctx context.Context, rollout uuid.UUID, name *string, add func(FailureSlice, int)) (int, error) {
	var rows []struct {
		Tag   bool
		Name  string
		Value string
		Count int
	}
	q := s.db().MachineLabel.Query().Where(newestFailed(machinelabel.FieldInstanceID, attempt.FieldInstanceID, rollout))
	if name != nil {
		q.Where(machinelabel.Name(*name))
	}
	err := q.Order(func(s *sql.Selector) {
		s.OrderBy(sql.Desc(sql.Count("*")), s.C(machinelabel.FieldName), s.C(machinelabel.FieldTag), s.C(machinelabel.FieldValue))
	}).Limit(maxKinds).GroupBy(machinelabel.FieldTag, machinelabel.FieldName, machinelabel.FieldValue).Aggregate(db.Count()).Scan(ctx, &rows)
	for _, row := range rows {
		add(FailureSlice{Name: row.Name, Value: row.Value, Tag: row.Tag}, row.Count)
	}
	return 0, err
}

// newestFailed is the condition that a column is one of a column of the newest failed
// attempts of a rollout.
func newestFailed(column, ofAttempt string, rollout uuid.UUID) func(*sql.Selector) {
	return func(s *sql.Selector) {
		b := sql.Dialect(s.Dialect())
		t := b.Table(attempt.Table).As("newest")
		newest := b.Select(t.C(ofAttempt)).From(t).Where(sql.And(sql.EQ(t.C(attempt.FieldRolloutID), rollout), sql.ExprP(t.C(attempt.FieldFailed)))).
			OrderBy(sql.Desc(t.C(attempt.FieldID))).Limit(sliceAttempts)
		s.Where(sql.In(s.C(column), newest))
	}
}

// sliced returns the conditions of a slice on failed attempts. They test the machine of
// each one.
func (f *FailureFilter) sliced() (where []predicate.Attempt) {
	if f.Tag != nil {
		where = append(where, labeled(true, *f.Tag, ""))
	}
	if f.Attribute == nil {
		return where
	}
	value := f.Attribute.Value
	switch f.Attribute.Name {
	case job.AttributeOEM:
		return append(where, attempt.Oem(value))
	case previousVersion:
		return append(where, attempt.FromVersion(value))
	case job.AttributeOEMVersion:
		return append(where, attempt.HasInstanceWith(instance.OemVersion(value)))
	case job.AttributeAlephVersion:
		return append(where, attempt.HasInstanceWith(instance.AlephVersion(value)))
	}
	return append(where, labeled(false, f.Attribute.Name, value))
}

func labeled(tag bool, name, value string) predicate.Attempt {
	return attempt.HasInstanceWith(instance.HasLabelsWith(machinelabel.TagEQ(tag), machinelabel.Name(name), machinelabel.Value(value)))
}
