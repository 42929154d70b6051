package simulate

import (
	"crypto/sha256"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/google/uuid"
)

// Machine is one simulated machine. It is a state machine without clock and
// network: next returns the request to send, and receive processes the response
// and returns how long the machine then waits. Times are simulated time since
// the start of the simulation.
type Machine struct {
	Identity Identity
	Version  string // running

	program  bool // sends requests as Nebraska's updater library instead of update_engine
	behavior *Behavior
	random   *rand.Rand
	scenario func(m *Machine) scenario // chooses the scenario of the next attempt

	boot     boot
	phase    phase
	attempt  attempt
	code     int32         // error code of the next report
	interval time.Duration // current interval between two checks
	retries  int           // retries of a check without any HTTP response
	reason   string        // why the last check got no update
	backoff  backoff
}

// boot is what changes with a reboot.
type boot struct {
	count      int
	previous   string // version before the reboot; "" after it was reported
	unreported bool   // the first check on the new version was not answered yet
}

// attempt is the update attempt in progress.
type attempt struct {
	scenario scenario
	offer    Answer
	rebootAt time.Duration // when an installed machine shuts down
	checkAt  time.Duration // its first check after the reboot
}

// backoff is update_engine's wait before it downloads the same payload again.
type backoff struct {
	payload   string
	downloads int           // complete downloads of the payload
	until     time.Duration // offers of the payload are deferred until then
}

// phase is what the machine does next.
type phase uint8

const (
	phaseIdle     phase = iota // check
	phaseReport                // report that the check failed
	phaseBegin                 // start the download
	phaseDownload              // end the download
	phaseUnpack                // programs: report that the installer runs
	phaseInstall               // end the installation
	phaseReboot                // wait for the reboot
	phaseDefer                 // defer the offer
)

// initialVersion is what update_engine sends as the previous version of a
// machine that never updated.
const initialVersion = "0.0.0.0"

// newMachine returns machine number index of the fleet with a seed. The same
// seed and index give the same machine with the same random choices.
func newMachine(b *Behavior, id Identity, program bool, version string, seed uint64, index int) *Machine {
	sum := sha256.Sum256(fmt.Appendf(nil, "coreroller simulate %d %d", seed, index))
	id.Machine = fmt.Sprintf("%x", sum[:16])
	if program {
		id.Machine = uuid.UUID(sum[:16]).String()
	}
	if id.Alias != "" {
		id.Alias = fmt.Sprintf("%s-%04d", id.Alias, index+1)
	}
	id.AlephVersion = version
	return &Machine{
		Identity: id, Version: version, program: program, behavior: b, scenario: randomScenario, boot: boot{previous: initialVersion},
		interval: b.Interval, random: rand.New(rand.NewPCG(seed, uint64(index))), //nolint:gosec // G404, G115: simulated, repeatable from the seed
	}
}

// bootID changes with every reboot and is the same in every run of the
// simulation.
func (m *Machine) bootID() string {
	sum := sha256.Sum256(fmt.Appendf(nil, "boot %s %d", m.Identity.Machine, m.boot.count))
	id := uuid.UUID(sum[:16]).String()
	if m.program {
		return id
	}
	return "{" + id + "}"
}

// next returns the request that the machine sends now.
func (m *Machine) next(now time.Duration) Request {
	if m.phase == phaseReboot && now >= m.attempt.checkAt {
		m.reboot()
	}
	req := Request{Version: m.Version, Boot: m.bootID()}
	scenario := m.attempt.scenario
	switch m.phase {
	case phaseIdle:
		req.Check = true
		if !m.program {
			req.Ping = true
			req.Event = m.checkEvent()
		}
	case phaseBegin:
		req.Event = &Event{Type: 13, Result: 1}
	case phaseDownload:
		req.Event = &Event{Type: 14, Result: 1}
		if scenario.kind == transferFails {
			req.Event = m.failure(scenario.code)
		}
	case phaseUnpack:
		req.Event = &Event{Type: 6, Result: 1}
	case phaseInstall:
		req.Event = &Event{Type: 3, Result: 1}
		if scenario.kind == installFails || scenario.kind == firmwareB {
			req.Event = m.failure(scenario.code)
		}
	case phaseReport:
		req.Event = m.failure(m.code)
	case phaseDefer:
		req.Event = &Event{Type: 3, Result: 9, Code: FlagOtherServer | scenario.code, HasCode: true}
	case phaseReboot:
		req.Ping = true
	}
	return req
}

// FlagOtherServer is the flag that update_engine adds to error codes if the
// server is not the built-in one.
const FlagOtherServer = 1 << 28

