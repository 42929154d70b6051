package rollout

import (
	"math"
	"slices"
	"time"
)

const (
	// Grants closer together than 1/128 of the period share an entry, so that the
	// ledger row stays small for any cap.
	spendGrains = 128
	// The entries of one period, plus the one that straddles its beginning.
	maxSpends = spendGrains + 1
	// Entries are kept this long even if the period is shorter, so that a longer
	// period set later still counts earlier grants.
	spendMemory = 24 * time.Hour
)

// spend records one grant. The clocks of several processes may differ, so a grant
// is never recorded before the previous one.
func (l *Ledger) spend(now time.Time, period time.Duration) {
	keep := max(period, spendMemory)
	old := l.Spends
	if n := len(old); n > 0 && now.Before(old[n-1].Last) {
		now = old[n-1].Last
	}
	for len(old) > 0 && !old[0].Last.Add(keep).After(now) {
		old = old[1:]
	}
	spends := make([]Spend, len(old), len(old)+1) // never changed in place: see World
	copy(spends, old)
	if n := len(spends); n > 0 && now.Sub(spends[n-1].First) < period/spendGrains {
		spends[n-1].Last = now
		spends[n-1].Count++
	} else {
		spends = append(spends, Spend{First: now, Last: now, Count: 1})
	}
	for len(spends) > maxSpends {
		if spends[0].Last.Add(period).After(now) {
			// The period became longer, so its entries are too short: merge the
			// two oldest, which can only delay a grant.
			spends[1].First = spends[0].First
			spends[1].Count += spends[0].Count
		}
		spends = slices.Delete(spends, 0, 1)
	}
	l.Spends = spends
}

// takeBack removes a grant that was withdrawn before it began, if it is still recorded.
func (l *Ledger) takeBack(at time.Time) {
	i := l.find(at)
	if i < 0 {
		return
	}
	spends := slices.Clone(l.Spends)
	if spends[i].Count--; spends[i].Count == 0 {
		spends = slices.Delete(spends, i, i+1)
	}
	l.Spends = spends
}

// find returns the index of the entry that contains a grant, -1 for none.
func (l *Ledger) find(at time.Time) int {
	return slices.IndexFunc(l.Spends, func(s Spend) bool { return !at.Before(s.First) && !at.After(s.Last) })
}

// Granted returns the number of grants in the period that ends now.
func (l *Ledger) Granted(now time.Time, period time.Duration) int {
	n, _ := l.used(now, period, math.MaxInt)
	return n
}

// used returns the number of grants in the period that ends now. If it reaches
// the limit, frees is when it drops below.
func (l *Ledger) used(now time.Time, period time.Duration, limit int) (n int, frees time.Time) {
	begin := now.Add(-period)
	// Binary search, because comparing times dominates the cost of a long ledger.
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
			frees = l.Spends[i].Last.Add(period) // the later ones stay below the limit
		}
	}
	return n, frees
}
