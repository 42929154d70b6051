package acceptance

import (
	"slices"
	"strings"

	"github.com/google/uuid"

	"github.com/coreroller/coreroller/ent/db"
	"github.com/coreroller/coreroller/ent/db/activity"
	"github.com/coreroller/coreroller/ent/db/attempt"
	"github.com/coreroller/coreroller/ent/db/historyentry"
	"github.com/coreroller/coreroller/ent/db/ledger"
	"github.com/coreroller/coreroller/fleet/view"
	"github.com/coreroller/coreroller/rollout"
)

// Requests of a site's machines, and the state that the API reads.

// checking returns the update check of a machine in G.
func (s *site) checking(machine, version string, events ...event) request {
	return request{app: s.app.String(), machine: machine, version: version, track: "t", ping: true, check: true, events: events}
}

// check sends an update check, with events before it.
func (s *site) check(machine, version string, events ...event) appAnswer {
	return s.ask(s.checking(machine, version, events...))[0]
}

// grants sends a check and expects the offer of a version.
func (s *site) grants(machine, version, offer string, events ...event) {
	s.t.Helper()
	a := s.check(machine, version, events...)
	if a.Status != "ok" || a.Check == nil || a.Check.Status != "ok" || a.offered() != offer {
		s.t.Errorf("%s@%s was answered %s, want the offer of %s", machine, version, a, offer)
	}
}

// holds sends a check and expects "noupdate" with a reason. The answer is never an
// error, because real machines would then report a failure (case 37).
func (s *site) holds(machine, version, reason string, events ...event) {
	s.t.Helper()
	a := s.check(machine, version, events...)
	if a.Status != "ok" || a.Check == nil || a.Check.Status != "noupdate" || a.Check.Info != reason || a.offered() != "" {
		s.t.Errorf("%s@%s was answered %s, want noupdate for %s", machine, version, a, reason)
	}
}

// reports sends events without a check and expects an acknowledgement of each.
func (s *site) reports(machine, version string, events ...event) {
	s.t.Helper()
	r := s.checking(machine, version, events...)
	r.ping, r.check = false, false
	a := s.ask(r)[0]
	if len(a.Events) != len(events) || slices.ContainsFunc(a.Events, func(e statusAnswer) bool { return e.Status != "ok" }) {
		s.t.Errorf("events %v of %s were answered %+v", events, machine, a)
	}
}

// pings sends a ping without a check.
func (s *site) pings(machine, version string) {
	s.t.Helper()
	r := s.checking(machine, version)
	r.check = false
	if a := s.ask(r)[0]; a.Ping == nil || a.Ping.Status != "ok" || a.Check != nil {
		s.t.Errorf("the ping of %s was answered %+v", machine, a)
	}
}

// updates takes a machine from a grant to its first check on the new version.
func (s *site) updates(machine, from, to string) {
	s.t.Helper()
	s.reports(machine, from, "13/1", "14/1", "3/1")
	s.holds(machine, to, "up_to_date", event("3/2 from "+from))
}

// instance returns a machine of A as the API reads it, nil if it is unknown.
func (s *site) instance(machine string) *db.Instance {
	s.t.Helper()
	row, err := s.store.Reader().Instance.Get(s.ctx, s.instanceID(machine))
	if db.IsNotFound(err) {
		return nil
	}
	s.ok(err)
	return row
}

// is checks the state of a machine.
func (s *site) is(machine string, state rollout.State) {
	s.t.Helper()
	if m := s.instance(machine); m == nil || m.State != state {
		s.t.Errorf("%s is %+v, want state %d", machine, m, state)
	}
}

// attempts returns the outcomes of a machine's ended attempts, oldest first.
func (s *site) attempts(machine string) []rollout.Outcome {
	s.t.Helper()
	rows, err := s.store.Reader().Attempt.Query().Where(attempt.InstanceID(s.instanceID(machine))).Order(attempt.ByID()).All(s.ctx)
	s.ok(err)
	var all []rollout.Outcome
	for _, row := range rows {
		all = append(all, row.Outcome)
	}
	return all
}

// attemptsEnded checks the outcomes of a machine's ended attempts, oldest first.
func (s *site) attemptsEnded(machine string, want ...rollout.Outcome) {
	s.t.Helper()
	if got := s.attempts(machine); !slices.Equal(got, want) {
		s.t.Errorf("the attempts of %s ended as %v, want %v", machine, got, want)
	}
}

// history returns a machine's history, newest first.
func (s *site) history(machine string) []*db.HistoryEntry {
	s.t.Helper()
	rows, err := s.store.Reader().HistoryEntry.Query().Where(historyentry.InstanceID(s.instanceID(machine))).
		Order(db.Desc(historyentry.FieldID)).All(s.ctx)
	s.ok(err)
	return rows
}

// activities returns the activities of a kind about G, oldest first.
func (s *site) activities(kind rollout.ActivityKind) []*db.Activity {
	s.t.Helper()
	rows, err := s.store.Reader().Activity.Query().Where(activity.GroupID(s.group), activity.KindEQ(kind)).Order(activity.ByID()).All(s.ctx)
	s.ok(err)
	return rows
}

// activityCount checks the number of activities of a kind about G.
func (s *site) activityCount(kind rollout.ActivityKind, want int) {
	s.t.Helper()
	if got := s.activities(kind); len(got) != want {
		s.t.Errorf("%d activities of kind %d, want %d: %v", len(got), kind, want, got)
	}
}

// numbers are the numbers of a group and of its current rollout.
type numbers struct {
	*view.GroupNumbers
	Funnel   rollout.Counts
	Failures []*db.Failure
}

// numbers returns the numbers of G.
func (s *site) numbers() numbers {
	s.t.Helper()
	n, err := s.View.GroupNumbers(s.ctx, s.group)
	s.ok(err)
	waves, err := s.View.Waves(s.ctx, []uuid.UUID{n.RolloutID})
	s.ok(err)
	failures, err := s.View.Failures(s.ctx, []uuid.UUID{n.RolloutID})
	s.ok(err)
	return numbers{GroupNumbers: n, Funnel: view.SumWaves(waves[n.RolloutID]), Failures: view.FailureCounts(failures[n.RolloutID])}
}

// inFlight checks the number of grants of G in flight.
func (s *site) inFlight(want int) {
	s.t.Helper()
	if n := s.numbers(); n.InFlight != want {
		s.t.Errorf("%d grants in flight, want %d", n.InFlight, want)
	}
}

// rolloutOf returns the current rollout of a group, nil if it has none.
func (s *site) rolloutOf(group uuid.UUID) *db.GroupRollout {
	s.t.Helper()
	row, err := s.store.Reader().Ledger.Query().Where(ledger.GroupID(group)).Only(s.ctx)
	s.ok(err)
	if row.RolloutID == nil {
		return nil
	}
	current, err := s.store.Reader().GroupRollout.Get(s.ctx, *row.RolloutID)
	s.ok(err)
	return current
}

// rolloutIs checks the state of G's rollout.
func (s *site) rolloutIs(state rollout.RolloutState) {
	s.t.Helper()
	if r := s.rolloutOf(s.group); r == nil || r.State != state {
		s.t.Errorf("the rollout is %+v, want state %d", r, state)
	}
}

// decisionContains checks that the last decision about a machine contains all texts.
func (s *site) decisionContains(machine string, texts ...string) {
	s.t.Helper()
	m := s.instance(machine)
	for _, text := range texts {
		if m == nil || !strings.Contains(m.Decision, text) {
			s.t.Errorf("the decision about %s is %+v, want it to contain %q", machine, m, text)
		}
	}
}
