package rollout

import (
	"math"
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

// Granted is the number of grants in the period that ends now.
func (l *Ledger) Granted(now time.Time, period time.Duration) int {
	n, _ := l.used(now, period, math.MaxInt)
	return n
}

// used is the number of grants in the window of length period that ends now.
// If it reaches the limit, frees is when it no longer does.
func (l *Ledger) used(now time.Time, period time.Duration, limit int) (n int, frees time.Time) {
	begin := now.Add(-period)
	// Comparing times is most of the cost of a long ledger, so search.
	first, end := 0, len(l.Spends)
	for first < end {
		if mid := (first + end) / 2; l.Spends[mid].Last.After(begin) {
			end = mid
		} else {
			first = mid + 1
		}
	}
	for i := len(l.Spends) - 1; i >= first; i-- {
		if n += l.Spends[i].Count; n >= limit && frees.IsZero() {
			frees = l.Spends[i].Last.Add(period) // those after it stay below the limit
		}
	}
	return n, frees
}
