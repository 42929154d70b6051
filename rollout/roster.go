package rollout

import (
	"slices"
	"time"
)

// rosterEvery is the time between two counts of a wave whose gate does not hold.
const rosterEvery = time.Minute

// Roster is what the last count of the machines of a wave found. Shares of a small
// group can contain no machine; then the wave gets one machine by election.
type Roster struct {
	At       time.Time // zero: not counted
	Wave     int       // the counted wave
	Machines int       // active machines of the group
	Eligible int       // known machines of the wave that finished in it or can still finish; -1: not known
	Elected  []string  // machines that are in the wave although their bucket is not
	Chosen   string    // the last of Elected if it was not granted an update yet
}

// Member is a machine of the group, for CountWave.
type Member struct {
	ID         string
	Version    Version
	Active     bool
	KnownSince time.Time // see Machine.KnownSince

	SelectedWave int // see Machine
}

// MaxRoster bounds the machines that are read to count a wave: with that many or
// more, nothing is counted. In a large group a wave by share has machines anyway.
const MaxRoster = 1000

// RosterDue reports whether CountWave should be called: after a wave was opened,
// when the group's size changed by a quarter, and every minute while the gate does
// not hold.
func (w *World) RosterDue(now time.Time) bool {
	r := &w.Rollout
	if w.Target == nil || !w.runs() || w.Census.Behind == 0 || w.wave() >= w.Policy.LastWave() {
		return false
	}
	o, machines := &r.Roster, w.Census.machines()
	if machines >= MaxRoster {
		return false
	}
	if o.At.IsZero() || o.Wave != r.Wave {
		return true
	}
	return 4*max(machines-o.Machines, o.Machines-machines) > o.Machines || r.GateAt.IsZero() && !now.Before(o.At.Add(rosterEvery))
}

// CountWave counts the machines of the current wave among all machines of the group,
// or MaxRoster of them. If no machine below the target is in a wave by share, it
// elects the one with the lowest bucket.
func (w *World) CountWave(all []Member, now time.Time, fx *Effects) {
	r := &w.Rollout
	cur := w.wave()
	o := Roster{At: now, Wave: r.Wave, Machines: w.Census.machines(), Eligible: -1, Elected: r.Roster.Elected}
	if r.Roster.Chosen != "" { // the election is repeated, because the wave may have machines now
		o.Elected = o.Elected[:len(o.Elected)-1]
	}
	r.Roster = o
	if len(all) < MaxRoster {
		first, lowest, remaining, behind := "", 2.0, 0, 0
		wave := &w.policy().Waves[cur]
		awaited := 0 // canaries of a wave without a share that are not active in the group
		if wave.Share == 0 {
			awaited = len(wave.Canaries)
		}
		for i := range all {
			m := &all[i]
			if !m.Active {
				continue
			}
			if awaited > 0 && slices.Contains(wave.Canaries, m.ID) {
				awaited--
			}
			if w.next(m.Version) == nil || w.arrived(m.ID, m.KnownSince) || w.shutsOut(m.KnownSince.IsZero()) {
				continue
			}
			behind++
			bucket := Bucket(r.Salt, m.ID)
			if w.reaches(cur, m.ID, m.SelectedWave, bucket) {
				remaining++
			} else if bucket < lowest {
				first, lowest = m.ID, bucket
			}
		}
		finished := r.WaveCounts.Finished() - r.SetAside
		if remaining == 0 && finished <= 0 && first != "" && wave.Share > 0 {
			o.Elected, o.Chosen, remaining = append(slices.Clone(o.Elected), first), first, 1
		}
		if wave.Share == 0 && wave.Expression != "" && finished+remaining <= 0 {
			awaited++ // one that the expression selects
		}
		if behind > 0 {
			o.Eligible = finished + remaining + awaited
		}
	}
	r.Roster = o
	w.Advance(now, fx)
}

// eligible returns how many machines of the current wave finished in it or can still
// finish; ok is false if it is not known.
func (w *World) eligible() (n int, ok bool) {
	o := &w.Rollout.Roster
	known := !o.At.IsZero() && o.Wave == w.Rollout.Wave && o.Eligible >= 0
	return o.Eligible, known && w.Census.machines() < MaxRoster
}
