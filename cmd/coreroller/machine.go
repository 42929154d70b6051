package main

import (
	"crypto/sha256"
	"fmt"
	"math/rand/v2"
	"time"
)

// machine is one simulated machine: a state machine without clock, network or
// randomness of its own. act says what it sends now, hear what it makes of the
// answer and how long it then does nothing. Times are simulated time since the
// simulation began.
type machine struct {
	id      identity
	program bool // speaks as the Nebraska updater library instead of update_engine
	habits  *habits
	random  *rand.Rand
	draw    func(m *machine) story // how the next attempt goes

	version  string // running
	previous string // version before the reboot, "" = nothing to tell
	boots    int

	phase    phase
	story    story
	offer    answer
	code     int32         // of the report to come
	interval time.Duration // last interval between two checks
	tries    int           // checks in a row without any HTTP answer
	bootAt   time.Duration // when an installed machine goes down
	checkAt  time.Duration // its first check after that
	fresh    bool          // runs a version it has not told yet
	reason   string        // why the last check was not granted

	payload   string        // the payload that backoff speaks of
	downloads int           // complete downloads of it
	backoff   time.Duration // it is refused before this
}

// phase is what the machine does next.
type phase uint8

const (
	phaseIdle     phase = iota // check
	phaseReport                // report that the check failed
	phaseBegin                 // begin the download
	phaseDownload              // end it
	phaseUnpack                // programs: say that the installer runs
	phaseInstall               // end the installation
	phaseReboot                // wait for the reboot
	phaseDefer                 // put the offer off
)

// initialVersion stands for the missing preference of a machine that never
// updated (update_engine sends it as 0.0.0.0).
const initialVersion = "0.0.0.0"

// newMachine makes machine number index of the fleet of a seed. The same two
// numbers give the same machine, with the same life.
func newMachine(h *habits, id identity, program bool, version string, seed uint64, index int) *machine {
	sum := sha256.Sum256(fmt.Appendf(nil, "coreroller simulate %d %d", seed, index))
	id.Machine = fmt.Sprintf("%x", sum[:16])
	if program {
		id.Machine = uuidText(sum[:16])
	}
	if id.Alias != "" {
		id.Alias = fmt.Sprintf("%s-%04d", id.Alias, index+1)
	}
	id.AlephVersion = version
	return &machine{
		id: id, program: program, habits: h, draw: drawStory, version: version, previous: initialVersion,
		interval: h.Interval, random: rand.New(rand.NewPCG(seed, uint64(index))),
	}
}

// bootID changes with every reboot, and is derived so that runs repeat.
func (m *machine) bootID() string {
	sum := sha256.Sum256(fmt.Appendf(nil, "boot %s %d", m.id.Machine, m.boots))
	if m.program {
		return uuidText(sum[:16])
	}
	return "{" + uuidText(sum[:16]) + "}"
}

func uuidText(b []byte) string {
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[0:4], b[4:6], b[6:8], b[8:10], b[10:16])
}

// act is what the machine sends now.
func (m *machine) act(now time.Duration) message {
	if m.phase == phaseReboot && now >= m.checkAt {
		m.reboot()
	}
	msg := message{Version: m.version, Boot: m.bootID()}
	switch m.phase {
	case phaseIdle:
		msg.Check = true
		if !m.program {
			msg.Ping = true
			msg.Report = m.greeting()
		}
	case phaseBegin:
		msg.Report = &report{Type: 13, Result: 1}
	case phaseDownload:
		msg.Report = &report{Type: 14, Result: 1}
		if m.story.kind == storyTransferFails {
			msg.Report = m.failure(m.story.code)
		}
	case phaseUnpack:
		msg.Report = &report{Type: 6, Result: 1}
	case phaseInstall:
		msg.Report = &report{Type: 3, Result: 1}
		if m.story.kind == storyInstallFails || m.story.kind == storyFirmwareB {
			msg.Report = m.failure(m.story.code)
		}
	case phaseReport:
		msg.Report = m.failure(m.code)
	case phaseDefer:
		msg.Report = &report{Type: 3, Result: 9, Code: foreignServer | m.story.code, HasCode: true}
	case phaseReboot:
		msg.Ping = true
	}
	return msg
}

// foreignServer is the flag update_engine adds to error codes when the server
// is not the built-in one.
const foreignServer = 1 << 28

