package catalog

import (
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"slices"

	"github.com/google/uuid"

	"github.com/coreroller/coreroller/fleet/selector"
	"github.com/coreroller/coreroller/rollout"
)

// selectors are the groups of an application with an expression, in the order in which
// they are tried, and a number that names the whole set, with the expressions of waves.
type selectors struct {
	groups []*Group
	number int64
	labels bool // they read attributes or tags that people set
}

// indexSelectors sorts the groups with an expression. The number is derived from the
// expressions, so that every process has the same one, and one that was in force before
// comes back with its expressions.
func (a *App) indexSelectors() {
	a.selectors = selectors{}
	h, waves := sha256.New(), false
	for _, g := range a.Groups {
		if g.Expression != nil {
			a.selectors.groups = append(a.selectors.groups, g)
		}
		for _, w := range g.waves {
			a.selectors.labels = a.selectors.labels || w.UsesLabels()
			_, _ = fmt.Fprintf(h, "%s %d %q\n", g.ID, w.wave, w.Text()) // writes to a hash never fail
			waves = true
		}
	}
	if len(a.selectors.groups) == 0 && !waves {
		return
	}
	slices.SortStableFunc(a.selectors.groups, func(x, y *Group) int {
		return cmp.Or(cmp.Compare(x.Priority, y.Priority), slices.Compare(x.ID[:], y.ID[:]))
	})
	for _, g := range a.selectors.groups {
		a.selectors.labels = a.selectors.labels || g.Expression.UsesLabels()
		_, _ = fmt.Fprintf(h, "%s %s %q\n", g.ID, g.Arch, g.Expression.Text())
	}
	a.selectors.number = max(1, int64(binary.BigEndian.Uint64(h.Sum(nil))>>1))
}

// Selectors names the expressions that choose the groups and waves of machines, 0 for none. A
// machine's row has the number of the expressions that were evaluated for it.
func (a *App) Selectors() int64 { return a.selectors.number }

// SelectLabels reports whether the expressions read attributes or tags that people set.
func (a *App) SelectLabels() bool { return a.selectors.labels }

// SelectorGroups returns the groups with an expression, in the order in which they are
// tried.
func (a *App) SelectorGroups() []*Group { return a.selectors.groups }

// Select returns the first group of an architecture whose expression is true for a
// machine, nil if none is.
func (a *App) Select(m *selector.Machine, arch string) *Group {
	for _, g := range a.selectors.groups {
		if g.Arch == arch && g.Expression.Matches(m) {
			return g
		}
	}
	return nil
}

// waveSelector is the expression of a wave.
type waveSelector struct {
	wave int // counted from 1
	*selector.Expression
}

func compileWaves(p *rollout.Policy) (waves []waveSelector) {
	for i, w := range p.Waves {
		if e, err := selector.Compile(w.Expression); w.Expression != "" && err == nil { // it was valid when stored
			waves = append(waves, waveSelector{i + 1, e})
		}
	}
	return waves
}

// SelectedWave returns the first wave whose expression is true for a machine of the group,
// counted from 1; 0 if none is.
func (g *Group) SelectedWave(m *selector.Machine) int {
	for _, w := range g.waves {
		if w.Matches(m) {
			return w.wave
		}
	}
	return 0
}

// WithExpression returns the application as it would be if a group had another expression
// and priority; nil is no expression. A group that the application has not is added, with
// an architecture.
func (a *App) WithExpression(group uuid.UUID, arch string, e *selector.Expression, priority int) *App {
	next := *a
	next.Groups = make([]*Group, 0, len(a.Groups)+1)
	found := false
	for _, g := range a.Groups {
		if g.ID == group {
			changed := *g
			changed.Expression, changed.Priority = e, priority
			g, found = &changed, true
		}
		next.Groups = append(next.Groups, g)
	}
	if !found {
		next.Groups = append(next.Groups, &Group{ID: group, Arch: arch, App: &next, Expression: e, Priority: priority})
	}
	next.indexSelectors()
	return &next
}
