package forecast

import (
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"slices"
	"strconv"
	"time"

	"github.com/coreroller/coreroller/rollout"
	"github.com/coreroller/coreroller/rollout/policy"
	"github.com/coreroller/coreroller/rollout/version"
)

// simulator is the state of one simulation.
type simulator struct {
	in       Input
	out      *Result
	w        rollout.World
	machines []machine
	queue    queue
	now, end time.Time
	sums     [classes]int // machines of the fleet by class
	fx       rollout.Effects
	roster   []rollout.Member // empty: the group is too large for a count of its waves
	moved    bool             // a machine may have entered or left the counts of its wave
}

type machine struct {
	rollout.Machine
	weight int  // machines of the fleet that it represents
	tries  int  // attempts so far
	silent bool // sends nothing any more
	fails  bool // its open attempt will report an error
	offer  rollout.Version
	class  class
}

// class says which count of a Point includes the machine.
type class int8

const (
	classWaiting class = iota
	classOnTarget
	classInFlight
	classFailed
	classes
)

func newSimulator(in Input, out *Result) *simulator {
	total := 0
	for _, c := range in.Machines {
		total += max(0, c.Count)
	}
	in.CheckEvery = max(in.CheckEvery, in.Horizon/(maxChecks/100))
	rounds := int(in.Horizon/in.CheckEvery) + 1
	limit := max(100, min(maxMachines, maxChecks/rounds))
	out.Each = max(1, (total+limit-1)/limit)
	schedule, _ := policy.Compile(scaled(in.Policy, out.Each, in.UpdateTakes))
	s := &simulator{in: in, out: out, now: in.Now, end: in.Now.Add(in.Horizon)}
	s.w = rollout.World{Policy: schedule, Reboots: in.Reboots, Aim: in.Aim}
	for _, c := range in.Machines {
		s.addCohort(c)
	}
	s.nameCanaries()
	for i := range s.machines {
		s.w.Join(&s.machines[i].Machine)
	}
	if s.moved = total < rollout.MaxRoster; s.moved {
		s.roster = make([]rollout.Member, len(s.machines))
	}
	s.w.Retarget(in.Aim, rollout.ID{1}, salt, s.w.Census, false, in.Now, &s.fx)
	for i := range s.machines {
		s.classify(&s.machines[i])
		// The first checks are spread evenly, as in a real fleet.
		s.schedule(i, kindCheck, time.Duration(fraction("first", i, 0)*float64(in.CheckEvery)))
	}
	return s
}

// addCohort divides a cohort among simulated machines. Their weights add up to
// its count.
func (s *simulator) addCohort(c Cohort) {
	if c.Count <= 0 {
		return
	}
	n := max(1, c.Count/s.out.Each)
	for i := range n {
		m := machine{weight: c.Count*(i+1)/n - c.Count*i/n}
		m.ID = "machine-" + strconv.Itoa(len(s.machines))
		m.Version, m.Enrolled = c.Version, s.w.Policy.Policy().EnrolledOnly
		// Active machines asked before the rollout began. Without an answer the engine
		// would not count them, and the first success could complete the rollout.
		m.Reason = rollout.ReasonUpToDate
		s.machines = append(s.machines, m)
		s.sums[classWaiting] += m.weight
	}
}

// countWave counts the machines of the current wave of a small group, so that a share
// without a machine gets one. A check alone changes no count.
func (s *simulator) countWave() {
	if r := &s.w.Rollout; len(s.roster) == 0 || !s.moved && r.Roster.Wave == r.Wave || !s.w.RosterDue(s.now) {
		return
	}
	for i := range s.machines {
		m := &s.machines[i]
		s.roster[i] = rollout.Member{ID: m.ID, Version: m.Version, Active: m.Standing == rollout.StandingActive, SelectedWave: m.SelectedWave}
	}
	s.w.CountWave(s.roster, s.now, &s.fx)
	s.moved = false
}

