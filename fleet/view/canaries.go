package view

import (
	"context"
	"fmt"
	"slices"

	"github.com/google/uuid"

	"github.com/coreroller/coreroller/auth"
	"github.com/coreroller/coreroller/ent/db"
	"github.com/coreroller/coreroller/ent/db/instance"
	"github.com/coreroller/coreroller/fleet/catalog"
	"github.com/coreroller/coreroller/fleet/fault"
	"github.com/coreroller/coreroller/rollout"
	"github.com/coreroller/coreroller/rollout/phrase"
	"github.com/coreroller/coreroller/store"
)

// canariesAtOnce bounds the parameters of a statement.
const canariesAtOnce = 1000

// canaryProblem is why a machine that a wave names does not update. The text follows
// "1 canary" or "3 canaries".
type canaryProblem struct{ one, many string }

var (
	canaryUnknown     = canaryProblem{"is unknown: no machine with this id checked in", "are unknown: no machines with these ids checked in"}
	canaryElsewhere   = canaryProblem{"is in another group", "are in other groups"}
	canaryHeld        = canaryProblem{"is held or pinned by a person", "are held or pinned by a person"}
	canaryQuarantined = canaryProblem{"is quarantined", "are quarantined"}
	canarySilent      = canaryProblem{"was not seen for a day", "were not seen for a day"}
	canaryOnTarget    = canaryProblem{"runs this version or a higher one already", "run this version or a higher one already"}
	canaryProblems    = []canaryProblem{canaryUnknown, canaryElsewhere, canaryHeld, canaryQuarantined, canarySilent, canaryOnTarget}
)

// CanaryWarnings returns a sentence for each problem of the canaries of a wave.
// Canaries at the target count as a problem only if there is one, so pass nil for a
// policy that is not about to be used.
func (s *Service) CanaryWarnings(ctx context.Context, group uuid.UUID, w rollout.Wave, target *rollout.Package) ([]string, error) {
	if _, err := fault.Require(ctx, auth.Viewer); err != nil {
		return nil, err
	}
	g := s.seen(ctx).Group(group)
	if g == nil || len(w.Canaries) == 0 {
		return []string{}, nil
	}
	found := make(map[string]*db.Instance, len(w.Canaries))
	for some := range slices.Chunk(w.Canaries, canariesAtOnce) {
		rows, err := read(ctx, "canaries", s.db().Instance.Query().Where(instance.IDIn(store.InstanceIDs(g.App.ID, some)...)).All)
		if err != nil {
			return nil, err
		}
		for _, row := range rows {
			found[row.MachineID] = row
		}
	}
	names := map[canaryProblem][]string{}
	for _, machine := range w.Canaries {
		if p := problemOf(found[machine], g, target); p != (canaryProblem{}) {
			names[p] = append(names[p], machine)
		}
	}
	warnings := []string{}
	for _, p := range canaryProblems {
		if n := len(names[p]); n > 0 {
			warnings = append(warnings, either(n, "1 canary "+p.one, fmt.Sprintf("%d canaries %s", n, p.many))+": "+phrase.List(names[p], ", "))
		}
	}
	return warnings, nil
}

func problemOf(m *db.Instance, g *catalog.Group, target *rollout.Package) canaryProblem {
	switch {
	case m == nil:
		return canaryUnknown
	case m.GroupID == nil || *m.GroupID != g.ID:
		return canaryElsewhere
	case m.Standing == rollout.StandingOverridden:
		return canaryHeld
	case m.Standing == rollout.StandingQuarantined:
		return canaryQuarantined
	case m.Standing == rollout.StandingSilent:
		return canarySilent
	}
	if v, _ := rollout.ParseVersion(m.Version); target != nil && !v.Less(target.Version) {
		return canaryOnTarget
	}
	return canaryProblem{}
}

// PolicyCanaries returns the warnings about the canaries of all waves of a policy.
func (s *Service) PolicyCanaries(ctx context.Context, group uuid.UUID, p rollout.Policy, target *rollout.Package) ([]string, error) {
	var all rollout.Wave
	seen := map[string]bool{}
	for _, w := range p.Waves {
		for _, id := range w.Canaries {
			if !seen[id] {
				seen[id] = true
				all.Canaries = append(all.Canaries, id)
			}
		}
	}
	return s.CanaryWarnings(ctx, group, all, target)
}
