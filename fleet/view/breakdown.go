package view

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/google/uuid"

	"github.com/coreroller/coreroller/auth"
	"github.com/coreroller/coreroller/ent/db"
	"github.com/coreroller/coreroller/ent/db/instance"
	"github.com/coreroller/coreroller/fleet/catalog"
	"github.com/coreroller/coreroller/fleet/fault"
	"github.com/coreroller/coreroller/fleet/view/machines"
	"github.com/coreroller/coreroller/rollout"
	"github.com/coreroller/coreroller/rollout/version"
	"github.com/coreroller/coreroller/store"
)

const (
	// maxBrokenDown is how many machines a breakdown looks at.
	maxBrokenDown = 100_000
	// maxValues is how many values a breakdown counts apart, so that an attribute with
	// another value on each machine needs no memory for each.
	maxValues = 10_000
	// MaxBreakdownValues is how many values a breakdown lists.
	MaxBreakdownValues = 100
)

// ofRow are the attributes that are columns of a machine's row.
var ofRow = map[string]func(*db.Instance) string{
	"oem":           func(m *db.Instance) string { return m.Oem },
	"oem_version":   func(m *db.Instance) string { return m.OemVersion },
	"aleph_version": func(m *db.Instance) string { return m.AlephVersion },
	"arch":          func(m *db.Instance) string { return m.Arch },
	"version":       func(m *db.Instance) string { return m.Version },
	"address_block": func(m *db.Instance) string { return store.AddressBlock(m.Address) },
}

// byTags counts a machine once for each of its tags.
const byTags = "tags"

// Breakdown is how machines are divided by an attribute.
type Breakdown struct {
	Machines int // that were looked at
	Complete bool
	Values   []ValueCount // most machines first
	Others   int          // machines with values that are not listed
}

// ValueCount is the number of machines with one value, "" for those without any.
type ValueCount struct {
	Value    string
	Machines int
	OnTarget int // run the target of their group
	Failed   int // their last attempt failed
}

// Breakdown counts machines by an attribute: one of the names of ofRow, "tags", or an
// attribute that people or request attributes set. It lists the first values.
func (s *Service) Breakdown(ctx context.Context, f machines.Filter, attribute string, first int) (*Breakdown, error) {
	if _, err := fault.Require(ctx, auth.Viewer); err != nil {
		return nil, err
	}
	switch {
	case strings.TrimSpace(attribute) == "":
		return nil, fault.Errorf(fault.Invalid, "attribute", "must not be empty")
	case first < 1 || first > MaxBreakdownValues:
		return nil, fault.Errorf(fault.Invalid, "first", "must be 1 to %d", MaxBreakdownValues)
	}
	t := valueCounter{seen: s.seen(ctx), counts: map[string]*ValueCount{}}
	column, isColumn := ofRow[attribute]
	var failed error
	err := s.Walk(ctx, f, maxBrokenDown, []string{
		instance.FieldOem, instance.FieldOemVersion, instance.FieldAlephVersion, instance.FieldArch, instance.FieldAddress,
	}, func(rows []*db.Instance) {
		var labels map[uuid.UUID][]*db.MachineLabel
		if !isColumn && failed == nil {
			labels, failed = s.labelsOf(ctx, rows)
		}
		for _, row := range rows {
			if isColumn {
				t.add(row, column(row))
			} else {
				t.add(row, valuesOf(labels[row.ID], attribute)...)
			}
		}
	})
	if err := cmp.Or(err, failed); err != nil {
		return nil, fmt.Errorf("count machines by an attribute: %w", err)
	}
	return t.list(first), nil
}

// valuesOf returns the value of an attribute, or all tags; "" without any.
func valuesOf(labels []*db.MachineLabel, attribute string) (values []string) {
	for _, l := range labels {
		switch {
		case l.Tag && attribute == byTags:
			values = append(values, l.Name)
		case !l.Tag && l.Name == attribute:
			return []string{l.Value}
		}
	}
	if values == nil {
		values = []string{""}
	}
	return values
}

type valueCounter struct {
	seen     *catalog.Catalog
	machines int
	others   int
	counts   map[string]*ValueCount
}

func (t *valueCounter) add(m *db.Instance, values ...string) {
	t.machines++
	for _, v := range values {
		c := t.counts[v]
		if c == nil {
			if len(t.counts) == maxValues {
				t.others++
				continue
			}
			c = &ValueCount{Value: v}
			t.counts[v] = c
		}
		c.Machines++
		if m.GroupID != nil {
			if g := t.seen.Group(*m.GroupID); g != nil && g.Place(m.Version) == version.OnTarget {
				c.OnTarget++
			}
		}
		if m.State == rollout.StateError {
			c.Failed++
		}
	}
}

func (t *valueCounter) list(first int) *Breakdown {
	out := &Breakdown{Machines: t.machines, Complete: t.machines < maxBrokenDown, Others: t.others, Values: []ValueCount{}}
	all := make([]*ValueCount, 0, len(t.counts))
	for _, c := range t.counts {
		all = append(all, c)
	}
	slices.SortFunc(all, func(a, b *ValueCount) int { return cmp.Or(b.Machines-a.Machines, cmp.Compare(a.Value, b.Value)) })
	for i, c := range all {
		if i < first {
			out.Values = append(out.Values, *c)
		} else {
			out.Others += c.Machines
		}
	}
	return out
}