// greeting is the event that update_engine puts into every check.
func (m *machine) greeting() *report {
	if m.previous == m.version {
		const rolledBack = 44 // comes without flags
		return &report{Type: 3, Result: 0, Code: rolledBack, HasCode: true}
	}
	return &report{Type: 3, Result: 2, Previous: m.previous, HasPrevious: true}
}

func (m *machine) failure(code int32) *report {
	if m.program {
		return &report{Type: 3, Result: 0, Code: code, HasCode: code != 0} // go-omaha leaves a zero out
	}
	return &report{Type: 3, Result: 0, Code: foreignServer | code, HasCode: true}
}

// reboot brings the machine up again, in the new version if all went well.
func (m *machine) reboot() {
	m.boots++
	m.phase = phaseIdle
	m.previous = m.version
	if m.story.kind != storyRollsBack {
		m.version = m.offer.Version
		m.fresh = true
	}
}

// reply is what came back. Status 0 means that there was no HTTP answer.
type reply struct {
	Status int
	Body   []byte
}

// turn is what one exchange meant.
type turn struct {
	Wait   time.Duration // until the machine acts again
	Answer answer

	Checked, Held, Offered, Updated, Failed, RolledBack, Deferred, Silent bool

	Unanswered bool // no HTTP answer, or not status 200
	Refused    bool // an answer the machine cannot use
	Downgrade  bool // an offer that is not above the running version
}

// hear takes the answer to what act sent at the same time now.
func (m *machine) hear(now time.Duration, r reply) turn {
	if m.phase == phaseIdle {
		return m.hearCheck(now, r)
	}
	// Events are fire and forget: what the server says changes nothing.
	var t turn
	t.Unanswered = r.Status != 200
	if !t.Unanswered {
		t.Answer, _ = readAnswer(r.Body, false)
	}
	switch m.phase {
	case phaseBegin:
		m.afterBegin(&t)
	case phaseDownload:
		m.afterDownload(now, &t)
	case phaseUnpack:
		m.phase = phaseInstall
		t.Wait = m.around(m.habits.Install / 2)
	case phaseInstall:
		m.afterInstall(now, &t)
	case phaseReboot:
		t.Wait = m.untilReboot(now)
	case phaseDefer:
		t.Deferred = true
		m.rest(&t)
	default: // phaseReport
		m.rest(&t)
	}
	return t
}

// rest ends whatever was going on until the next check.
func (m *machine) rest(t *turn) {
	m.phase = phaseIdle
	t.Wait = m.pause(m.interval)
}

func (m *machine) afterBegin(t *turn) {
	switch m.story.kind {
	case storyKilled: // the daemon starts anew and remembers nothing of it
		m.phase = phaseIdle
		t.Wait = m.around(m.habits.Download/2) + m.startup()
	case storySilent:
		m.phase = phaseIdle
		t.Silent = true
		t.Wait = m.habits.SilentFor + m.startup()
	default:
		m.phase = phaseDownload
		t.Wait = m.around(m.habits.Download)
	}
}

func (m *machine) afterDownload(now time.Duration, t *turn) {
	if m.story.kind == storyTransferFails {
		t.Failed = true
		m.rest(t)
		return
	}
	m.countDownload(now)
	m.phase = phaseInstall
	t.Wait = m.around(m.habits.Install)
	if m.program {
		m.phase = phaseUnpack
		t.Wait = m.around(m.habits.Install / 2)
	}
}

func (m *machine) afterInstall(now time.Duration, t *turn) {
	switch {
	case m.story.kind == storyInstallFails:
		t.Failed = true
		m.rest(t)
	case m.program: // restarts itself at once
		m.version = m.offer.Version
		m.fresh = true
		m.rest(t)
	default:
		t.Failed = m.story.kind == storyFirmwareB // it reports an error and yet waits for its reboot
		m.phase = phaseReboot
		m.bootAt = now + m.around(m.habits.Reboot)
		m.checkAt = m.bootAt + time.Minute + m.startup()
		t.Wait = m.untilReboot(now)
	}
}

// untilReboot waits for the next ping, or over the reboot for the first check.
func (m *machine) untilReboot(now time.Duration) time.Duration {
	if ping := m.pause(m.interval); now+ping < m.bootAt {
		return ping
	}
	return m.checkAt - now
}
