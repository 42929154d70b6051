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

// The machines' side of a site, and what the API reads of them.

// checking is the check of a machine of G.
func (s *site) checking(machine, version string, events ...event) request {
	return request{app: s.app.String(), machine: machine, version: version, track: "t", ping: true, check: true, events: events}
}

// check is "check m@v", with events before it.
func (s *site) check(machine, version string, events ...event) appAnswer {
	return s.ask(s.checking(machine, version, events...))[0]
}

// grants checks and expects the offer of a version.
func (s *site) grants(machine, version, offer string, events ...event) {
	s.t.Helper()
	a := s.check(machine, version, events...)
	if a.Status != "ok" || a.Check == nil || a.Check.Status != "ok" || a.offered() != offer {
		s.t.Errorf("%s@%s was answered %s, want the offer of %s", machine, version, a, offer)
	}
}

// holds checks and expects "noupdate" for a reason; such an answer is never an
// error, after which real machines would report a failure (case 37).
func (s *site) holds(machine, version, reason string, events ...event) {
	s.t.Helper()
	a := s.check(machine, version, events...)
	if a.Status != "ok" || a.Check == nil || a.Check.Status != "noupdate" || a.Check.Info != reason || a.offered() != "" {
		s.t.Errorf("%s@%s was answered %s, want noupdate for %s", machine, version, a, reason)
	}
}

// reports sends events without a check, each acknowledged.
func (s *site) reports(machine, version string, events ...event) {
	s.t.Helper()
	r := s.checking(machine, version, events...)
	r.ping, r.check = false, false
	a := s.ask(r)[0]
	if len(a.Events) != len(events) || slices.ContainsFunc(a.Events, func(e statusAnswer) bool { return e.Status != "ok" }) {
		s.t.Errorf("%v of %s were answered %+v", events, machine, a)
	}
}

// pings sends a ping alone.
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

// instance is a machine of A as the API reads it, nil when it is unknown.
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

// attempts are how the attempts of a machine ended, the oldest first.
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

// ended checks how the attempts of a machine ended.
func (s *site) ended(machine string, want ...rollout.Outcome) {
	s.t.Helper()
	if got := s.attempts(machine); !slices.Equal(got, want) {
		s.t.Errorf("the attempts of %s ended as %v, want %v", machine, got, want)
	}
}

// history is a machine's own story, the newest first.
func (s *site) history(machine string) []*db.HistoryEntry {
	s.t.Helper()
	rows, err := s.store.Reader().HistoryEntry.Query().Where(historyentry.InstanceID(s.instanceID(machine))).
		Order(db.Desc(historyentry.FieldID)).All(s.ctx)
	s.ok(err)
	return rows
}

// activities are those of a kind about G, the oldest first.
func (s *site) activities(kind rollout.ActivityKind) []*db.Activity {
	s.t.Helper()
	rows, err := s.store.Reader().Activity.Query().Where(activity.GroupID(s.group), activity.KindEQ(kind)).Order(activity.ByID()).All(s.ctx)
	s.ok(err)
	return rows
}

// noted checks how many activities of a kind there are about G.
func (s *site) noted(kind rollout.ActivityKind, want int) {
	s.t.Helper()
	if got := s.activities(kind); len(got) != want {
		s.t.Errorf("%d activities of kind %d, want %d: %v", len(got), kind, want, got)
	}
}

// numbers are those of G.
func (s *site) numbers() *view.GroupNumbers {
	s.t.Helper()
	n, err := s.View.GroupNumbers(s.ctx, s.group)
	s.ok(err)
	return n
}

// inFlight checks how many grants of G are in flight.
func (s *site) inFlight(want int) {
	s.t.Helper()
	if n := s.numbers(); n.InFlight != want {
		s.t.Errorf("%d grants in flight, want %d", n.InFlight, want)
	}
}

// rolloutOf is the current rollout of a group, nil when there is none.
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

// stands checks the state of G's rollout.
func (s *site) stands(state rollout.RolloutState) {
	s.t.Helper()
	if r := s.rolloutOf(s.group); r == nil || r.State != state {
		s.t.Errorf("the rollout is %+v, want state %d", r, state)
	}
}

// says checks that the last decision about a machine names all of the words.
func (s *site) says(machine string, words ...string) {
	s.t.Helper()
	m := s.instance(machine)
	for _, word := range words {
		if m == nil || !strings.Contains(m.Decision, word) {
			s.t.Errorf("the decision about %s is %+v, want it to name %q", machine, m, word)
		}
	}
}
