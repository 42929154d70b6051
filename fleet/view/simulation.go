package view

import (
	"context"

	"github.com/google/uuid"

	"github.com/coreroller/coreroller/auth"
	"github.com/coreroller/coreroller/ent/db/release"
	"github.com/coreroller/coreroller/fleet/catalog"
	"github.com/coreroller/coreroller/fleet/fault"
	"github.com/coreroller/coreroller/fleet/input"
	"github.com/coreroller/coreroller/rollout"
	"github.com/coreroller/coreroller/rollout/forecast"
	"github.com/coreroller/coreroller/rollout/version"
)

// SimulateRollout is the input of Service.SimulateRollout.
type SimulateRollout struct {
	GroupID      uuid.UUID
	Policy       *rollout.Policy // nil: the policy of the group
	PackageID    *uuid.UUID      // nil: the package of the channel
	FailureShare float64         // 0 to 1
	SilentShare  float64         // 0 to 1
	// Whole simulates the rollout from its start: machines that run the target or
	// higher start with a lower version.
	Whole bool
}

// SimulateRollout simulates a rollout to the group's active machines with their
// current versions.
func (s *Service) SimulateRollout(ctx context.Context, in SimulateRollout) (*forecast.Result, error) {
	if _, err := fault.Require(ctx, auth.Viewer); err != nil {
		return nil, err
	}
	var p input.Problems
	share(&p, "failureShare", in.FailureShare)
	share(&p, "silentShare", in.SilentShare)
	if in.Policy != nil {
		p.Policy(*in.Policy)
	}
	if err := p.Err(); err != nil {
		return nil, err
	}
	g := s.seen(ctx).Group(in.GroupID)
	if g == nil {
		return nil, fault.Errorf(fault.NotFound, "groupId", "there is no such group")
	}
	aim, err := s.aimFor(ctx, g, in.PackageID)
	if err != nil {
		return nil, err
	}
	n, err := s.GroupNumbers(ctx, g.ID)
	if err != nil {
		return nil, err
	}
	sim, err := s.simulation(ctx, g, input.Or(in.Policy, g.Policy), aim, n)
	if err != nil {
		return nil, err
	}
	sim.FailureShare, sim.SilentShare = in.FailureShare, in.SilentShare
	if in.Whole {
		fromTheBeginning(&sim)
	}
	f := forecast.Run(sim)
	return &f, nil
}

// fromTheBeginning gives machines on the target the highest lower version that
// other machines run or that is a floor; without one, no version.
func fromTheBeginning(sim *forecast.Input) {
	var before rollout.Version
	below := func(v rollout.Version) {
		if v.Less(sim.Target.Version) && before.Less(v) {
			before = v
		}
	}
	for _, floor := range sim.Floors {
		below(floor.Version)
	}
	for _, c := range sim.Machines {
		below(c.Version)
	}
	for i, c := range sim.Machines {
		if sim.Goal().Place(c.Version) != version.Behind {
			sim.Machines[i].Version = before
		}
	}
}

func share(p *input.Problems, field string, f float64) {
	if !(f >= 0 && f <= 1) { // also refuses NaN
		p.Add(field, "must be from 0 to 1")
	}
}

// aimFor returns the group's aim or, with an id, its aim after a promotion.
func (s *Service) aimFor(ctx context.Context, g *catalog.Group, id *uuid.UUID) (aim rollout.Aim, err error) {
	if id == nil {
		if g.Target == nil {
			return aim, fault.Errorf(fault.Conflict, "groupId", "the group has no package to move to")
		}
		return g.Aim, nil
	}
	row, err := s.db().Release.Query().Where(release.ID(*id), release.ApplicationID(g.App.ID)).Only(ctx)
	if err != nil {
		return aim, fault.Missing(err, "packageId", "package in this application")
	}
	if row.Arch != g.Arch {
		return aim, fault.Errorf(fault.Invalid, "packageId", "package %s is for %s, but the group is for %s", row.Version, row.Arch, g.Arch)
	}
	v, _ := rollout.ParseVersion(row.Version) // validated before it was stored
	target := &rollout.Package{ID: rollout.ID(row.ID), Version: v}
	if g.Channel == nil {
		return rollout.Aim{Target: target}, nil
	}
	return g.Channel.AimAt(target), nil
}

// simulation returns a simulation of the group's active machines.
func (s *Service) simulation(ctx context.Context, g *catalog.Group, p rollout.Policy, aim rollout.Aim, n *GroupNumbers) (forecast.Input, error) {
	sim := forecast.Input{
		Policy: p, Reboots: g.Reboots, Aim: aim, CheckEvery: p.PollInterval, Now: s.now(),
	}
	for _, c := range n.ByVersion {
		v, _ := rollout.ParseVersion(c.Version)
		count := c.Active
		if p.EnrolledOnly {
			count -= c.notEnrolled
		}
		sim.Machines = append(sim.Machines, forecast.Cohort{Version: v, Count: count})
	}
	if sim.CheckEvery > 0 {
		return sim, nil
	}
	var err error
	sim.CheckEvery, err = s.checkInterval(ctx, g.ID, n.Active)
	return sim, err
}
