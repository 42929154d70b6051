package forecast

import (
	"time"

	"github.com/coreroller/coreroller/rollout"
)

// event is due at one time for one simulated machine.
type event struct {
	at      time.Time
	order   int // of two events at the same time, the one pushed first comes first
	machine int // index
	kind    kind
}

type kind int8

const (
	kindCheck   kind = iota // the machine checks for updates
	kindHalf                // it finished the download, or reports an error
	kindPing                // it pings while it waits for its reboot
	kindDone                // it runs the new version
	kindLease               // its lease may have expired
	kindSilence             // it was not seen for silentAfter
)

func (s *simulator) process(e event) {
	m := &s.machines[e.machine]
	s.moved = s.moved || e.kind != kindCheck
	switch e.kind {
	case kindCheck:
		s.check(e.machine, m)
	case kindHalf:
		s.half(e.machine, m)
	case kindPing:
		if m.Attempt.Open() && m.State == rollout.StateInstalled {
			s.w.Ping(&m.Machine, s.now)
			s.schedule(e.machine, kindPing, s.in.CheckEvery)
		}
	case kindDone:
		s.w.Observe(&m.Machine, m.offer, true, s.now, &s.fx)
		s.schedule(e.machine, kindCheck, 0) // the check after the reboot
	case kindLease:
		if m.Attempt.Open() && !s.w.Expire(&m.Machine, s.now, &s.fx) {
			s.schedule(e.machine, kindLease, m.Attempt.LeaseUntil.Sub(s.now))
		}
	case kindSilence:
		s.w.Silence(&m.Machine, s.now, &s.fx)
	}
}

// check sends an update check and starts the update it is granted.
func (s *simulator) check(i int, m *machine) {
	s.countWave()
	s.w.Observe(&m.Machine, m.Version, true, s.now, &s.fx)
	d := s.w.Check(&m.Machine, rollout.Check{}, s.now, &s.fx)
	if d.Reason != rollout.ReasonGranted {
		s.checkLater(i, d)
		return
	}
	m.tries++
	m.offer = d.Offer.Version
	s.schedule(i, kindLease, m.Attempt.LeaseUntil.Sub(s.now))
	fate := fraction("fate", i, m.tries)
	m.silent = fate < s.in.SilentShare
	m.fails = fate >= 1-s.in.FailureShare
	if m.silent {
		s.schedule(i, kindSilence, silentAfter)
		return
	}
	s.w.Report(&m.Machine, rollout.Event{Type: rollout.EventDownloadStarted, Result: rollout.ResultSuccess}, s.now, &s.fx)
	s.schedule(i, kindHalf, s.in.UpdateTakes/2)
}

// checkLater schedules the next check at the machine's interval, skipping checks
// whose answer cannot have changed. No operator resumes or approves in a
// forecast.
func (s *simulator) checkLater(i int, d rollout.Decision) {
	switch d.Reason {
	case rollout.ReasonUpToDate, rollout.ReasonQuarantined, rollout.ReasonNoPackage, rollout.ReasonBlacklisted, rollout.ReasonPaused, rollout.ReasonHalted, rollout.ReasonWaitingForApproval:
		return
	case rollout.ReasonWaveNotReached:
		if s.w.Rollout.Wave == len(s.w.Policy.Policy().Waves)-1 {
			return
		}
	default:
	}
	after := s.in.CheckEvery
	if wait := d.Until.Sub(s.now); !d.Until.IsZero() && wait > after {
		after = (wait + after - 1) / after * after
	}
	s.schedule(i, kindCheck, after)
}

// half is half way through an update: the download finished, or it failed.
func (s *simulator) half(i int, m *machine) {
	if m.fails {
		s.w.Report(&m.Machine, rollout.Event{Type: rollout.EventUpdateComplete, Result: rollout.ResultError, Code: 1}, s.now, &s.fx)
		s.schedule(i, kindCheck, s.in.CheckEvery)
		return
	}
	s.w.Report(&m.Machine, rollout.Event{Type: rollout.EventDownloadFinished, Result: rollout.ResultSuccess}, s.now, &s.fx)
	if s.in.Reboots {
		s.w.Report(&m.Machine, rollout.Event{Type: rollout.EventUpdateComplete, Result: rollout.ResultSuccess}, s.now, &s.fx)
		s.schedule(i, kindPing, s.in.CheckEvery)
	}
	s.schedule(i, kindDone, s.in.UpdateTakes-s.in.UpdateTakes/2)
}

// queue is a binary heap of events by time and order.
type queue struct {
	events []event
	pushed int
}

func (q *queue) before(i, j int) bool {
	a, b := &q.events[i], &q.events[j]
	if c := a.at.Compare(b.at); c != 0 {
		return c < 0
	}
	return a.order < b.order
}

func (q *queue) push(e event) {
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

func (q *queue) pop() event {
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
