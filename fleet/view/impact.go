package view

import (
	"context"
	"fmt"
	"math"
	"time"

	"github.com/google/uuid"

	"github.com/coreroller/coreroller/auth"
	"github.com/coreroller/coreroller/ent/db"
	"github.com/coreroller/coreroller/ent/db/ledger"
	"github.com/coreroller/coreroller/fleet/catalog"
	"github.com/coreroller/coreroller/fleet/fault"
	"github.com/coreroller/coreroller/rollout"
	"github.com/coreroller/coreroller/rollout/forecast"
	"github.com/coreroller/coreroller/rollout/phrase"
	"github.com/coreroller/coreroller/rollout/policy"
	"github.com/coreroller/coreroller/rollout/version"
)

// maxForecasts limits the simulated groups of one impact, because each takes up to
// 100 ms.
const maxForecasts = 4

// Impact is the effect of a change on machines, shown before it is confirmed.
type Impact struct {
	Groups       int
	Machines     int       // of all affected groups
	Eligible     int       // active machines below the target, or on a recalled version
	OtherBuild   int       // active machines at another build of the target
	EligibleNow  int       // of Eligible, those that may start at their next check
	ProjectedEnd time.Time // when all would be done; zero: cannot be computed
	Sentence     string
	Warnings     []string // what is probably wrong
}

// PromotionImpact returns the machines that a promotion would affect, and what is
// probably wrong with it.
func (s *Service) PromotionImpact(ctx context.Context, channelID, packageID uuid.UUID) (*Impact, error) {
	if _, err := fault.Require(ctx, auth.Viewer); err != nil {
		return nil, err
	}
	channel := s.seen(ctx).Channel(channelID)
	if channel == nil {
		return nil, fault.Errorf(fault.NotFound, "channelId", "there is no such channel")
	}
	groups := s.seen(ctx).Followers(channelID)
	r := assessor{s: s, ctx: ctx, isNew: true}
	for _, g := range groups {
		aim, err := s.aimFor(ctx, g, &packageID)
		if err != nil {
			return nil, err
		}
		if err := r.add(g, g.Policy, aim); err != nil {
			return nil, err
		}
		warnings, err := s.PolicyCanaries(ctx, g.ID, g.Policy, aim.Target)
		if err != nil {
			return nil, err
		}
		for _, text := range warnings {
			r.out.Warnings = append(r.out.Warnings, g.Name+": "+text)
		}
	}
	out := r.done("would update")
	warnings, err := s.promotionWarnings(ctx, channel, groups, packageID)
	out.Warnings = append(out.Warnings, warnings...)
	return out, err
}

// PolicyImpact returns the effect of a policy on the machines of a group now.
func (s *Service) PolicyImpact(ctx context.Context, groupID uuid.UUID, p rollout.Policy) (*Impact, error) {
	if _, err := fault.Require(ctx, auth.Viewer); err != nil {
		return nil, err
	}
	g := s.seen(ctx).Group(groupID)
	if g == nil {
		return nil, fault.Errorf(fault.NotFound, "groupId", "there is no such group")
	}
	r := assessor{s: s, ctx: ctx}
	if err := r.add(g, p, g.Aim); err != nil {
		return nil, err
	}
	var err error
	if r.out.Warnings, err = s.PolicyCanaries(ctx, groupID, p, nil); err != nil {
		return nil, err
	}
	return r.done("have something to update to"), nil
}

// Deletion is the object to delete: exactly one id is set.
type Deletion struct {
	ApplicationID, ChannelID, PackageID, GroupID *uuid.UUID
}

// DeletionImpact returns the machines that would lose their update by a deletion.
func (s *Service) DeletionImpact(ctx context.Context, in Deletion) (*Impact, error) {
	if _, err := fault.Require(ctx, auth.Viewer); err != nil {
		return nil, err
	}
	groups := s.seen(ctx).Groups(func(g *catalog.Group) bool {
		switch {
		case in.ApplicationID != nil:
			return g.App.ID == *in.ApplicationID
		case in.ChannelID != nil:
			return g.Channel != nil && g.Channel.ID == *in.ChannelID
		case in.PackageID != nil:
			return g.Channel != nil && g.Channel.Offers[rollout.ID(*in.PackageID)] != nil
		case in.GroupID != nil:
			return g.ID == *in.GroupID
		}
		return false
	})
	r := assessor{s: s, ctx: ctx}
	for _, g := range groups {
		if err := r.add(g, g.Policy, g.Aim); err != nil {
			return nil, err
		}
	}
	r.out.EligibleNow, r.out.ProjectedEnd = 0, time.Time{} // no update starts after it
	var err error
	if r.out.Warnings, err = s.reliesOn(ctx, in, groups); err != nil {
		return nil, err
	}
	return r.done("would be left without their update"), nil
}

// assessor sums the impact on groups.
type assessor struct {
	s     *Service
	ctx   context.Context
	isNew bool // a new rollout starts, with its first wave and safe mode

	out       Impact
	numbers   *GroupNumbers // of the group added last
	forecasts int
	open      bool // the end cannot be computed
}

