package rollout

import (
	"flag"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/coreroller/coreroller/rollout/policy"
)

var deep = flag.Bool("deep", false, "visit the states within 8 moves instead of 6")

// small is a world of three machines and two waves, small enough to visit every
// state. Copies share no data that is changed in place.
type small struct {
	w      World
	m      [3]Machine
	seen   [3]time.Time
	now    time.Time
	grants []time.Time
	fx     Effects
	last   string // the move that led here, and the one before
	before *small
}

// smallPolicy: machine a is the canary, then all; safe mode or not; 2 grants
// an hour, 2 at once.
func smallPolicy(safe bool) Policy {
	p := policy.Default()
	p.SafeMode = safe
	p.MaxUpdatesPerPeriod, p.MaxConcurrentUpdates = 2, 2
	p.Waves = []Wave{{Canaries: []string{"a"}, Soak: 30 * time.Minute}, {Share: 1}}
	p.HaltFailureShare, p.HaltMinAttempts = 0.5, 2
	p.MaxAttempts = 2
	p.RebootTimeout = 2 * time.Hour
	return p
}

func newSmall(t *testing.T, p Policy) *small {
	s := &small{now: start}
	s.w = World{Policy: compile(t, p), Reboots: true}
	old := mustVersion(t, "1.0.0")
	for i, id := range []string{"a", "b", "c"} {
		s.m[i] = Machine{ID: id, Version: old, Reason: ReasonNoPackage}
		s.seen[i] = start
	}
	s.w.Retarget(Aim{Target: pack(t, "2.0.0")}, ID{1}, "salt", Census{Behind: 3}, false, start, &s.fx)
	return s
}

// moves returns everything that can happen next, except events without an
// attempt, which the random histories cover.
func (s *small) moves() (list []string) {
	for i := range s.m {
		id := s.m[i].ID
		list = append(list, "check "+id)
		if s.m[i].Attempt.Open() {
			list = append(list, "13/1 "+id, "3/1 "+id, "3/0 "+id, "44 "+id, "idle "+id, "seen "+id, "ping "+id)
		}
		switch last := &s.m[i].Last; {
		case last.Outcome.Success():
			list = append(list, "fall back "+id)
		case last.Outcome.Failure():
			list = append(list, "come back "+id)
		}
	}
	return append(list, "half an hour", "a day", "late worker", "resume")
}

// do applies one move to a copy.
func (s *small) do(t *testing.T, move string) *small {
	n := *s
	n.fx, n.last, n.before = Effects{}, move, s
	what, id := move[:max(0, len(move)-2)], move[len(move)-1:]
	i := strings.Index("abc", id)
	switch move {
	case "half an hour":
		n.now = n.now.Add(30 * time.Minute)
		n.worker()
		return &n
	case "late worker": // time passes without the worker
		n.now = n.now.Add(90 * time.Minute)
		return &n
	case "a day":
		n.now = n.now.Add(24 * time.Hour)
		n.worker()
		return &n
	case "resume":
		n.w.ResumeUpdates("ada", "", n.now, &n.fx)
		return &n
	}
	m := &n.m[i]
	running := m.Version
	switch what {
	case "seen":
		running = m.Attempt.Version
	case "come back":
		running = m.Last.Version
	case "fall back":
		running = mustVersion(t, "1.0.0")
	}
	n.seen[i] = n.now
	asks := slices.Contains([]string{"check", "seen", "idle", "fall back", "come back"}, what)
	n.w.Observe(m, running, asks, n.now, &n.fx)
	switch what {
	case "13/1":
		n.w.Report(m, Event{Type: 13, Result: 1}, n.now, &n.fx)
	case "3/1":
		n.w.Report(m, Event{Type: 3, Result: 1}, n.now, &n.fx)
	case "3/0":
		n.w.Report(m, Event{Type: 3, Code: 9}, n.now, &n.fx)
	case "44":
		n.w.Report(m, Event{Type: 3, Code: 44}, n.now, &n.fx)
	case "ping":
		n.w.Ping(m, n.now)
	case "idle":
		n.w.Report(m, Event{Type: 3, Result: 2, HasPrevious: true}, n.now, &n.fx)
		n.check(t, m)
	case "check", "seen", "fall back", "come back":
		n.check(t, m)
	}
	return &n
}

