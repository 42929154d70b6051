package rollout

import "slices"

// evidence counts the ended attempts of known machines, or of newcomers, in this epoch.
func (t *twin) evidence(apart bool) (good, bad int) {
	in := func(e *twinEnd) bool { return e.epoch == t.epoch && e.apart == apart }
	good = t.count(func(e *twinEnd) bool { return in(e) && e.outcome.Success() })
	return good, t.count(func(e *twinEnd) bool { return in(e) && e.outcome.Failure() })
}

func (t *twin) tooMany(good, bad int) bool {
	p := &t.policy
	return p.HaltFailureShare > 0 && bad > 0 && good+bad >= p.HaltMinAttempts && float64(bad)/float64(good+bad) >= p.HaltFailureShare
}

// failing reports whether the results of newcomers stop them.
func (t *twin) failing(good, bad int) bool {
	return t.tooMany(good, bad) || bad > 0 && t.policy.SafeMode && !t.proven(true)
}

func (t *twin) newcomer(id string) bool {
	for _, w := range t.policy.Waves {
		if slices.Contains(w.Canaries, id) {
			return false
		}
	}
	m := t.machines[id]
	return !t.since.IsZero() && !m.enrolled && m.first.After(t.since)
}

// waiting reports whether newcomers wait for a known machine. Once they do, only note
// ends it.
func (t *twin) waiting() bool {
	t.waits = t.waits || t.knownWaits()
	return t.waits
}

// knownWaits reports whether newcomers wait for a known machine.
func (t *twin) knownWaits() bool {
	if t.since.IsZero() {
		return false
	}
	for id, m := range t.machines {
		never := m.reason == ReasonNone || m.reason == ReasonDisabledByClient || m.reason == ReasonOutsideClientPrefix || m.reason == ReasonNotEnrolled
		if t.active(m) && t.behind(m.running) && !t.newcomer(id) && !never && (m.open == nil || !m.open.overdue) {
			return true
		}
	}
	return false
}

// canary reports whether a wave that has opened names the machine, or one without a share
// selects it.
func (t *twin) canary(m *twinMachine) bool {
	for i := range min(t.wave+1, len(t.policy.Waves)) {
		w := &t.policy.Waves[i]
		for id := range t.machines {
			if t.machines[id] == m && (slices.Contains(w.Canaries, id) || w.Share == 0 && selects(w, id)) {
				return true
			}
		}
	}
	return false
}
