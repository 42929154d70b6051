package graph

import (
	"cmp"

	"github.com/coreroller/coreroller/ent/db"
	"github.com/coreroller/coreroller/fleet/view"
	"github.com/coreroller/coreroller/graph/model"
	"github.com/coreroller/coreroller/rollout"
	"github.com/coreroller/coreroller/rollout/forecast"
)

// waves combines the waves of the policy with the counters of a rollout. For a
// past rollout the policy may have changed since; it shows the current one.
func waves(row *db.GroupRollout, p rollout.Policy, counted []*db.Wave) []*model.Wave {
	steps := p.Waves
	if len(steps) == 0 {
		steps = []rollout.Wave{{Share: 1}}
	}
	counts := map[int]rollout.Counts{}
	for _, w := range counted {
		counts[w.Position] = view.WaveCounts(w)
	}
	out := make([]*model.Wave, len(steps))
	for i, step := range steps {
		c := counts[i]
		w := &model.Wave{
			Position: i + 1, Share: step.Share, Canaries: step.Canaries, Soak: step.Soak, Approval: step.Approval,
			State: waveState(row, i), Attempts: &c,
		}
		if w.Canaries == nil {
			w.Canaries = []string{}
		}
		if w.State == model.WaveStateCurrent {
			w.OpenedAt = &row.WaveAt
			if i < len(steps)-1 {
				w.Gate = gate(row, step, c)
			}
		}
		out[i] = w
	}
	return out
}

func waveState(row *db.GroupRollout, i int) model.WaveState {
	over := row.State == rollout.RolloutSuperseded
	switch {
	case row.State == rollout.RolloutCompleted, i < row.Wave, i == row.Wave && over:
		return model.WaveStateDone
	case i == row.Wave:
		return model.WaveStateCurrent
	}
	return model.WaveStatePending
}

// gate returns the conditions for opening the next wave.
func gate(row *db.GroupRollout, step rollout.Wave, c rollout.Counts) *model.Gate {
	g := &model.Gate{
		Satisfied: row.GateAt != nil, SatisfiedSince: row.GateAt,
		Finished: c.Finished(), MinFinished: step.MinFinished, MinSuccessShare: step.MinSuccessShare,
		NeedsApproval: step.Approval && !row.Approved,
	}
	if n := c.Finished(); n > 0 {
		g.SuccessShare = float64(c.Succeeded) / float64(n)
	}
	if row.GateAt != nil {
		until := row.GateAt.Add(step.Soak)
		g.SoakEndsAt = &until
	}
	return g
}

// failureDescription describes how attempts failed, without the code.
func failureDescription(o rollout.Outcome, code int) string {
	switch {
	case code != 0:
		return codeDescription(code)
	case o == rollout.OutcomeTimeout:
		return "no report within the lease"
	case o == rollout.OutcomeRolledBack:
		return "rolled back after the reboot"
	}
	return "no code"
}

// codeDescription describes an error code; "" for code 0.
func codeDescription(code int) string {
	if code == 0 {
		return ""
	}
	return cmp.Or(rollout.CodeText(code), "unknown code")
}

// simulation converts a forecast to columns.
func simulation(f *forecast.Result) *model.Simulation {
	s := &model.Simulation{
		ProjectedEnd: f.Ends, FinalState: rollout.RolloutActive, Halt: f.Halted, NotUpdated: f.LeftOut, Scale: f.Each,
		CheckInterval: f.CheckEvery, UpdateDuration: f.UpdateTakes,
		Sentence: "after 14 days the rollout would still be going on",
	}
	switch {
	case f.Halted != nil:
		s.FinalState, s.Sentence = rollout.RolloutHalted, view.HaltSentence(f.Halted)
	case !f.Ends.IsZero():
		s.FinalState, s.Sentence = rollout.RolloutCompleted, "the rollout would be done on "+f.Ends.UTC().Format("Monday 2 January 15:04 UTC")
	}
	for _, p := range f.Points {
		s.Times = append(s.Times, p.At)
		s.OnTarget = append(s.OnTarget, p.OnTarget)
		s.InFlight = append(s.InFlight, p.InFlight)
		s.Waiting = append(s.Waiting, p.Waiting)
		s.Failed = append(s.Failed, p.Failed)
	}
	return s
}