func (s *small) worker() {
	for i := range s.m {
		s.w.Expire(&s.m[i], s.now, &s.fx)
		if s.m[i].Standing != StandingSilent && s.now.Sub(s.seen[i]) >= 24*time.Hour {
			s.w.Silence(&s.m[i], s.now, &s.fx)
		}
	}
	s.w.Advance(s.now, &s.fx)
}

func (s *small) check(t *testing.T, m *Machine) {
	want := Decide(&s.w, m, Check{}, s.now)
	lost := m.spentAt()
	d := s.w.Check(m, Check{}, s.now, &s.fx)
	if d != want {
		s.fail(t, "Decide returned %s, Check %s", want.Reason, d.Reason)
	}
	if d.Reason != ReasonGranted {
		return
	}
	r := &s.w.Rollout
	if r.State == RolloutHalted {
		s.fail(t, "a halted rollout granted %s", m.ID)
	}
	if !d.Again {
		others := slices.DeleteFunc(slices.Clone(s.grants), func(at time.Time) bool { return at.Equal(lost) })
		s.grants = append(others, s.now)
	}
	p := s.w.Policy.Policy()
	if r.Wave == 0 && m.ID != "a" {
		s.fail(t, "%s was granted in the canary's wave", m.ID)
	}
	if !p.SafeMode || r.Proven() {
		return
	}
	for i := range s.m {
		if o := &s.m[i]; o.ID != m.ID && o.Attempt.Open() && !o.Attempt.RebootOverdue && o.Attempt.Epoch == r.Epoch {
			s.fail(t, "%s was granted while %s goes first", m.ID, o.ID)
		}
	}
}

// sound checks what must hold in every state.
func (s *small) sound(t *testing.T) {
	p := s.w.Policy.Policy()
	var census Census
	flying, overdue := 0, 0
	for i := range s.m {
		m := &s.m[i]
		census.Add(s.w.place(m), 1)
		if m.Attempt.Open() != m.State.InFlight() {
			s.fail(t, "%s is in state %d, attempt open: %v", m.ID, m.State, m.Attempt.Open())
		}
		if m.Attempt.Open() {
			if m.Attempt.RebootOverdue {
				overdue++
			} else {
				flying++
			}
			if longest := s.now.Add(p.MaxSilence()); m.Attempt.LeaseUntil.After(longest) {
				s.fail(t, "the lease of %s ends in %s", m.ID, m.Attempt.LeaseUntil.Sub(s.now))
			}
		}
	}
	if l := &s.w.Ledger; census != s.w.Census || flying != l.InFlight || overdue != l.RebootOverdue {
		s.fail(t, "census %+v, in flight %d and overdue %d, a recount gives %+v, %d and %d", s.w.Census, l.InFlight, l.RebootOverdue, census, flying, overdue)
	}
	if flying > p.MaxConcurrentUpdates {
		s.fail(t, "%d in flight", flying)
	}
	for i := range s.grants {
		if j := i + p.MaxUpdatesPerPeriod; j < len(s.grants) && s.grants[j].Sub(s.grants[i]) < p.PeriodInterval {
			s.fail(t, "%d grants within a period", p.MaxUpdatesPerPeriod+1)
		}
	}
}

