package view

import (
	"context"
	"fmt"
	"math"
	"time"

	"github.com/google/uuid"

	"github.com/coreroller/coreroller/auth"
	"github.com/coreroller/coreroller/ent/db"
	"github.com/coreroller/coreroller/ent/db/groupcount"
	"github.com/coreroller/coreroller/fleet/catalog"
	"github.com/coreroller/coreroller/fleet/fault"
	"github.com/coreroller/coreroller/rollout"
	"github.com/coreroller/coreroller/rollout/phrase"
	"github.com/coreroller/coreroller/rollout/version"
)

// Control is an operator's control of a rollout.
type Control string

// The controls, each with its verb.
const (
	ControlPause   Control = "PAUSE"   // PauseUpdates
	ControlResume  Control = "RESUME"  // ResumeUpdates
	ControlHalt    Control = "HALT"    // HaltRollout
	ControlAdvance Control = "ADVANCE" // AdvanceWave
)

// ControlImpact returns the machines that a control would affect now. It returns
// the same errors as the control.
func (s *Service) ControlImpact(ctx context.Context, groupID uuid.UUID, control Control) (*Impact, error) {
	if _, err := fault.Require(ctx, auth.Viewer); err != nil {
		return nil, err
	}
	g := s.seen(ctx).Group(groupID)
	if g == nil {
		return nil, fault.Errorf(fault.NotFound, "groupId", "there is no such group")
	}
	r := &assessor{s: s, ctx: ctx}
	stage, err := r.stage(g)
	if err != nil {
		return nil, err
	}
	p := g.Policy
	switch control {
	case ControlPause:
		if !p.UpdatesEnabled {
			return r.still(g, stage, "updates are paused already: nothing changes")
		}
		return r.stop(g, stage, "")
	case ControlHalt:
		switch {
		case stage.ID == uuid.Nil:
			return nil, ErrNoRollout()
		case stage.State == rollout.RolloutHalted:
			return r.still(g, stage, "the rollout is halted already: nothing changes")
		}
		return r.stop(g, stage, " until a person resumes it")
	case ControlResume:
		if p.UpdatesEnabled && stage.State != rollout.RolloutHalted && !stage.Newcomers.Failing(&p, stage.Proofs) {
			return r.still(g, stage, "updates are neither paused nor halted: nothing changes")
		}
		p.UpdatesEnabled = true
		stage.State = rollout.RolloutActive
		if err := r.addAt(g, p, g.Aim, stage); err != nil {
			return nil, err
		}
		return r.done("have something to update to"), nil
	case ControlAdvance:
		switch {
		case stage.ID == uuid.Nil:
			return nil, ErrNoRollout()
		case stage.Wave >= len(p.Waves)-1:
			return nil, ErrNoWave()
		}
		return r.advance(g, stage)
	}
	return nil, fault.Errorf(fault.Invalid, "control", "%q is not known", control)
}

// ErrNoRollout reports a group without a rollout.
func ErrNoRollout() error {
	return fault.Errorf(fault.Conflict, "groupId", "the group has no rollout: its channel has no package")
}

// ErrNoWave reports that the current wave is the last one.
func ErrNoWave() error {
	return fault.Errorf(fault.Conflict, "groupId", "there is no further wave to open")
}

// still returns the impact of a control that changes nothing.
func (r *assessor) still(g *catalog.Group, stage *db.GroupRollout, sentence string) (*Impact, error) {
	if err := r.addAt(g, g.Policy, g.Aim, stage); err != nil {
		return nil, err
	}
	r.out.EligibleNow, r.out.ProjectedEnd, r.out.Sentence = 0, time.Time{}, sentence
	return &r.out, nil
}

