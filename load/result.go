package load

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// Outcome is what an answer was.
type Outcome int

// The outcomes. The first three answer a check; Acknowledged is an answer to
// what asked for nothing; Busy is HTTP 503; Other is any other status, and an
// application status that is not ok; Unanswered is no whole answer at all.
const (
	Offered Outcome = iota
	UpToDate
	Held
	Acknowledged
	Busy
	Other
	Unanswered
	outcomes
)

// String is the outcome in a report.
func (o Outcome) String() string {
	return [...]string{"offered", "up to date", "held", "acknowledged", "503", "other errors", "unanswered"}[o]
}

// Result is what a plan measured.
type Result struct {
	Took    time.Duration
	Failure error // the first that kept a request from being answered

	start, until time.Time
	cpu          time.Duration
	unsent       atomic.Uint64
	counts       [outcomes]atomic.Uint64
	times        histogram
	mu           sync.Mutex     // guards Failure while it runs, and strange
	strange      map[string]int // what Other was
}

// note counts one answer.
func (r *Result) note(status int, body []byte, took time.Duration) {
	o := classify(status, body)
	r.counts[o].Add(1)
	r.times.add(took)
	if o == Other {
		what := fmt.Sprintf("HTTP %d", status)
		if status == 200 {
			what = fmt.Sprintf("HTTP 200 %.300s", body)
		}
		r.mu.Lock()
		defer r.mu.Unlock()
		if r.strange == nil {
			r.strange = map[string]int{}
		}
		if _, known := r.strange[what]; known || len(r.strange) < 10 {
			r.strange[what]++
		}
	}
}

func (r *Result) fail(err error) {
	r.counts[Unanswered].Add(1)
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.Failure == nil {
		r.Failure = err
	}
}

// classify looks at the first updatecheck of an answer.
func classify(status int, body []byte) Outcome {
	switch {
	case status == 503:
		return Busy
	case status != 200:
		return Other
	}
	_, check, found := bytes.Cut(body, []byte("<updatecheck"))
	if !found {
		if _, app, found := bytes.Cut(body, []byte("<app")); found && says(app, ` status="ok"`) {
			return Acknowledged
		}
		return Other
	}
	switch {
	case says(check, ` status="ok"`):
		return Offered
	case !says(check, ` status="noupdate"`):
		return Other
	case says(check, ` info="up_to_date"`):
		return UpToDate
	}
	return Held
}

// says reports whether the element that text is in the middle of has an
// attribute.
func says(text []byte, attribute string) bool {
	element, _, _ := bytes.Cut(text, []byte(">"))
	return bytes.Contains(element, []byte(attribute))
}

// Count is how many requests ended so.
func (r *Result) Count(o Outcome) int { return int(r.counts[o].Load()) }

// Answered is how many requests got an answer of any kind.
func (r *Result) Answered() int {
	n := 0
	for o := range Unanswered {
		n += r.Count(o)
	}
	return n
}

// Errors is how many went wrong, 503 not among them: that is an answer.
func (r *Result) Errors() int { return r.Count(Other) + r.Count(Unanswered) }

// Unsent is how many requests of an open loop were due and never sent, because
// every connection was still waiting for an answer when the time was over.
func (r *Result) Unsent() int { return int(r.unsent.Load()) }

// PerSecond is the rate of answers of any kind.
func (r *Result) PerSecond() float64 { return float64(r.Answered()) / r.Took.Seconds() }

// Served is the rate of answers that are no error and not 503.
func (r *Result) Served() float64 {
	return float64(r.Answered()-r.Count(Busy)-r.Count(Other)) / r.Took.Seconds()
}

// CPU is how many cores this process kept busy meanwhile, 1.0 is one of them;
// 0 where that is not known.
func (r *Result) CPU() float64 { return r.cpu.Seconds() / r.Took.Seconds() }

// Percentile is the time within which a share of the answers came, to 1 %.
func (r *Result) Percentile(share float64) time.Duration { return r.times.percentile(share) }

// Max is the longest time, exact.
func (r *Result) Max() time.Duration { return r.times.percentile(1) }

// Outcomes says how many answers were what, those that were not left out.
func (r *Result) Outcomes() string {
	var parts []string
	for o := range outcomes {
		if n := r.Count(o); n > 0 {
			parts = append(parts, fmt.Sprintf("%s %d", o, n))
		}
	}
	if n := r.Unsent(); n > 0 {
		parts = append(parts, fmt.Sprintf("never sent %d", n))
	}
	return strings.Join(parts, ", ")
}

// Trouble says what went wrong, "" when nothing did.
func (r *Result) Trouble() string {
	var parts []string
	for _, what := range slices.Sorted(maps.Keys(r.strange)) {
		parts = append(parts, fmt.Sprintf("%d times %s", r.strange[what], what))
	}
	if r.Failure != nil {
		parts = append(parts, fmt.Sprintf("%d times no answer, first: %v", r.Count(Unanswered), r.Failure))
	}
	return strings.Join(parts, "; ")
}
