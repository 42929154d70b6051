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

// Outcome classifies a response.
type Outcome int

// The outcomes. The first three are responses to a check. Acknowledged responds
// to a request without a check. Busy is HTTP 503. Other is any other HTTP status,
// or an application status that is not ok. Unanswered is no complete response.
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

// String is the name of the outcome in a report.
func (o Outcome) String() string {
	return [...]string{"offered", "up to date", "held", "acknowledged", "503", "other errors", "unanswered"}[o]
}

// Result is the measurement of a plan. Read it after Run returned.
type Result struct {
	Took    time.Duration
	Failure error // the first error of a request without a response

	start, until time.Time
	cpu          time.Duration
	unsent       atomic.Uint64
	counts       [outcomes]atomic.Uint64
	times        *histogram
	mu           sync.Mutex     // guards Failure and others during the run
	others       map[string]int // responses of outcome Other, by their text
}

// add counts one response.
func (r *Result) add(status int, body []byte, took time.Duration) {
	o := classify(status, body)
	r.counts[o].Add(1)
	r.times.add(took)
	if o == Other {
		text := fmt.Sprintf("HTTP %d", status)
		if status == 200 {
			text = fmt.Sprintf("HTTP 200 %.300s", body)
		}
		r.mu.Lock()
		defer r.mu.Unlock()
		if r.others == nil {
			r.others = map[string]int{}
		}
		if _, known := r.others[text]; known || len(r.others) < 10 {
			r.others[text]++
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

// classify uses the first updatecheck of a response.
func classify(status int, body []byte) Outcome {
	switch {
	case status == 503:
		return Busy
	case status != 200:
		return Other
	}
	_, check, found := bytes.Cut(body, []byte("<updatecheck"))
	if !found {
		if _, app, found := bytes.Cut(body, []byte("<app")); found && hasAttribute(app, ` status="ok"`) {
			return Acknowledged
		}
		return Other
	}
	switch {
	case hasAttribute(check, ` status="ok"`):
		return Offered
	case !hasAttribute(check, ` status="noupdate"`):
		return Other
	case hasAttribute(check, ` info="up_to_date"`):
		return UpToDate
	}
	return Held
}

// hasAttribute reports whether text, which starts after an element's name, has an
// attribute before the element's end.
func hasAttribute(text []byte, attribute string) bool {
	element, _, _ := bytes.Cut(text, []byte(">"))
	return bytes.Contains(element, []byte(attribute))
}

// Count is the number of requests with an outcome.
func (r *Result) Count(o Outcome) int {
	return int(r.counts[o].Load()) //nolint:gosec // G115: a number of requests
}

// Answered is the number of complete responses.
func (r *Result) Answered() int {
	n := 0
	for o := range Unanswered {
		n += r.Count(o)
	}
	return n
}

// Errors is the number of failed requests. 503 is not an error, but a deliberate
// answer under load.
func (r *Result) Errors() int { return r.Count(Other) + r.Count(Unanswered) }

// Unsent is the number of requests of an open loop that were due but never sent,
// because all connections waited for a response until the end.
func (r *Result) Unsent() int {
	return int(r.unsent.Load()) //nolint:gosec // G115: a number of requests
}

// PerSecond is the rate of complete responses.
func (r *Result) PerSecond() float64 { return float64(r.Answered()) / r.Took.Seconds() }

// Served is the rate per second of responses that are neither an error nor 503.
func (r *Result) Served() float64 {
	return float64(r.Answered()-r.Count(Busy)-r.Count(Other)) / r.Took.Seconds()
}

// CPU is the average number of cores that this process used, or 0 if unknown.
func (r *Result) CPU() float64 { return r.cpu.Seconds() / r.Took.Seconds() }

// Percentile is the response time that a share of the responses, from 0 to 1,
// does not exceed. Its error is below 1 %; that of 1, the longest time, is 0.
func (r *Result) Percentile(share float64) time.Duration { return r.times.percentile(share) }

// Outcomes lists the outcomes that occurred, with their counts.
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

// ErrorDetails lists the errors, or is "" if there were none.
func (r *Result) ErrorDetails() string {
	var parts []string
	for _, text := range slices.Sorted(maps.Keys(r.others)) {
		parts = append(parts, fmt.Sprintf("%d × %s", r.others[text], text))
	}
	if r.Failure != nil {
		parts = append(parts, fmt.Sprintf("%d × no response, first: %v", r.Count(Unanswered), r.Failure))
	}
	return strings.Join(parts, "; ")
}
