package rollout

import "time"

// simEvent is something that happens to one simulated machine.
type simEvent struct {
	at      time.Time
	order   int // of two at the same time the older one comes first
	machine int
	kind    simKind
}

type simKind int8

const (
	simCheck  simKind = iota // it asks
	simHalf                  // it downloaded, or fails
	simPing                  // it waits for its reboot
	simDone                  // it runs the new version
	simLease                 // its lease may have run out
	simForget                // it was not seen for a day
)

func (s *simulator) happen(e simEvent) {
	m := &s.machines[e.machine]
	switch e.kind {
	case simCheck:
		s.check(e.machine, m)
	case simHalf:
		s.half(e.machine, m)
	case simPing:
		if m.Attempt.Open() && m.State == StateInstalled {
			s.w.Ping(&m.Machine, s.now)
			s.schedule(e.machine, simPing, s.in.CheckEvery)
		}
	case simDone:
		s.w.Observe(&m.Machine, m.offer, s.now, &s.fx)
		s.schedule(e.machine, simCheck, 0) // the check after the reboot
	case simLease:
		if m.Attempt.Open() && !s.w.Expire(&m.Machine, s.now, &s.fx) {
			s.schedule(e.machine, simLease, m.Attempt.LeaseUntil.Sub(s.now))
		}
	case simForget:
		s.w.Silence(&m.Machine, s.now, &s.fx)
	}
}

// check asks for the machine and begins what it is offered.
func (s *simulator) check(i int, m *simMachine) {
	s.w.Observe(&m.Machine, m.Version, s.now, &s.fx)
	d := s.w.Check(&m.Machine, Check{}, s.now, &s.fx)
	if d.Reason != ReasonGranted {
		s.askAgain(i, d)
		return
	}
	m.tries++
	m.offer = d.Offer.Version
	s.schedule(i, simLease, m.Attempt.LeaseUntil.Sub(s.now))
	fate := fraction("fate", i, m.tries)
	m.silent = fate < s.in.SilentShare
	m.fails = fate >= 1-s.in.FailureShare
	if m.silent {
		s.schedule(i, simForget, simSilence)
		return
	}
	s.w.Report(&m.Machine, Event{Type: eventDownloadStarted, Result: resultSuccess}, s.now, &s.fx)
	s.schedule(i, simHalf, s.in.UpdateTakes/2)
}

// askAgain keeps the rhythm of the machine's checks, but leaves out those that
// cannot be answered otherwise. Nobody resumes or approves in a simulation.
func (s *simulator) askAgain(i int, d Decision) {
	switch d.Reason {
	case ReasonUpToDate, ReasonQuarantined, ReasonNoPackage, ReasonBlacklisted, ReasonPaused, ReasonHalted, ReasonWaitingForApproval:
		return
	case ReasonWaveNotReached:
		if s.w.wave() == s.w.Policy.lastWave() {
			return
		}
	default:
	}
	after := s.in.CheckEvery
	if wait := d.Until.Sub(s.now); !d.Until.IsZero() && wait > after {
		after = (wait + after - 1) / after * after
	}
	s.schedule(i, simCheck, after)
}

// half is half way through an update: the payload is there, or it failed.
func (s *simulator) half(i int, m *simMachine) {
	if m.fails {
		s.w.Report(&m.Machine, Event{Type: eventUpdateComplete, Result: resultError, Code: 1}, s.now, &s.fx)
		s.schedule(i, simCheck, s.in.CheckEvery)
		return
	}
	s.w.Report(&m.Machine, Event{Type: eventDownloadFinished, Result: resultSuccess}, s.now, &s.fx)
	if s.in.Reboots {
		s.w.Report(&m.Machine, Event{Type: eventUpdateComplete, Result: resultSuccess}, s.now, &s.fx)
		s.schedule(i, simPing, s.in.CheckEvery)
	}
	s.schedule(i, simDone, s.in.UpdateTakes-s.in.UpdateTakes/2)
}

// simQueue is a binary heap of events by time and order.
type simQueue struct {
	events []simEvent
	pushed int
}

func (q *simQueue) before(i, j int) bool {
	a, b := &q.events[i], &q.events[j]
	if c := a.at.Compare(b.at); c != 0 {
		return c < 0
	}
	return a.order < b.order
}

func (q *simQueue) push(e simEvent) {
	e.order = q.pushed
	q.pushed++
	q.events = append(q.events, e)
	for i := len(q.events) - 1; i > 0; {
		parent := (i - 1) / 2
		if !q.before(i, parent) {
			break
		}
		q.events[i], q.events[parent] = q.events[parent], q.events[i]
		i = parent
	}
}

func (q *simQueue) pop() simEvent {
	top, last := q.events[0], len(q.events)-1
	q.events[0] = q.events[last]
	q.events = q.events[:last]
	for i := 0; ; {
		least := i
		for child := 2*i + 1; child <= 2*i+2 && child < last; child++ {
			if q.before(child, least) {
				least = child
			}
		}
		if least == i {
			return top
		}
		q.events[i], q.events[least] = q.events[least], q.events[i]
		i = least
	}
}