func (r *assessor) add(g *catalog.Group, p rollout.Policy, aim rollout.Aim) error {
	stage, err := r.stage(g)
	if err != nil {
		return err
	}
	return r.addAt(g, p, aim, stage)
}

// stage returns the current rollout of a group, a new one when there is none.
func (r *assessor) stage(g *catalog.Group) (*db.GroupRollout, error) {
	if r.isNew {
		return &db.GroupRollout{}, nil
	}
	row, err := r.s.db().Ledger.Query().Where(ledger.GroupID(g.ID)).Only(r.ctx)
	if err != nil {
		return nil, fault.Missing(err, "groupId", "group")
	}
	if row.RolloutID == nil {
		return &db.GroupRollout{}, nil
	}
	stage, err := r.s.db().GroupRollout.Get(r.ctx, *row.RolloutID)
	if err != nil {
		return nil, fmt.Errorf("read rollout: %w", err)
	}
	stage.Wave = max(0, min(stage.Wave, len(g.Policy.Waves)-1))
	return stage, nil
}

// addAt adds a group with the state of its rollout.
func (r *assessor) addAt(g *catalog.Group, p rollout.Policy, aim rollout.Aim, stage *db.GroupRollout) error {
	all, err := r.s.ManyGroupNumbers(r.ctx, []uuid.UUID{g.ID})
	if err != nil {
		return err
	}
	n := all[g.ID]
	if r.numbers = n; n == nil {
		return nil // deleted meanwhile
	}
	sim, err := r.s.simulation(r.ctx, g, remaining(p, stage), aim, n)
	if err != nil {
		return err
	}
	r.out.Groups++
	r.out.Machines += n.Total
	behind := 0
	for _, c := range sim.Machines {
		switch sim.Goal().Place(c.Version) {
		case version.Behind:
			behind += c.Count
		case version.OtherBuild:
			r.out.OtherBuild += c.Count
		}
	}
	r.out.Eligible += behind
	r.out.EligibleNow += r.begin(p, stage, n, behind)
	if stage.State != rollout.RolloutHalted && stage.State != rollout.RolloutPaused {
		r.foresee(sim, behind)
	} else if behind > 0 {
		r.open = true
	}
	return nil
}

// remaining returns the policy that a started rollout still has to follow: without
// the finished waves, and without safe mode after a first success.
func remaining(p rollout.Policy, stage *db.GroupRollout) rollout.Policy {
	if last := len(p.Waves) - 1; last >= 0 {
		p.Waves = p.Waves[min(stage.Wave, last):]
	}
	p.SafeMode = p.SafeMode && stage.Proofs == 0
	return p
}

// begin returns how many of the machines below the target may start at their next
// check, within windows, wave, safe mode and limits.
func (r *assessor) begin(p rollout.Policy, stage *db.GroupRollout, n *GroupNumbers, behind int) int {
	schedule, _ := policy.Compile(p)
	if schedule == nil || !p.UpdatesEnabled || stage.State == rollout.RolloutHalted || stage.State == rollout.RolloutPaused {
		return 0
	}
	if open, _, _ := schedule.Calendar().Opening(r.s.now()); !open {
		return 0
	}
	free := min(behind, p.MaxConcurrentUpdates-n.InFlight, p.MaxUpdatesPerPeriod-n.GrantedInPeriod)
	if p.SafeMode && stage.Proofs == 0 {
		free = min(free, 1)
	}
	if last := len(p.Waves) - 1; last >= 0 {
		if w := p.Waves[min(stage.Wave, last)]; w.Expression == "" { // else it is not known how many it selects
			free = min(free, len(w.Canaries)+int(math.Round(w.Share*float64(behind))))
		}
	}
	return max(0, free)
}

// foresee simulates one group and extends the projected end.
func (r *assessor) foresee(sim forecast.Input, behind int) {
	if behind == 0 || r.open {
		return
	}
	if r.forecasts++; r.forecasts > maxForecasts {
		r.open = true
		return
	}
	end := forecast.Run(sim).Ends
	r.open = end.IsZero()
	if end.After(r.out.ProjectedEnd) {
		r.out.ProjectedEnd = end
	}
}

func (r *assessor) done(what string) *Impact {
	if r.open {
		r.out.ProjectedEnd = time.Time{}
	}
	r.out.Sentence = fmt.Sprintf("%s in %s; %d of them %s", phrase.Count(r.out.Machines, "machine"), phrase.Count(r.out.Groups, "group"), r.out.Eligible, what)
	if r.out.EligibleNow > 0 {
		r.out.Sentence += fmt.Sprintf(", %d at their next check", r.out.EligibleNow)
	}
	if n := r.out.OtherBuild; n > 0 && r.isNew {
		r.out.Sentence += fmt.Sprintf("; %d %s never offered it, because build metadata does not order versions", n, either(n, "runs another build and is", "run another build and are"))
	}
	if r.out.Warnings == nil {
		r.out.Warnings = []string{}
	}
	return &r.out
}