// stop returns the impact of a pause or halt: no machine starts an update after it.
func (r *assessor) stop(g *catalog.Group, stage *db.GroupRollout, how string) (*Impact, error) {
	out, err := r.still(g, stage, "")
	if err != nil || r.numbers == nil {
		return out, err
	}
	withdrawn, finish, waiting := 0, 0, r.numbers.Waiting+r.numbers.Failed
	for _, c := range r.numbers.ByState {
		switch {
		case c.State == rollout.StateGranted:
			withdrawn += c.Machines
		case c.State.InFlight():
			finish += c.Machines
		}
	}
	out.Sentence = fmt.Sprintf("%s in %s; %s withdrawn, %s, %s%s",
		phrase.Count(out.Machines, "machine"), phrase.Count(out.Groups, "group"), phrase.Count(withdrawn, "offer")+either(withdrawn, " is", " are"),
		phrase.Count(finish, "update")+" under way"+either(finish, " finishes", " finish"),
		phrase.Count(waiting, "machine")+either(waiting, " waits", " wait"), how)
	return out, nil
}

func either(n int, one, many string) string {
	if n == 1 {
		return one
	}
	return many
}

// advance counts the machines of the next wave that are not in the current one.
// Waves select machines by a hash, so the count is an estimate. It is exact for a
// wave with a share of 1 after all machines have checked in.
func (r *assessor) advance(g *catalog.Group, stage *db.GroupRollout) (*Impact, error) {
	p := g.Policy
	last := len(p.Waves) - 1
	now, next := p.Waves[stage.Wave], p.Waves[stage.Wave+1]
	outside, err := r.outside(g, now.Share)
	if err != nil {
		return nil, err
	}
	gain := outside
	if now.Share < 1 {
		gain = outside * (next.Share - now.Share) / (1 - now.Share)
	}
	named := 0
	for _, id := range next.Canaries {
		if bucket := rollout.Bucket(stage.Salt, id); bucket >= next.Share {
			named++
		}
	}
	more := min(int(math.Round(gain))+named, int(math.Round(outside)))
	stage.Wave++
	if err := r.addAt(g, p, g.Aim, stage); err != nil {
		return nil, err
	}
	out := r.done("")
	out.Eligible, out.EligibleNow = more, min(more, out.EligibleNow)
	out.Sentence = fmt.Sprintf("wave %d of %d reaches %s; about %d more of them would update", stage.Wave+1, last+1, reached(next), more)
	switch {
	case !p.UpdatesEnabled || stage.State == rollout.RolloutPaused || stage.State == rollout.RolloutHalted:
		out.Sentence += ", none before it is resumed"
	case out.EligibleNow > 0:
		out.Sentence += fmt.Sprintf(", %d at their next check", out.EligibleNow)
	}
	return out, nil
}

func reached(w rollout.Wave) string {
	if w.Share == 0 {
		return w.Describe()
	}
	return fmt.Sprintf("%.4g %% of the machines", w.Share*100)
}

// outside estimates the active machines below the target that are not in the
// current wave: those whose last answer says so and, of machines whose last answer
// has another reason, the share that the wave excludes.
func (r *assessor) outside(g *catalog.Group, share float64) (float64, error) {
	rows, err := r.s.counters(r.ctx, groupcount.GroupID(g.ID), groupcount.Standing(rollout.StandingActive))
	if err != nil {
		return 0, err
	}
	n := 0.0
	for _, row := range rows {
		if row.State.InFlight() || g.Place(row.Version) != version.Behind {
			continue
		}
		switch rollout.ParseReason(row.Reason) {
		case rollout.ReasonWaveNotReached, rollout.ReasonSoaking, rollout.ReasonWaitingForApproval:
			n += float64(row.Machines)
		case rollout.ReasonSafeModeFirst, rollout.ReasonNewcomerWaits, rollout.ReasonConcurrencyLimit, rollout.ReasonPeriodLimit,
			rollout.ReasonGranted, rollout.ReasonUpdateInProgress: // already in the wave
		default:
			n += float64(row.Machines) * (1 - share)
		}
	}
	return n, nil
}
