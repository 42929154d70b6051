package graph

import (
	"cmp"
	"slices"

	"github.com/coreroller/coreroller/ent/db"
	"github.com/coreroller/coreroller/fleet/view"
	"github.com/coreroller/coreroller/graph/model"
	"github.com/coreroller/coreroller/rollout"
	"github.com/coreroller/coreroller/rollout/forecast"
)

// waves are the steps of a rollout: what the policy says of each, and what was
// counted in it. A policy that changed since an old rollout describes it as it
// would be done today.
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
			State: waveState(row, i), Counts: &c,
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

// gate is what keeps the next wave closed.
func gate(row *db.GroupRollout, step rollout.Wave, c rollout.Counts) *model.Gate {
	g := &model.Gate{
		Holds: row.GateAt != nil, Since: row.GateAt,
		Finished: c.Finished(), MinFinished: step.MinFinished, MinSuccessShare: step.MinSuccessShare,
		NeedsApproval: step.Approval && !row.Approved,
	}
	if n := c.Finished(); n > 0 {
		g.SuccessShare = float64(c.Succeeded) / float64(n)
	}
	if row.GateAt != nil {
		until := row.GateAt.Add(step.Soak)
		g.SoaksUntil = &until
	}
	return g
}

// sumOf is all attempts of a rollout.
func sumOf(counted []*db.Wave) *rollout.Counts {
	var sum rollout.Counts
	for _, w := range counted {
		sum = sum.Plus(view.WaveCounts(w))
	}
	return &sum
}

// failureCounts are the failures of a rollout, most first.
func failureCounts(rows []*db.Failure) []*view.FailureCount {
	out := make([]*view.FailureCount, len(rows))
	for i, f := range rows {
		out[i] = &view.FailureCount{Outcome: f.Outcome, Code: f.Code, Attempts: f.Attempts}
	}
	slices.SortFunc(out, func(a, b *view.FailureCount) int {
		return cmp.Or(cmp.Compare(b.Attempts, a.Attempts), cmp.Compare(a.Outcome, b.Outcome), cmp.Compare(a.Code, b.Code))
	})
	return out[:min(len(out), view.MaxKinds)]
}

// failureWords say how attempts failed, without the code.
func failureWords(o rollout.Outcome, code int) string {
	switch {
	case code != 0:
		return codeWords(code)
	case o == rollout.OutcomeTimeout:
		return "no report within the lease"
	case o == rollout.OutcomeRolledBack:
		return "rolled back after the reboot"
	}
	return "no code"
}

// codeWords is an error code in words, without the code; "" for none.
func codeWords(code int) string {
	if code == 0 {
		return ""
	}
	return cmp.Or(rollout.CodeText(code), "unknown code")
}

// haltSentence is why a rollout stopped, in the words machines are answered.
func haltSentence(h *rollout.Halt) string {
	return rollout.Decision{
		Reason: rollout.ReasonHalted, Rule: h.Rule, Failed: h.Failed, Finish: h.Finished, By: h.By, Because: h.Reason,
	}.Detail()
}

// simulation is a forecast by columns.
func simulation(f *forecast.Result) *model.Simulation {
	s := &model.Simulation{
		ProjectedEnd: f.Ends, Ends: rollout.RolloutActive, Halt: f.Halted, LeftOut: f.LeftOut, Scale: f.Each,
		CheckEvery: f.CheckEvery, UpdateTakes: f.UpdateTakes,
		Sentence: "after 14 days the rollout would still be going on",
	}
	switch {
	case f.Halted != nil:
		s.Ends, s.Sentence = rollout.RolloutHalted, haltSentence(f.Halted)
	case !f.Ends.IsZero():
		s.Ends, s.Sentence = rollout.RolloutCompleted, "the rollout would be done on "+f.Ends.UTC().Format("Monday 2 January 15:04 UTC")
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