// checkEvent is the event in every check of update_engine.
func (m *Machine) checkEvent() *Event {
	if m.boot.previous == m.Version {
		const codeRolledBack = 44 // sent without flags
		return &Event{Type: 3, Result: 0, Code: codeRolledBack, HasCode: true}
	}
	return &Event{Type: 3, Result: 2, Previous: m.boot.previous, HasPrevious: true}
}

func (m *Machine) failure(code int32) *Event {
	if m.program {
		return &Event{Type: 3, Result: 0, Code: code, HasCode: code != 0} // go-omaha omits a zero
	}
	return &Event{Type: 3, Result: 0, Code: FlagOtherServer | code, HasCode: true}
}

// reboot starts the machine again, in the new version unless it rolls back.
func (m *Machine) reboot() {
	m.boot.count++
	m.phase = phaseIdle
	m.boot.previous = m.Version
	if m.attempt.scenario.kind != rollsBack {
		m.Version = m.attempt.offer.Version
		m.boot.unreported = true
	}
}

// Result is what one exchange meant for the machine.
type Result struct {
	Wait   time.Duration // until the next request
	Answer Answer

	Checked, Held, Offered, Updated, Failed, RolledBack, Deferred, Silent bool

	Unanswered bool // no HTTP response, or a status other than 200
	Refused    bool // a response that the machine cannot use
	Downgrade  bool // an offer that is not above the running version
}

// receive processes the response to the request that next returned for the same
// now.
func (m *Machine) receive(now time.Duration, r Response) Result {
	if m.phase == phaseIdle {
		return m.receiveCheck(now, r)
	}
	// The response to an event does not change what the machine does.
	result := Result{Unanswered: !r.OK()}
	if r.OK() {
		result.Answer, _ = ReadAnswer(r.Body, false)
	}
	switch m.phase {
	case phaseBegin:
		m.afterBegin(&result)
	case phaseDownload:
		m.afterDownload(now, &result)
	case phaseUnpack:
		m.phase = phaseInstall
		result.Wait = m.vary(m.behavior.Install / 2)
	case phaseInstall:
		m.afterInstall(now, &result)
	case phaseReboot:
		result.Wait = m.untilReboot(now)
	case phaseDefer:
		result.Deferred = true
		m.idle(&result)
	default: // phaseReport
		m.idle(&result)
	}
	return result
}

// idle waits for the next check.
func (m *Machine) idle(r *Result) {
	m.phase = phaseIdle
	r.Wait = m.untilCheck(m.interval)
}

func (m *Machine) afterBegin(r *Result) {
	switch m.attempt.scenario.kind {
	case restarts: // update_engine forgets the attempt
		m.phase = phaseIdle
		r.Wait = m.vary(m.behavior.Download/2) + m.startup()
	case goesSilent:
		m.phase = phaseIdle
		r.Silent = true
		r.Wait = m.behavior.SilentFor + m.startup()
	default:
		m.phase = phaseDownload
		r.Wait = m.vary(m.behavior.Download)
	}
}

func (m *Machine) afterDownload(now time.Duration, r *Result) {
	if m.attempt.scenario.kind == transferFails {
		r.Failed = true
		m.idle(r)
		return
	}
	m.countDownload(now)
	m.phase = phaseInstall
	r.Wait = m.vary(m.behavior.Install)
	if m.program {
		m.phase = phaseUnpack
		r.Wait = m.vary(m.behavior.Install / 2)
	}
}

func (m *Machine) afterInstall(now time.Duration, r *Result) {
	switch {
	case m.attempt.scenario.kind == installFails:
		r.Failed = true
		m.idle(r)
	case m.program: // restarts at once
		m.Version = m.attempt.offer.Version
		m.boot.unreported = true
		m.idle(r)
	default:
		r.Failed = m.attempt.scenario.kind == firmwareB
		m.phase = phaseReboot
		m.attempt.rebootAt = now + m.vary(m.behavior.Reboot)
		m.attempt.checkAt = m.attempt.rebootAt + time.Minute + m.startup()
		r.Wait = m.untilReboot(now)
	}
}

// untilReboot is the wait for the next ping, or for the first check after the
// reboot if that comes first.
func (m *Machine) untilReboot(now time.Duration) time.Duration {
	if ping := m.untilCheck(m.interval); now+ping < m.attempt.rebootAt {
		return ping
	}
	return m.attempt.checkAt - now
}

// Rebooted reports whether the machine runs a version that it has not reported yet.
func (m *Machine) Rebooted() bool { return m.boot.unreported }

// Reason is why the last check got no update, as the server answered.
func (m *Machine) Reason() string { return m.reason }
