package machines

import (
	"fmt"
	"slices"

	"entgo.io/ent/dialect/sql"
	"github.com/google/uuid"

	"github.com/coreroller/coreroller/ent/db/instance"
	"github.com/coreroller/coreroller/ent/db/machinelabel"
	"github.com/coreroller/coreroller/fleet/fault"
	"github.com/coreroller/coreroller/fleet/job"
	"github.com/coreroller/coreroller/store"
)

// maxLabels is the most attributes and tags of one filter: each further one is a lookup
// for every machine that has the first.
const maxLabels = 8

// label is a condition on an attribute or a tag.
type label struct {
	tag         bool
	name, value string
}

// labels returns the conditions on attributes and tags. The list reads the machines with
// the first of them along an index and tests the others machine by machine.
func (f *Filter) labels() []label {
	var all []label
	for _, a := range f.Attributes {
		all = append(all, label{name: a.Name, value: a.Value})
	}
	for _, name := range f.Tags {
		all = append(all, label{tag: true, name: name})
	}
	return all
}

func (f *Filter) labeled() bool { return len(f.Attributes)+len(f.Tags) > 0 }

func (f *Filter) checkLabels() error {
	if n := len(f.Attributes) + len(f.Tags); n > maxLabels {
		return fault.Errorf(fault.Invalid, "filter.attributes", "at most %d attributes and tags, not %d", maxLabels, n)
	}
	for i, a := range f.Attributes {
		other := map[string]string{job.AttributeOEM: "oem", job.AttributeAddress: "search"}[a.Name]
		field := fmt.Sprintf("filter.attributes[%d].name", i)
		switch {
		case other != "":
			return fault.Errorf(fault.Invalid, field, "%s is what machines send: use filter.%s", a.Name, other)
		case slices.Contains([]string{job.AttributeOEMVersion, job.AttributeAlephVersion, job.AttributeArch}, a.Name):
			return fault.Errorf(fault.Invalid, field, "%s is what machines send: no list is sorted by it, so it is no condition", a.Name)
		}
	}
	return nil
}

// kind compares with a value: SQLite finds no index range for "NOT tag", as sql.EQ writes
// false.
func kind(column string, tag bool) *sql.Predicate {
	return sql.P(func(b *sql.Builder) { b.Ident(column).WriteOp(sql.OpEQ).Arg(tag) })
}

// join limits a selection to machines that meet the conditions, of an application or, for
// nil, of all. store.Head sorts by the columns of the joined table.
func join(all []label, app *uuid.UUID) func(*sql.Selector) {
	return func(s *sql.Selector) {
		b := sql.Dialect(s.Dialect())
		for i, l := range all {
			t := b.Table(machinelabel.Table).As(fmt.Sprint(store.LabelAlias, i))
			same := sql.And(kind(t.C(machinelabel.FieldTag), l.tag), sql.EQ(t.C(machinelabel.FieldName), l.name), sql.EQ(t.C(machinelabel.FieldValue), l.value))
			if i == 0 {
				if app != nil {
					same = sql.And(same, sql.EQ(t.C(machinelabel.FieldApplicationID), *app))
				}
				s.Join(t).On(s.C(instance.FieldID), t.C(machinelabel.FieldInstanceID)).Where(same)
				continue
			}
			s.Where(sql.Exists(b.Select(t.C(machinelabel.FieldID)).From(t).
				Where(sql.And(sql.ColumnsEQ(t.C(machinelabel.FieldInstanceID), s.C(instance.FieldID)), same))))
		}
	}
}
