package catalog

import (
	"github.com/coreroller/coreroller/ent/db"
	"github.com/coreroller/coreroller/rollout"
)

// Part says which number of its group counts a machine.
type Part string

// The parts; every machine of a group is in exactly one.
const (
	PartOnTarget    Part = "ON_TARGET"
	PartInFlight    Part = "IN_FLIGHT"
	PartWaiting     Part = "WAITING"
	PartFailed      Part = "FAILED"
	PartQuarantined Part = "QUARANTINED"
	PartSilent      Part = "SILENT"
	PartOverridden  Part = "OVERRIDDEN"
)

// PartOf returns the part for the attributes that counters know.
func PartOf(state rollout.State, standing rollout.Standing, onTarget bool) Part {
	switch {
	case state.InFlight():
		return PartInFlight
	case standing == rollout.StandingQuarantined:
		return PartQuarantined
	case standing == rollout.StandingOverridden:
		return PartOverridden
	case standing == rollout.StandingSilent:
		return PartSilent
	case onTarget:
		return PartOnTarget
	case state == rollout.StateError:
		return PartFailed
	}
	return PartWaiting
}

// Part returns the part of a machine of the group.
func (g *Group) Part(m *db.Instance) Part { return PartOf(m.State, m.Standing, g.OnTarget(m.Version)) }

// OnTarget reports whether a version is the target or higher.
func (g *Group) OnTarget(version string) bool {
	v, _ := rollout.ParseVersion(version)
	return g.Target != nil && !v.Less(g.Target.Version)
}
