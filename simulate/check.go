package simulate

import (
	"net/http"
	"time"

	"golang.org/x/mod/semver"
)

// The check of a simulated machine and the time of the next one, as in
// update_engine's update_check_scheduler and payload_state.

const (
	maxInterval = 4 * time.Hour // after errors or by PollInterval
	maxRetries  = 3             // of a check without any HTTP response
	retryDelay  = 10 * time.Second
)

// Error codes of update_engine.
const (
	codePostinstall = 5
	codeTransfer    = 9
	codePayloadHash = 10
	codeFirmwareB   = 19
	codeOperation   = 29
	codeBackoff     = 40

	// CodeHTTPBase plus the HTTP status is the code of a failed check.
	CodeHTTPBase = 2000
)

// maxBackoffDays is the longest backoff after downloads of the same payload.
const maxBackoffDays = 16

func (m *Machine) receiveCheck(now time.Duration, r Response) Result {
	if r.Status == 0 && m.retries < maxRetries && !m.program {
		m.retries++
		return Result{Wait: retryDelay, Unanswered: true}
	}
	m.retries = 0
	result := Result{Checked: true}
	result.RolledBack = !m.program && m.boot.previous == m.Version
	m.boot.previous = ""
	if !r.OK() {
		return m.unanswered(result, r.Status)
	}
	result.Updated, m.boot.unreported = m.boot.unreported, false
	if result.Answer, result.Refused = m.readAnswer(r.Body); result.Refused {
		m.phase = phaseReport
		if m.program {
			m.idle(&result)
		}
		return result
	}
	m.setInterval(result.Answer.PollInterval)
	m.reason = result.Answer.Info
	if !result.Answer.Offered {
		result.Held = m.reason != "" && m.reason != "up_to_date"
		m.idle(&result)
		return result
	}
	result.Offered = true
	result.Downgrade = semver.Compare("v"+result.Answer.Version, "v"+m.Version) <= 0
	m.accept(now, result.Answer)
	return result
}

// unanswered ends a check without a usable HTTP response. Only 500 and 503
// double the interval, as in update_engine.
func (m *Machine) unanswered(r Result, status int) Result {
	r.Unanswered = true
	if status == http.StatusInternalServerError || status == http.StatusServiceUnavailable {
		m.interval = min(2*m.interval, max(maxInterval, m.behavior.Interval))
	}
	m.phase = phaseReport
	m.code = int32(CodeHTTPBase + status) //nolint:gosec // G115: an HTTP status has three digits
	if m.program {
		m.idle(&r)
	}
	return r
}

func (m *Machine) readAnswer(body []byte) (a Answer, refused bool) {
	if m.program {
		a, ok := readProgramAnswer(body)
		return a, !ok
	}
	a, m.code = ReadAnswer(body, true)
	return a, m.code != 0
}

// setInterval applies the server's PollInterval, which lasts until the next
// answer only.
func (m *Machine) setInterval(requested time.Duration) {
	m.interval = m.behavior.Interval
	if requested > m.interval {
		m.interval = min(requested, max(maxInterval, m.behavior.Interval))
	}
}

// accept starts an attempt, unless the payload is in backoff.
func (m *Machine) accept(now time.Duration, offer Answer) {
	if offer.Version == "" { // update_engine reads the version from the payload
		offer.Version = m.Version
	}
	m.attempt.offer = offer
	m.attempt.scenario = m.scenario(m)
	m.phase = phaseBegin
	if offer.Payload != m.backoff.payload {
		m.backoff = backoff{payload: offer.Payload}
	}
	if now < m.backoff.until && !offer.DisableBackoff && !m.program {
		m.attempt.scenario = scenario{defers, codeBackoff}
	}
	if m.attempt.scenario.kind == defers {
		m.phase = phaseDefer
	}
}

// countDownload starts the backoff that follows every complete download: 1, 2,
// 4 … 16 days, plus or minus 6 hours.
func (m *Machine) countDownload(now time.Duration) {
	days := min(1<<min(m.backoff.downloads, 10), maxBackoffDays)
	m.backoff.downloads++
	m.backoff.until = now + fuzz(m.random.Float64(), time.Duration(days)*24*time.Hour, 6*time.Hour)
}

// untilCheck is one interval with update_engine's fuzz: 5 minutes of 45, or half
// of an interval that is longer than usual.
func (m *Machine) untilCheck(interval time.Duration) time.Duration {
	spread := interval / 9
	if interval > m.behavior.Interval {
		spread = interval / 2
	}
	return fuzz(m.random.Float64(), interval, spread)
}

// startup is the time from boot to the first check: 7 minutes, plus or minus 5.
func (m *Machine) startup() time.Duration {
	return fuzz(m.random.Float64(), 7*time.Minute, 5*time.Minute)
}

// vary returns between half and one and a half of the usual length.
func (m *Machine) vary(usual time.Duration) time.Duration {
	return fuzz(m.random.Float64(), usual, usual/2)
}

// fuzz maps share, from [0, 1), evenly to middle ± spread.
func fuzz(share float64, middle, spread time.Duration) time.Duration {
	return middle - spread + time.Duration(share*float64(2*spread))
}