// exit resumes and releases, and lets the machines update: all of them must reach
// the target.
func (s *small) exit(t *testing.T) {
	n := *s
	n.w.ResumeUpdates("ada", "", n.now, &n.fx)
	for range 30 {
		n.now = n.now.Add(30 * time.Minute)
		n.worker()
		if n.w.Rollout.State == RolloutHalted {
			n.w.ResumeUpdates("ada", "", n.now, &n.fx)
		}
		for i := range n.m {
			m := &n.m[i]
			n.seen[i] = n.now
			n.w.Observe(m, m.Version, true, n.now, &n.fx)
			if n.w.Check(m, Check{}, n.now, &n.fx).Reason == ReasonQuarantined {
				n.w.Release(m, "ada", n.now, &n.fx)
			}
			if m.Attempt.Open() {
				n.w.Observe(m, m.Attempt.Version, true, n.now, &n.fx)
			}
		}
		n.fx = Effects{}
		if n.w.Census.OnTarget == 3 && n.w.Rollout.State == RolloutCompleted {
			return
		}
	}
	s.fail(t, "the machines do not reach the target: census %+v, rollout %+v", n.w.Census, n.w.Rollout)
}

func (s *small) fail(t *testing.T, format string, args ...any) {
	t.Helper()
	var path []string
	for at := s; at != nil && at.last != ""; at = at.before {
		path = append(path, at.last)
	}
	slices.Reverse(path)
	t.Fatalf("after %s: %s", strings.Join(path, ", "), fmt.Sprintf(format, args...))
}

// key identifies a state, with times relative to now.
func (s *small) key() string {
	key := make([]byte, 0, 256)
	number := func(n int) { key = append(key, byte(n), byte(n>>8)) }
	at := func(t time.Time) {
		if t.IsZero() {
			number(-1 << 15)
		} else {
			number(max(-2000, int(t.Sub(s.now)/time.Minute))) // older times do not change a decision
		}
	}
	truth := func(b bool) {
		if b {
			key = append(key, 1)
		} else {
			key = append(key, 0)
		}
	}
	for i := range s.m {
		m, a := &s.m[i], &s.m[i].Attempt
		key = append(key, m.Version.String()[0], byte(m.State), byte(m.Standing), byte(m.Reason), byte(m.Failures), byte(a.Wave), byte(a.Number), byte(m.Last.Outcome), byte(m.Last.Wave))
		truth(m.Last.Proof)
		number(max(m.Last.Epoch-s.w.Rollout.Epoch, -1))
		number(a.Epoch - s.w.Rollout.Epoch)
		truth(m.QuarantinedVersion.IsZero())
		at(a.LeaseUntil)
		at(m.WithdrawnAt)
		at(a.InstalledAt)
		truth(a.RebootOverdue)
		at(m.LastSeenAt)
	}
	r, c := &s.w.Rollout, &s.w.Rollout.WaveCounts
	key = append(key, byte(r.State), byte(r.Wave), byte(min(c.Succeeded, 1)))
	// More evidence than this makes no difference.
	key = append(key, byte(min(r.Evidence.Succeeded, 4)), byte(min(r.Evidence.Failed, 4)), byte(min(c.Finished()-r.SetAside, 2)))
	key = append(key, byte(r.Proofs))
	truth(r.StartedAt.IsZero())
	truth(r.EndedAt.IsZero())
	key = append(key, r.Leader...)
	at(r.GateAt)
	for _, g := range s.w.Ledger.Spends {
		if s.now.Sub(g.Last) < time.Hour {
			at(g.Last)
			number(g.Count)
		}
	}
	return string(key)
}

// TestEveryStateOfThreeMachines visits every state that is reachable
// within some moves: checks, events, retries, silence and resumes.
func TestEveryStateOfThreeMachines(t *testing.T) {
	depth := 6
	if *deep {
		depth = 8
	}
	for _, safe := range []bool{true, false} {
		t.Run(fmt.Sprintf("safe mode %v", safe), func(t *testing.T) {
			t.Parallel()
			known := map[string]bool{}
			frontier := []*small{newSmall(t, smallPolicy(safe))}
			for range depth {
				var next []*small
				for _, s := range frontier {
					for _, move := range s.moves() {
						n := s.do(t, move)
						if key := n.key(); !known[key] {
							known[key] = true
							n.sound(t)
							n.exit(t)
							next = append(next, n)
						}
					}
				}
				frontier = next
			}
			t.Logf("%d states within %d moves", len(known), depth)
		})
	}
}
