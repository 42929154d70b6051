package catalog

import (
	"github.com/coreroller/coreroller/ent/db"
	"github.com/coreroller/coreroller/rollout"
	"github.com/coreroller/coreroller/rollout/version"
)

// Part says which number of its group counts a machine.
type Part string

// The parts; every machine of a group is in exactly one.
const (
	PartOnTarget    Part = "ON_TARGET"
	PartOtherBuild  Part = "OTHER_BUILD"
	PartInFlight    Part = "IN_FLIGHT"
	PartWaiting     Part = "WAITING"
	PartFailed      Part = "FAILED"
	PartQuarantined Part = "QUARANTINED"
	PartSilent      Part = "SILENT"
	PartOverridden  Part = "OVERRIDDEN"
)

// PartOf returns the part for the attributes that counters know.
func PartOf(state rollout.State, standing rollout.Standing, place version.Place) Part {
	switch {
	case state.InFlight():
		return PartInFlight
	case standing == rollout.StandingQuarantined:
		return PartQuarantined
	case standing == rollout.StandingOverridden:
		return PartOverridden
	case standing == rollout.StandingSilent:
		return PartSilent
	case place == version.OnTarget || place == version.Above:
		return PartOnTarget
	case place == version.OtherBuild:
		return PartOtherBuild
	case state == rollout.StateError:
		return PartFailed
	}
	return PartWaiting
}

// Part returns the part of a machine of the group.
func (g *Group) Part(m *db.Instance) Part { return PartOf(m.State, m.Standing, g.Place(m.Version)) }

// Place returns where a version is in relation to the target.
func (g *Group) Place(text string) version.Place {
	v, _ := rollout.ParseVersion(text)
	return g.Goal().Place(v)
}
