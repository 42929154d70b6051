package rollout

import "time"

func (t *twin) expire(m *twinMachine) {
	if t.lapse(m) {
		t.settle()
	}
}

// lapse ends an attempt whose lease expired and reports whether it changed the machine.
func (t *twin) lapse(m *twinMachine) bool {
	if m.open == nil || t.now.Before(m.open.lease) {
		return false
	}
	poll, extended := t.poll(), time.Duration(0)
	for _, o := range t.outages {
		if length := o.To.Sub(o.From); !o.From.Before(m.seen) {
			extended += length
			if t.reboots {
				poll = max(poll, min(4*time.Hour, 2*max(length, poll)))
			}
		}
	}
	if extended > 0 && extended+poll > m.open.extended {
		m.open.lease = m.open.lease.Add(extended + poll - m.open.extended)
		m.open.extended = extended + poll
	}
	if t.now.Before(m.open.lease) {
		return false
	}
	if lost := m.seen.Add(t.lostAfter() + m.open.extended); m.open.stage == 3 && !m.open.overdue && t.now.Before(lost) {
		m.open.overdue, m.open.lease = true, lost
		return true
	}
	switch {
	case m.open.stage == 0 && t.revoked(m.open):
		t.end(m, OutcomeWithdrawn)
	case m.open.stage == 3:
		t.end(m, OutcomeLost)
	default:
		t.end(m, OutcomeTimeout)
	}
	return true
}

// poll is the longest time between two polls.
func (t *twin) poll() time.Duration {
	if t.policy.PollInterval > 0 {
		return t.policy.PollInterval + t.policy.PollInterval/2
	}
	return 50 * time.Minute
}

func (t *twin) lease() time.Duration {
	if t.policy.PollInterval > 0 {
		return max(t.policy.UpdateTimeout, t.poll())
	}
	return t.policy.UpdateTimeout
}

func (t *twin) lostAfter() time.Duration {
	if t.policy.LostAfter > 0 {
		return t.policy.LostAfter
	}
	return max(t.policy.UpdateTimeout, 3*t.poll())
}

func (t *twin) prolong(m *twinMachine) {
	m.open.extended = 0
	if m.open.stage == 3 {
		m.open.lease = t.now.Add(t.lostAfter())
		if limit := m.open.installed.Add(t.policy.RebootTimeout); !m.open.overdue && limit.Before(m.open.lease) {
			m.open.lease = limit
		}
		return
	}
	if end := t.now.Add(t.lease()); end.After(m.open.lease) {
		m.open.lease = end
	}
}

func (t *twin) ping(m *twinMachine) {
	if m.open != nil && m.open.stage == 3 && t.now.Before(m.open.lease) {
		t.prolong(m)
	}
}
