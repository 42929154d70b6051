package main

import (
	"net/http"
	"time"

	"golang.org/x/mod/semver"
)

// The check of a simulated machine: what it makes of the answer, and when it
// asks again (update_engine's update_check_scheduler and payload_state).

const (
	maxInterval     = 4 * time.Hour // after errors or by PollInterval
	unansweredTries = 3             // retries when there is no HTTP answer at all
	retryAfter      = 10 * time.Second
)

// Error codes of update_engine in a simulated life.
const (
	codePostinstall    = 5
	codeTransfer       = 9
	codePayloadHash    = 10
	codeOperation      = 29
	codeFirmwareB      = 19
	codeBackoff        = 40
	codeHTTPBase       = 2000 // plus the HTTP status
	backoffLongestDays = 16
)

func (m *machine) hearCheck(now time.Duration, r reply) turn {
	if r.Status == 0 && m.tries < unansweredTries && !m.program {
		m.tries++
		return turn{Wait: retryAfter, Unanswered: true}
	}
	m.tries = 0
	t := turn{Checked: true}
	t.RolledBack = !m.program && m.previous == m.version
	m.previous = ""
	if r.Status != http.StatusOK {
		return m.unanswered(t, r.Status)
	}
	t.Updated, m.fresh = m.fresh, false
	if t.Answer, t.Refused = m.understand(r.Body); t.Refused {
		m.phase = phaseReport
		if m.program {
			m.rest(&t)
		}
		return t
	}
	m.setInterval(t.Answer.PollInterval)
	m.reason = t.Answer.Info
	if !t.Answer.Offered {
		t.Held = m.reason != "" && m.reason != "up_to_date"
		m.rest(&t)
		return t
	}
	t.Offered = true
	t.Downgrade = semver.Compare("v"+t.Answer.Version, "v"+m.version) <= 0
	m.accept(now, t.Answer)
	return t
}

// unanswered ends a check that got no usable HTTP answer. Only 500 and 503
// make the daemon ask less often.
func (m *machine) unanswered(t turn, status int) turn {
	t.Unanswered = true
	if status == http.StatusInternalServerError || status == http.StatusServiceUnavailable {
		m.interval = min(2*m.interval, max(maxInterval, m.habits.Interval))
	}
	m.phase = phaseReport
	m.code = int32(codeHTTPBase + status)
	if m.program {
		m.rest(&t)
	}
	return t
}

func (m *machine) understand(body []byte) (a answer, refused bool) {
	if m.program {
		a, ok := readProgramAnswer(body)
		return a, !ok
	}
	a, m.code = readAnswer(body, true)
	return a, m.code != 0
}

// setInterval follows the server's PollInterval, which has to be in every
// answer to stay in force.
func (m *machine) setInterval(asked time.Duration) {
	m.interval = m.habits.Interval
	if asked > m.interval {
		m.interval = min(asked, max(maxInterval, m.habits.Interval))
	}
}

// accept begins an attempt, unless the payload is in backoff.
func (m *machine) accept(now time.Duration, offer answer) {
	if offer.Version == "" { // the daemon learns it from the payload only
		offer.Version = m.version
	}
	m.offer = offer
	m.story = m.draw(m)
	m.phase = phaseBegin
	if offer.Payload != m.payload {
		m.payload, m.downloads, m.backoff = offer.Payload, 0, 0
	}
	if now < m.backoff && !offer.DisableBackoff && !m.program {
		m.story = story{storyDefers, codeBackoff}
	}
	if m.story.kind == storyDefers {
		m.phase = phaseDefer
	}
}

// countDownload starts the backoff that follows every complete download: 1, 2,
// 4 … 16 days, give or take 6 hours.
func (m *machine) countDownload(now time.Duration) {
	days := min(1<<min(m.downloads, 10), backoffLongestDays)
	m.downloads++
	m.backoff = now + fuzz(m.random.Float64(), time.Duration(days)*24*time.Hour, 6*time.Hour)
}

// pause is one interval with the fuzz of the daemon: 5 minutes of 45, or half
// of an interval that is longer than usual.
func (m *machine) pause(interval time.Duration) time.Duration {
	spread := interval / 9
	if interval > m.habits.Interval {
		spread = interval / 2
	}
	return fuzz(m.random.Float64(), interval, spread)
}

// startup is the wait for the first check after a start: 7 minutes give or
// take 5.
func (m *machine) startup() time.Duration {
	return fuzz(m.random.Float64(), 7*time.Minute, 5*time.Minute)
}

// around is a duration between half and one and a half of the usual.
func (m *machine) around(usual time.Duration) time.Duration {
	return fuzz(m.random.Float64(), usual, usual/2)
}

// fuzz spreads share, from [0, 1), evenly over middle ± spread.
func fuzz(share float64, middle, spread time.Duration) time.Duration {
	return middle - spread + time.Duration(share*float64(2*spread))
}