// nameCanaries gives the ids of the canaries to machines that need the update, and lets
// the expression of a wave select as many as must finish: how many it selects is not known.
func (s *simulator) nameCanaries() {
	i := 0
	next := func() *machine {
		for ; i < len(s.machines); i++ {
			if m := &s.machines[i]; s.needsUpdate(m.Version) {
				i++
				return m
			}
		}
		return &machine{}
	}
	for n, wave := range s.w.Policy.Policy().Waves {
		for _, id := range wave.Canaries {
			next().ID = id
		}
		if wave.Expression != "" {
			for range max(1, wave.MinFinished) {
				next().SelectedWave = n + 1
			}
		}
	}
}

func (s *simulator) needsUpdate(v rollout.Version) bool {
	return s.in.Goal().Place(v) == version.Behind
}

// fraction returns a pseudo-random number in [0, 1), a hash of its arguments.
func fraction(purpose string, machine, try int) float64 {
	var buffer [64]byte
	data := append(buffer[:0], purpose...)
	data = binary.BigEndian.AppendUint64(data, uint64(machine)) //nolint:gosec // G115: only hashed
	data = binary.BigEndian.AppendUint64(data, uint64(try))     //nolint:gosec // G115: only hashed
	sum := sha256.Sum256(data)
	return float64(binary.BigEndian.Uint64(sum[:8])>>11) / (1 << 53)
}

func (s *simulator) schedule(i int, kind kind, after time.Duration) {
	s.queue.push(event{at: s.now.Add(after), machine: i, kind: kind})
}

// run processes events until none are left or the horizon is reached.
func (s *simulator) run() {
	step := max(s.in.Horizon/maxPoints, 1)
	next := s.in.Now
	for range 2 * maxChecks {
		if len(s.queue.events) == 0 {
			break
		}
		e := s.queue.pop()
		if e.at.After(s.end) {
			for ; !next.After(s.end); next = next.Add(step) {
				s.point(next)
			}
			return
		}
		for ; next.Before(e.at); next = next.Add(step) {
			s.point(next)
		}
		s.now, s.fx = e.at, rollout.Effects{}
		s.process(e)
		s.classify(&s.machines[e.machine])
	}
	s.point(s.now)
}

func (s *simulator) point(at time.Time) {
	s.out.Points = append(s.out.Points, Point{
		At: at, OnTarget: s.sums[classOnTarget], InFlight: s.sums[classInFlight],
		Failed: s.sums[classFailed], Waiting: s.sums[classWaiting],
	})
}

func (s *simulator) classify(m *machine) {
	c, place := classWaiting, s.in.Goal().Place(m.Version)
	switch {
	case place == version.OnTarget || place == version.Above:
		c = classOnTarget
	case m.Attempt.Open():
		c = classInFlight
	case m.State == rollout.StateError || m.silent:
		c = classFailed
	}
	s.sums[m.class] -= m.weight
	m.class = c
	s.sums[c] += m.weight
}

// conclude adds the outcome and the machines below the target to the result.
func (s *simulator) conclude() {
	if r := &s.w.Rollout; r.State == rollout.RolloutCompleted {
		s.out.Ends = r.EndedAt
	} else if r.State == rollout.RolloutHalted {
		h := r.Halt
		h.Machines = nil // the simulated machines have no real ids
		s.out.Halted = &h
	}
	var left [rollout.ReasonGranted + 1]int
	for i := range s.machines {
		m := &s.machines[i]
		switch {
		case m.class == classOnTarget:
		case m.silent:
			left[rollout.ReasonNone] += m.weight
		default:
			left[rollout.Decide(&s.w, &m.Machine, rollout.Check{}, s.now).Reason] += m.weight
		}
	}
	for reason, n := range left {
		if n > 0 {
			s.out.LeftOut = append(s.out.LeftOut, LeftOut{Count: n, Reason: rollout.Reason(reason)})
		}
	}
	slices.SortStableFunc(s.out.LeftOut, func(a, b LeftOut) int { return cmp.Compare(b.Count, a.Count) })
}
