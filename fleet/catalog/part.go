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
	PartAboveTarget Part = "ABOVE_TARGET"
	PartBadVersion  Part = "BAD_VERSION" // see Group.Bad
	PartInFlight    Part = "IN_FLIGHT"
	PartWaiting     Part = "WAITING"
	PartFailed      Part = "FAILED"
	PartQuarantined Part = "QUARANTINED"
	PartSilent      Part = "SILENT"
	PartOverridden  Part = "OVERRIDDEN"
)

// partOf returns the part for the attributes that counters know. A grant that the machine
// has not begun counts only while the group is not stopped.
func partOf(state rollout.State, standing rollout.Standing, place version.Place, bad, stopped bool) Part {
	switch {
	case state.InFlight() && (state != rollout.StateGranted || !stopped):
		return PartInFlight
	case standing == rollout.StandingQuarantined:
		return PartQuarantined
	case standing == rollout.StandingOverridden:
		return PartOverridden
	case standing == rollout.StandingSilent:
		return PartSilent
	case bad:
		return PartBadVersion
	case place == version.OnTarget:
		return PartOnTarget
	case place == version.Above:
		return PartAboveTarget
	case place == version.OtherBuild:
		return PartOtherBuild
	case state == rollout.StateError:
		return PartFailed
	}
	return PartWaiting
}

// Part returns the part of a machine of the group, whose rollout is in state s.
func (g *Group) Part(m *db.Instance, s rollout.RolloutState) Part {
	return partOf(m.State, m.Standing, g.Place(m.Version), g.Bad(m.Version, s == rollout.RolloutHalted), g.stops(s))
}

// CountedPart returns the part of the machines of a counter of the group, whose rollout is
// in state s.
func (g *Group) CountedPart(row *db.GroupCount, s rollout.RolloutState) Part {
	return partOf(row.State, row.Standing, g.Place(row.Version), g.Bad(row.Version, s == rollout.RolloutHalted), g.stops(s))
}

// stops reports whether no machine of the group begins an update while its rollout is in
// state s.
func (g *Group) stops(s rollout.RolloutState) bool {
	w := rollout.World{Policy: g.Schedule, Rollout: rollout.Rollout{State: s}}
	return w.Stopped()
}

// Bad reports whether no machine of the group should run a version: it is blacklisted
// for the channel, or it is the target of a halted rollout.
func (g *Group) Bad(text string, halted bool) bool {
	if g.Channel == nil || text == "" {
		return false
	}
	v, _ := rollout.ParseVersion(text)
	if halted && g.Target != nil && g.Place(text) == version.OnTarget {
		return true
	}
	for _, b := range g.Channel.Blacklisted {
		if b.Version.SameBuild(v) {
			return true
		}
	}
	return false
}

// Place returns where a version is in relation to the target.
func (g *Group) Place(text string) version.Place {
	v, _ := rollout.ParseVersion(text)
	return g.Goal().Place(v)
}
