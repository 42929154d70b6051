package rollout

import (
	"slices"
	"time"
)

const (
	// spendGrains is how many entries a period is divided into at most.
	spendGrains = 128
	// maxSpends bounds the ledger row: a window of spendGrains entries and the
	// one that straddles its beginning.
	maxSpends = spendGrains + 1
	// spendMemory is how long entries are kept beyond the period, so that a
	// period made longer finds the grants of before.
	spendMemory = 24 * time.Hour
)

// spend records one grant. Clocks of several processes may differ, so a spend
// is never earlier than the one before it.
func (l *Ledger) spend(now time.Time, period time.Duration) {
	keep := max(period, spendMemory)
	old := l.Spends
	if n := len(old); n > 0 && now.Before(old[n-1].Last) {
		now = old[n-1].Last
	}
	for len(old) > 0 && !old[0].Last.Add(keep).After(now) {
		old = old[1:]
	}
	spends := make([]Spend, len(old), len(old)+1) // never written in place: see World
	copy(spends, old)
	if n := len(spends); n > 0 && now.Sub(spends[n-1].First) < period/spendGrains {
		spends[n-1].Last = now
		spends[n-1].Count++
	} else {
		spends = append(spends, Spend{First: now, Last: now, Count: 1})
	}
	for len(spends) > maxSpends {
		if spends[0].Last.Add(period).After(now) {
			// A period was made longer than its grains were made for: join
			// the two oldest, which can only delay.
			spends[1].First = spends[0].First
			spends[1].Count += spends[0].Count
		}
		spends = slices.Delete(spends, 0, 1)
	}
	l.Spends = spends
}

// used is the number of grants in the window of length period that ends now.
func (l *Ledger) used(now time.Time, period time.Duration) int {
	begin, n := now.Add(-period), 0
	for i := len(l.Spends) - 1; i >= 0 && l.Spends[i].Last.After(begin); i-- {
		n += l.Spends[i].Count
	}
	return n
}

// freesAt is when fewer than limit of the used grants are left in the window.
func (l *Ledger) freesAt(now time.Time, period time.Duration, used, limit int) time.Time {
	begin := now.Add(-period)
	for i := range l.Spends {
		s := &l.Spends[i]
		if !s.Last.After(begin) {
			continue
		}
		if used -= s.Count; used < limit {
			return s.Last.Add(period)
		}
	}
	return time.Time{}
}
