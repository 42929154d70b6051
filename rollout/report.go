package rollout

import (
	"fmt"
	"time"
)

// Event types and results of the Omaha protocol that Report handles.
const (
	EventUpdateComplete   = 3
	EventDownloadStarted  = 13
	EventDownloadFinished = 14
	EventInstalled        = 800

	ResultError    = 0
	ResultSuccess  = 1
	ResultRestart  = 2 // the machine runs the new version
	ResultDeferred = 9

	codeRolledBack = 44
)

// Report applies one event. Events may be lost, repeated or out of order; events
// that are unknown or do not fit the state change nothing.
func (w *World) Report(m *Machine, e Event, now time.Time, fx *Effects) {
	w.Expire(m, now, fx)
	before := w.place(m)
	switch e.Type {
	case EventDownloadStarted:
		w.stage(m, e, StateDownloading, now, fx)
	case EventDownloadFinished:
		w.stage(m, e, StateDownloaded, now, fx)
	case EventInstalled:
		w.stage(m, e, StateInstalled, now, fx)
	case EventUpdateComplete:
		w.reportUpdate(m, e, now, fx)
	}
	w.recount(before, m)
	w.Advance(now, fx)
}

func (w *World) reportUpdate(m *Machine, e Event, now time.Time, fx *Effects) {
	open := m.Attempt.Open()
	switch e.Result {
	case ResultSuccess: // only the running version shows a success, see Observe
		w.stage(m, e, StateInstalled, now, fx)
	case ResultRestart:
		switch {
		case !open:
		case e.Idle():
			// An idle daemon no longer works on the update it had started. A grant
			// that was not started remains: the next check offers it again.
			if w.Reboots && m.State != StateGranted {
				w.finish(m, w.interrupt(m), 0, m.Version, now, fx)
			}
		case reached(m.Version, m.Attempt.Version, m.Attempt.Leaves):
			w.finish(m, OutcomeSucceeded, 0, m.Version, now, fx)
		}
	case ResultError:
		switch {
		case checkFailed(e.Code):
			// It says nothing about the package.
		case open && e.Code == codeRolledBack:
			w.finish(m, OutcomeRolledBack, e.Code, m.Version, now, fx)
		case open:
			w.finish(m, OutcomeFailed, e.Code, m.Version, now, fx)
		case e.Code == codeRolledBack && m.Last.Outcome.Failure() && m.Last.Outcome != OutcomeRolledBack:
			// The attempt had timed out, for example during a slow reboot.
			w.revise(m, OutcomeRolledBack, e.Code, now, fx)
		}
	case ResultDeferred:
		if open {
			w.deferUpdate(m, e.Code, now, fx)
		}
	}
}

// restarted reports whether the machine or its program restarted while it downloaded
// the update: it lost the download and asks again.
func (m *Machine) restarted(c Check) bool {
	return m.Attempt.Session != "" && c.Session != "" && m.Attempt.Session != c.Session &&
		(m.State == StateDownloading || m.State == StateDownloaded)
}

// restart ends the attempt of a machine that restarted, so that it is offered the
// same again at once.
func (w *World) restart(m *Machine, c Check, now time.Time, fx *Effects) {
	if m.restarted(c) {
		before := w.place(m)
		w.finish(m, w.interrupt(m), 0, m.Version, now, fx)
		w.recount(before, m)
	}
}

// interrupt counts an interruption of the machine's attempt and returns its outcome:
// too many in a row are a failure.
func (w *World) interrupt(m *Machine) Outcome {
	if m.InterruptedVersion.Compare(m.Attempt.Version) != 0 {
		m.InterruptedVersion, m.Interruptions = m.Attempt.Version, 0
	}
	if m.Interruptions++; m.Interruptions >= w.policy().MaxAttempts {
		return OutcomeLooping
	}
	return OutcomeInterrupted
}

// deferUpdate ends the attempt of a machine that put off the update. The machine may
// do so many times; see Machine.Deferred.
func (w *World) deferUpdate(m *Machine, code int, now time.Time, fx *Effects) {
	a := &m.Attempt
	switch {
	case w.revoked(a) || m.State != StateGranted:
		w.finish(m, OutcomeDeferred, code, m.Version, now, fx)
	case m.Deferred == a.Rollout:
		w.release(m)
		m.State = StateNone
	default:
		id := a.Rollout
		w.finish(m, OutcomeDeferred, code, m.Version, now, fx)
		m.Deferred = id
	}
}

// resumeDeferred counts a grant that was not counted because it repeats one that the
// machine put off.
func (w *World) resumeDeferred(m *Machine, fx *Effects) {
	if a := &m.Attempt; m.Deferred != (ID{}) {
		m.Deferred = ID{}
		w.progress(a.Rollout, a.Wave, a.Epoch, Counts{Granted: 1}, fx)
	}
}

// Idle reports whether an event says that no update was in progress. An OS machine
// sends it with every check, and one that cannot update (update_engine_stub of
// diskless machines) sends nothing else. Without the previous version the event does
// not say whether an update was in progress.
func (e Event) Idle() bool {
	return e.Type == EventUpdateComplete && e.Result == ResultRestart &&
		e.HasPrevious && (e.PreviousVersion == "" || e.PreviousVersion == "0.0.0.0")
}

// stage moves an attempt forward. An event of an earlier stage, late or repeated,
// only restarts the lease.
func (w *World) stage(m *Machine, e Event, s State, now time.Time, fx *Effects) {
	a := &m.Attempt
	if !a.Open() || e.Result != ResultSuccess {
		return
	}
	if rank(s) > rank(m.State) {
		w.resumeDeferred(m, fx)
		m.State = s
		if a.Rollout == w.Rollout.ID {
			w.moved(now)
		}
		var c Counts
		reach(a, s, now, &c)
		w.progress(a.Rollout, a.Wave, a.Epoch, c, fx)
		fx.entry(m, a.Version, 0, "")
	}
	w.restartLease(m, now)
}

// rank orders the states of an open attempt.
func rank(s State) int {
	switch s {
	case StateDownloading:
		return 1
	case StateDownloaded:
		return 2
	case StateInstalled:
		return 3
	default:
		return 0
	}
}

// describe says how an attempt ended, for the history and the activity.
func (o Outcome) describe(code int) string {
	switch o {
	case OutcomeSucceeded:
		return "complete"
	case OutcomeFailed:
		return fmt.Sprintf("failed: %s", DescribeCode(code))
	case OutcomeRolledBack:
		return "rolled back to the previous version"
	case OutcomeTimeout:
		return "no report before the lease expired"
	case OutcomeInterrupted:
		return "interrupted: the attempt ended without a result"
	case OutcomeDeferred:
		return fmt.Sprintf("deferred by the machine: %s", DescribeCode(code))
	case OutcomeWithdrawn:
		return "withdrawn before it started"
	case OutcomeNotRunning:
		return "reported success, but still runs the old version"
	case OutcomeLost:
		return "lost: silent since it installed the update"
	case OutcomeLooping:
		return "interrupted too often: the machine begins the update again and again"
	case OutcomeCameBack:
		return "came back: it runs the version at which its attempt had failed"
	}
	return ""
}

// describe also names the version that the machine runs.
func (r *Result) describe(running Version) string {
	if r.Outcome == OutcomeNotRunning {
		return "reported success, but still runs " + orNone(running)
	}
	return r.Outcome.describe(r.Code)
}
