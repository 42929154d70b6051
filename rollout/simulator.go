package rollout

import (
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"slices"
	"strconv"
	"time"
)

// simulator is the state of one simulation.
type simulator struct {
	in       Simulation
	f        *Forecast
	w        World
	machines []simMachine
	queue    simQueue
	now, end time.Time
	sums     [simClasses]int // machines of the fleet, kept by differences
	fx       Effects
}

type simMachine struct {
	Machine
	weight int // machines of the fleet it stands for
	tries  int
	silent bool // never heard of again
	fails  bool // the attempt under way reports an error
	offer  Version
	class  simClass
}

// simClass is the number of a ForecastPoint a machine is part of.
type simClass int8

const (
	simWaiting simClass = iota
	simOnTarget
	simInFlight
	simFailed
	simClasses
)

func newSimulator(in Simulation, f *Forecast) *simulator {
	total := 0
	for _, c := range in.Machines {
		total += max(0, c.Count)
	}
	in.CheckEvery = max(in.CheckEvery, in.Horizon/(simChecks/100))
	rounds := int(in.Horizon/in.CheckEvery) + 1
	limit := max(100, min(simMachines, simChecks/rounds))
	f.Each = max(1, (total+limit-1)/limit)
	schedule, _ := Compile(scaled(in.Policy, f.Each, in.UpdateTakes))
	s := &simulator{in: in, f: f, now: in.Now, end: in.Now.Add(in.Horizon)}
	s.w = World{Policy: schedule, Reboots: in.Reboots, Target: in.Target}
	for _, c := range in.Machines {
		s.addCohort(c)
	}
	s.nameCanaries()
	var census Census
	for i := range s.machines {
		census.add(s.w.place(&s.machines[i].Machine), 1)
	}
	s.w.Retarget(in.Target, in.Floors, ID{1}, simSalt, census, in.Now, &s.fx)
	for i := range s.machines {
		s.classify(&s.machines[i])
		// The first checks are spread evenly, as those of a real fleet are.
		s.schedule(i, simCheck, time.Duration(fraction("first", i, 0)*float64(in.CheckEvery)))
	}
	return s
}

// addCohort spreads a cohort over simulated machines, whose weights add up to
// it.
func (s *simulator) addCohort(c Cohort) {
	if c.Count <= 0 {
		return
	}
	n := max(1, c.Count/s.f.Each)
	for i := range n {
		m := simMachine{weight: c.Count*(i+1)/n - c.Count*i/n}
		m.ID = "machine-" + strconv.Itoa(len(s.machines))
		m.Version = c.Version
		s.machines = append(s.machines, m)
		s.sums[simWaiting] += m.weight
	}
}

// nameCanaries gives the canaries' names to machines that need the update.
func (s *simulator) nameCanaries() {
	i := 0
	for _, wave := range s.w.Policy.policy.Waves {
		for _, id := range wave.Canaries {
			for i < len(s.machines) && s.w.next(s.machines[i].Version) == nil {
				i++
			}
			if i == len(s.machines) {
				return
			}
			s.machines[i].ID = id
			i++
		}
	}
}

// fraction is a number in [0, 1) that looks random and is not.
func fraction(what string, machine, try int) float64 {
	var buffer [64]byte
	data := append(buffer[:0], what...)
	data = binary.BigEndian.AppendUint64(data, uint64(machine))
	data = binary.BigEndian.AppendUint64(data, uint64(try))
	sum := sha256.Sum256(data)
	return float64(binary.BigEndian.Uint64(sum[:8])>>11) / (1 << 53)
}

func (s *simulator) schedule(machine int, kind simKind, after time.Duration) {
	s.queue.push(simEvent{at: s.now.Add(after), machine: machine, kind: kind})
}

// run plays event after event until nothing is left to happen or the horizon
// is reached.
func (s *simulator) run() {
	step := max(s.in.Horizon/simPoints, 1)
	next := s.in.Now
	for range 2 * simChecks {
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
		s.now, s.fx = e.at, Effects{}
		s.happen(e)
		s.classify(&s.machines[e.machine])
	}
	s.point(s.now)
}

func (s *simulator) point(at time.Time) {
	s.f.Points = append(s.f.Points, ForecastPoint{
		At: at, OnTarget: s.sums[simOnTarget], InFlight: s.sums[simInFlight],
		Failed: s.sums[simFailed], Waiting: s.sums[simWaiting],
	})
}

func (s *simulator) classify(m *simMachine) {
	c := simWaiting
	switch {
	case s.in.Target != nil && !m.Version.Less(s.in.Target.Version):
		c = simOnTarget
	case m.Attempt.Open():
		c = simInFlight
	case m.State == StateError || m.silent:
		c = simFailed
	}
	s.sums[m.class] -= m.weight
	m.class = c
	s.sums[c] += m.weight
}

// conclude says how it ended and for whom it did not.
func (s *simulator) conclude() {
	if r := &s.w.Rollout; r.State == RolloutCompleted {
		s.f.Ends = r.EndedAt
	} else if r.State == RolloutHalted {
		h := r.Halt
		h.Machines = nil // nobody's names
		s.f.Halted = &h
	}
	var left [reasonCount]int
	for i := range s.machines {
		m := &s.machines[i]
		switch {
		case m.class == simOnTarget:
		case m.silent:
			left[ReasonNone] += m.weight
		default:
			left[Decide(&s.w, &m.Machine, Check{}, s.now).Reason] += m.weight
		}
	}
	for reason, n := range left {
		if n > 0 {
			s.f.LeftOut = append(s.f.LeftOut, LeftOut{Count: n, Reason: Reason(reason)})
		}
	}
	slices.SortStableFunc(s.f.LeftOut, func(a, b LeftOut) int { return cmp.Compare(b.Count, a.Count) })
}
