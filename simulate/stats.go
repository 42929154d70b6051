package simulate

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

// Stats is the statistics of a simulation. Versions and Held are current, the
// others count since the start.
type Stats struct {
	Elapsed  time.Duration `json:"-"` // real time
	Machines int           `json:"machines"`
	Traffic
	Updates
	Versions map[string]int `json:"versions"` // machines by running version
	Held     map[string]int `json:"held"`     // machines by the reason of their last answer

	version map[*Machine]string // what Versions counts it under
	last    progress
}

// Traffic counts requests and responses.
type Traffic struct {
	Requests       int `json:"requests"`
	Checks         int `json:"checks"`
	Unanswered     int `json:"unanswered"` // no HTTP response, or a status other than 200
	Refused        int `json:"refused"`    // responses that machines could not use
	Downgrades     int `json:"downgrades"` // offers not above the running version: always 0 for a correct server
	Unacknowledged int `json:"unacknowledged"`
}

// Updates counts update attempts.
type Updates struct {
	Offers     int `json:"offers"`
	Updated    int `json:"updated"`
	Failed     int `json:"failed"`
	RolledBack int `json:"rolledBack"`
	Deferred   int `json:"deferred"`
	Silent     int `json:"silent"`
}

// progress is the state from which the next rates are computed.
type progress struct {
	requests, checks int
	elapsed          time.Duration
}

func newStats(machines []*Machine) Stats {
	s := Stats{
		Machines: len(machines), Versions: map[string]int{}, Held: map[string]int{}, version: map[*Machine]string{},
	}
	for _, m := range machines {
		s.Versions[m.Version]++
		s.version[m] = m.Version
	}
	return s
}

// add counts one exchange. reason is the machine's reason before it.
func (s *Stats) add(x *Exchange, reason string) {
	m, r := x.Machine, &x.Result
	s.Requests++
	count(&s.Checks, r.Checked)
	count(&s.Offers, r.Offered)
	count(&s.Updated, r.Updated)
	count(&s.Failed, r.Failed)
	count(&s.RolledBack, r.RolledBack)
	count(&s.Deferred, r.Deferred)
	count(&s.Silent, r.Silent)
	count(&s.Unanswered, r.Unanswered)
	count(&s.Refused, r.Refused)
	count(&s.Downgrades, r.Downgrade)
	count(&s.Unacknowledged, x.Request.Event != nil && x.Response.OK() && r.Answer.Acknowledged == 0)
	move(s.Held, reason, m.reason)
	if old := s.version[m]; old != m.Version {
		move(s.Versions, old, m.Version)
		s.version[m] = m.Version
	}
}

func count(n *int, condition bool) {
	if condition {
		*n++
	}
}

// move decrements one key and increments another. "" stands for none.
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

// snapshot returns an independent copy and restarts the rates.
func (s *Stats) snapshot() Stats {
	c := *s
	c.Versions, c.Held = maps.Clone(s.Versions), maps.Clone(s.Held)
	c.version = nil
	s.last = progress{s.Requests, s.Checks, s.Elapsed}
	return c
}

// rates returns the requests and checks per second since the last snapshot.
func (s *Stats) rates() (requests, checks float64) {
	seconds := (s.Elapsed - s.last.elapsed).Seconds()
	if seconds <= 0 {
		return 0, 0
	}
	return float64(s.Requests-s.last.requests) / seconds, float64(s.Checks-s.last.checks) / seconds
}

// line is the progress as text.
func (s *Stats) line() string {
	requests, checks := s.rates()
	var b strings.Builder
	fmt.Fprintf(&b, "%6s  %s  %.1f checks/s (%.1f requests/s)  %s  offers %d, updated %d, failed %d",
		s.Elapsed.Round(time.Second), plural(s.Machines, "machine"), checks, requests, versionsText(s.Versions), s.Offers, s.Updated,
		s.Failed+s.RolledBack)
	if held := countsText(s.Held); held != "" {
		fmt.Fprintf(&b, "  no update: %s", held)
	}
	if s.Unanswered > 0 {
		fmt.Fprintf(&b, "  unanswered %d", s.Unanswered)
	}
	return b.String()
}

// Summary is the statistics as text.
func (s *Stats) Summary() string {
	var b strings.Builder
	fmt.Fprintf(&b, "\n%s, %s: %s, including %s\n", plural(s.Machines, "machine"), s.Elapsed.Round(time.Second),
		plural(s.Requests, "request"), plural(s.Checks, "check"))
	fmt.Fprintf(&b, "  versions    %s\n", versionsText(s.Versions))
	fmt.Fprintf(&b, "  updates     %d offered, %d updated, %d failed, %d rolled back, %d deferred, %d went silent\n",
		s.Offers, s.Updated, s.Failed, s.RolledBack, s.Deferred, s.Silent)
	fmt.Fprintf(&b, "  no update   %s\n", cmp.Or(countsText(s.Held), "none"))
	fmt.Fprintf(&b, "  unanswered  %d (no HTTP response, or a status other than 200)\n", s.Unanswered)
	for _, bad := range []struct {
		n    int
		text string
	}{
		{s.Refused, "responses that a real machine cannot use"},
		{s.Downgrades, "offers that are not above the running version"},
		{s.Unacknowledged, "events without an acknowledgement"},
	} {
		if bad.n > 0 {
			fmt.Fprintf(&b, "  WRONG       %d %s\n", bad.n, bad.text)
		}
	}
	return b.String()
}

// json is the progress as one JSON object on one line.
func (s *Stats) json() string {
	requests, checks := s.rates()
	line, err := json.Marshal(struct {
		*Stats
		Seconds           float64 `json:"seconds"`
		RequestsPerSecond float64 `json:"requestsPerSecond"`
		ChecksPerSecond   float64 `json:"checksPerSecond"`
	}{s, s.Elapsed.Seconds(), requests, checks})
	if err != nil {
		panic(err) // numbers and text always encode
	}
	return string(line)
}

// versionsText lists versions in ascending order with their machines.
func versionsText(counts map[string]int) string {
	keys := slices.SortedFunc(maps.Keys(counts), func(a, b string) int { return semver.Compare("v"+a, "v"+b) })
	return listText(keys, counts)
}

// countsText lists the keys by descending count.
func countsText(counts map[string]int) string {
	keys := slices.SortedFunc(maps.Keys(counts), func(a, b string) int {
		return cmp.Or(cmp.Compare(counts[b], counts[a]), cmp.Compare(a, b))
	})
	return listText(keys, counts)
}

// plural returns "1 machine" or "2 machines".
func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

func listText(keys []string, counts map[string]int) string {
	parts := make([]string, len(keys))
	for i, k := range keys {
		parts[i] = fmt.Sprintf("%s:%d", k, counts[k])
	}
	return strings.Join(parts, " ")
}
