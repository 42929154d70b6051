package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"golang.org/x/mod/semver"
)

// tally is what a simulation counted. Versions and Held are as they stand, the
// rest are sums since it began.
type tally struct {
	Elapsed    time.Duration  `json:"-"` // real time
	Machines   int            `json:"machines"`
	Requests   int            `json:"requests"`
	Checks     int            `json:"checks"`
	Offers     int            `json:"offers"`
	Updated    int            `json:"updated"`
	Failed     int            `json:"failed"`
	RolledBack int            `json:"rolledBack"`
	Deferred   int            `json:"deferred"`
	Silent     int            `json:"silent"`
	Unanswered int            `json:"unanswered"` // no HTTP answer, or another status than 200
	Refused    int            `json:"refused"`    // answers that machines could not use
	Downgrades int            `json:"downgrades"` // offers not above the running version: has to stay 0
	Unacked    int            `json:"unacknowledged"`
	Versions   map[string]int `json:"versions"`
	Held       map[string]int `json:"held"` // machines by the reason of their last answer

	version map[*machine]string
	last    progressed
}

// progressed is what the rate is computed from.
type progressed struct {
	requests, checks int
	elapsed          time.Duration
}

func newTally(machines []*machine) tally {
	t := tally{
		Machines: len(machines), Versions: map[string]int{}, Held: map[string]int{}, version: map[*machine]string{},
	}
	for _, m := range machines {
		t.Versions[m.version]++
		t.version[m] = m.version
	}
	return t
}

// add counts one exchange; before is the reason the machine knew until then.
func (t *tally) add(x *exchange, before string) {
	m, turn := x.Machine, &x.Turn
	t.Requests++
	count(&t.Checks, turn.Checked)
	count(&t.Offers, turn.Offered)
	count(&t.Updated, turn.Updated)
	count(&t.Failed, turn.Failed)
	count(&t.RolledBack, turn.RolledBack)
	count(&t.Deferred, turn.Deferred)
	count(&t.Silent, turn.Silent)
	count(&t.Unanswered, turn.Unanswered)
	count(&t.Refused, turn.Refused)
	count(&t.Downgrades, turn.Downgrade)
	count(&t.Unacked, x.Sent.Report != nil && x.Reply.okay() && turn.Answer.Acknowledged == 0)
	move(t.Held, before, m.reason)
	if old := t.version[m]; old != m.version {
		move(t.Versions, old, m.version)
		t.version[m] = m.version
	}
}

func count(n *int, happened bool) {
	if happened {
		*n++
	}
}

// move takes one from a key to another; "" counts nothing.
func move(counts map[string]int, from, to string) {
	if from != "" {
		if counts[from]--; counts[from] == 0 {
			delete(counts, from)
		}
	}
	if to != "" {
		counts[to]++
	}
}

// snapshot is a copy that does not change any more, and starts a new rate.
func (t *tally) snapshot() tally {
	c := *t
	c.Versions, c.Held = maps.Clone(t.Versions), maps.Clone(t.Held)
	c.version = nil
	t.last = progressed{t.Requests, t.Checks, t.Elapsed}
	return c
}

// rates are the requests and checks per second since the snapshot before.
func (t *tally) rates() (requests, checks float64) {
	seconds := (t.Elapsed - t.last.elapsed).Seconds()
	if seconds <= 0 {
		return 0, 0
	}
	return float64(t.Requests-t.last.requests) / seconds, float64(t.Checks-t.last.checks) / seconds
}

// line is the progress for people.
func (t *tally) line() string {
	requests, checks := t.rates()
	var b strings.Builder
	fmt.Fprintf(&b, "%6s  %d machines  %.1f checks/s (%.1f requests/s)  %s  offers %d, updated %d, failed %d",
		t.Elapsed.Round(time.Second), t.Machines, checks, requests, versionsText(t.Versions), t.Offers, t.Updated,
		t.Failed+t.RolledBack)
	if held := countsText(t.Held); held != "" {
		fmt.Fprintf(&b, "  last answers: %s", held)
	}
	if t.Unanswered > 0 {
		fmt.Fprintf(&b, "  unanswered %d", t.Unanswered)
	}
	return b.String()
}

// summary is the end for people.
func (t *tally) summary() string {
	var b strings.Builder
	fmt.Fprintf(&b, "\n%d machines, %s: %d requests, %d of them checks\n", t.Machines, t.Elapsed.Round(time.Second),
		t.Requests, t.Checks)
	fmt.Fprintf(&b, "  versions    %s\n", versionsText(t.Versions))
	fmt.Fprintf(&b, "  updates     %d offered, %d updated, %d failed, %d rolled back, %d deferred, %d went silent\n",
		t.Offers, t.Updated, t.Failed, t.RolledBack, t.Deferred, t.Silent)
	fmt.Fprintf(&b, "  last answer %s\n", cmp.Or(countsText(t.Held), "none"))
	fmt.Fprintf(&b, "  unanswered  %d (no HTTP answer, or not status 200)\n", t.Unanswered)
	for _, bad := range []struct {
		n    int
		what string
	}{
		{t.Refused, "answers that a real machine could not have used"},
		{t.Downgrades, "offers that were not above the running version"},
		{t.Unacked, "events that were not acknowledged"},
	} {
		if bad.n > 0 {
			fmt.Fprintf(&b, "  WRONG       %d %s\n", bad.n, bad.what)
		}
	}
	return b.String()
}

// json is the progress for machines: one object in one line.
func (t *tally) json() string {
	requests, checks := t.rates()
	line, err := json.Marshal(struct {
		*tally
		Seconds           float64 `json:"seconds"`
		RequestsPerSecond float64 `json:"requestsPerSecond"`
		ChecksPerSecond   float64 `json:"checksPerSecond"`
	}{t, t.Elapsed.Seconds(), requests, checks})
	if err != nil {
		panic(err) // numbers and text only
	}
	return string(line)
}

// versionsText lists versions from low to high with their machines.
func versionsText(counts map[string]int) string {
	keys := slices.SortedFunc(maps.Keys(counts), func(a, b string) int { return semver.Compare("v"+a, "v"+b) })
	return listing(keys, counts)
}

// countsText lists the most frequent first.
func countsText(counts map[string]int) string {
	keys := slices.SortedFunc(maps.Keys(counts), func(a, b string) int {
		return cmp.Or(cmp.Compare(counts[b], counts[a]), cmp.Compare(a, b))
	})
	return listing(keys, counts)
}

func listing(keys []string, counts map[string]int) string {
	parts := make([]string, len(keys))
	for i, k := range keys {
		parts[i] = fmt.Sprintf("%s:%d", k, counts[k])
	}
	return strings.Join(parts, " ")
}
