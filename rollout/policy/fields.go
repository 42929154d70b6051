package policy

import (
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"time"

	"github.com/coreroller/coreroller/rollout/calendar"
	"github.com/coreroller/coreroller/rollout/phrase"
)

// field describes one field of Policy. Default, Compile, Changes, Grows and
// Describe read the table of all fields; tests compare it with Policy, with the
// GraphQL schema and with the dashboard. A function that does not apply has a name
// that says so; none is nil.
type field[T any] struct {
	name     string // in JSON, GraphQL and the dashboard
	label    string // in a line of Changes
	at       func(*Policy) *T
	initial  T                              // value of a new group
	check    func(*compiler, T) string      // what is wrong with a value, "" for nothing; adds problems of its parts itself
	text     func(T) string                 // value in a line of Changes
	widens   func(c change, was, is T) bool // a different value lets more machines update, or the same ones sooner
	sentence func(s *Schedule, v T) string  // part of Describe, "" for none
}

// change is the replacement of a policy.
type change struct {
	from, to *Schedule
	now      time.Time
}

// policyField is a field of any type.
type policyField interface {
	describeField() Field
	reset(p *Policy)
	validate(c *compiler)
	line(from, to *Policy) string
	grows(c change) bool
	describe(s *Schedule) string
}

// Field names one field of Policy, for tests of packages that map policies.
type Field struct {
	Name  string // in JSON, GraphQL and the dashboard
	Label string
	Type  reflect.Type
}

// Fields returns all fields of Policy in the order in which they are shown.
func Fields() []Field {
	all := make([]Field, len(fields))
	for i, f := range fields {
		all[i] = f.describeField()
	}
	return all
}

func (f field[T]) describeField() Field { return Field{f.name, f.label, reflect.TypeFor[T]()} }

func (f field[T]) reset(p *Policy) { *f.at(p) = f.initial }

func (f field[T]) validate(c *compiler) {
	if problem := f.check(c, *f.at(&c.policy)); problem != "" {
		c.fail(f.name, "%s", problem)
	}
}

// line is the change of the field for operators, "" if it did not change.
func (f field[T]) line(from, to *Policy) string {
	was, is := f.text(*f.at(from)), f.text(*f.at(to))
	if was == is {
		return ""
	}
	return phrase.Change(f.label, was, is)
}

func (f field[T]) grows(c change) bool {
	was, is := *f.at(&c.from.policy), *f.at(&c.to.policy)
	return !reflect.DeepEqual(was, is) && f.widens(c, was, is)
}

func (f field[T]) describe(s *Schedule) string { return f.sentence(s, *f.at(&s.policy)) }

// fields are all fields of Policy in the order of Describe.
var fields = [...]policyField{
	field[bool]{
		name: "updatesEnabled", label: "updates", at: func(p *Policy) *bool { return &p.UpdatesEnabled }, initial: true,
		check: anyValue[bool], text: onOff, widens: turnedOn,
		sentence: func(_ *Schedule, on bool) string { return either(on, "", "updates are switched off; when on") },
	},
	field[int]{
		name: "maxUpdatesPerPeriod", label: "updates per period", at: func(p *Policy) *int { return &p.MaxUpdatesPerPeriod }, initial: 1,
		check: atLeastOne, text: strconv.Itoa,
		widens: func(c change, was, is int) bool { return is > was || faster(c, was, is) },
		sentence: func(s *Schedule, n int) string {
			p := &s.policy
			return fmt.Sprintf("at most %s per %s and %d at once", phrase.Count(n, "machine"), phrase.Every(p.PeriodInterval), p.MaxConcurrentUpdates)
		},
	},
	field[time.Duration]{
		name: "periodInterval", label: "period", at: func(p *Policy) *time.Duration { return &p.PeriodInterval }, initial: time.Hour,
		check: aboveZero, text: phrase.Lasting, widens: faster[time.Duration], sentence: partOfAnother[time.Duration],
	},
	field[int]{
		name: "maxConcurrentUpdates", label: "updates at once", at: func(p *Policy) *int { return &p.MaxConcurrentUpdates }, initial: 1,
		check: atLeastOne, text: strconv.Itoa, widens: more[int], sentence: partOfAnother[int],
	},
	field[time.Duration]{
		name: "updateTimeout", label: "update timeout", at: func(p *Policy) *time.Duration { return &p.UpdateTimeout }, initial: time.Hour,
		check: checkUpdateTimeout, text: phrase.Lasting, widens: never[time.Duration], sentence: notDescribed[time.Duration],
	},
	field[time.Duration]{
		name: "rebootTimeout", label: "reboot timeout", at: func(p *Policy) *time.Duration { return &p.RebootTimeout }, initial: 24 * time.Hour,
		check: aboveZero, text: phrase.Lasting, widens: never[time.Duration], sentence: notDescribed[time.Duration],
	},
	field[time.Duration]{
		name: "lostAfter", label: "lost after", at: func(p *Policy) *time.Duration { return &p.LostAfter }, initial: 0,
		check: checkLostAfter, text: func(d time.Duration) string { return either(d == 0, "3 polls", phrase.Lasting(d)) },
		widens: never[time.Duration], sentence: notDescribed[time.Duration],
	},
	field[time.Duration]{
		name: "evidenceAge", label: "machines count when known for", at: func(p *Policy) *time.Duration { return &p.EvidenceAge }, initial: 24 * time.Hour,
		check: func(_ *compiler, d time.Duration) string {
			return either(d >= 0, "", "must not be negative; 0 means that all machines count")
		},
		text:   func(d time.Duration) string { return either(d == 0, "always", phrase.Lasting(d)) },
		widens: func(_ change, was, is time.Duration) bool { return is < was }, sentence: notDescribed[time.Duration],
	},
	field[bool]{
		name: "enrolledOnly", label: "enrolled machines only", at: func(p *Policy) *bool { return &p.EnrolledOnly }, initial: false,
		check: anyValue[bool], text: onOff, widens: turnedOff,
		sentence: func(_ *Schedule, on bool) string { return either(on, "enrolled machines only", "") },
	},
	field[string]{
		name: "timezone", label: "time zone", at: func(p *Policy) *string { return &p.Timezone }, initial: "UTC",
		check: checkCalendar, text: func(name string) string { return either(name == "", "UTC", name) },
		widens: widerWeek[string], sentence: partOfAnother[string],
	},
	field[bool]{
		name: "officeHours", label: "office hours only", at: func(p *Policy) *bool { return &p.OfficeHours }, initial: false,
		check: checkedWithTimezone[bool], text: onOff, widens: widerWeek[bool], sentence: partOfAnother[bool],
	},
	field[[]calendar.Window]{
		name: "windows", label: "windows", at: func(p *Policy) *[]calendar.Window { return &p.Windows }, initial: nil,
		check: checkedWithTimezone[[]calendar.Window], text: windowsText, widens: widerWeek[[]calendar.Window],
		sentence: func(s *Schedule, _ []calendar.Window) string { return s.calendar.DescribeWeek() },
	},
	field[[]calendar.Freeze]{
		name: "freezes", label: "freezes", at: func(p *Policy) *[]calendar.Freeze { return &p.Freezes }, initial: nil,
		check: checkedWithTimezone[[]calendar.Freeze], text: freezesText,
		widens: func(c change, _, _ []calendar.Freeze) bool {
			return calendar.FreezeEnds(&c.from.calendar, &c.to.calendar, c.now)
		},
		sentence: func(_ *Schedule, freezes []calendar.Freeze) string {
			return either(len(freezes) == 0, "", "except during "+phrase.Count(len(freezes), "freeze"))
		},
	},
	field[bool]{
		name: "safeMode", label: "safe mode", at: func(p *Policy) *bool { return &p.SafeMode }, initial: true,
		check: anyValue[bool], text: onOff, widens: turnedOff,
		sentence: func(_ *Schedule, on bool) string { return either(on, "one machine first", "") },
	},
	field[[]Wave]{
		name: "waves", label: "waves", at: func(p *Policy) *[]Wave { return &p.Waves }, initial: nil,
		check: checkWaves, text: wavesText,
		widens:   func(_ change, was, is []Wave) bool { return widerWaves(was, is) },
		sentence: func(_ *Schedule, waves []Wave) string { return describeWaves(waves) },
	},
	field[float64]{
		name: "haltFailureShare", label: "halt at failed share", at: func(p *Policy) *float64 { return &p.HaltFailureShare }, initial: 0.20,
		check: func(_ *compiler, share float64) string {
			return either(isShare(share), "", "must be above 0 and at most 100 %, or 0 to switch the rule off")
		},
		text: func(share float64) string { return either(share == 0, "never", phrase.Percent(share)) }, widens: looserHalt[float64],
		sentence: func(s *Schedule, share float64) string {
			if share == 0 {
				return ""
			}
			return fmt.Sprintf("halted when %s of at least %s failed", phrase.Percent(share), phrase.Count(max(1, s.policy.HaltMinAttempts), "finished attempt"))
		},
	},
	field[int]{
		name: "haltMinAttempts", label: "finished attempts before a halt", at: func(p *Policy) *int { return &p.HaltMinAttempts }, initial: 5,
		check: func(_ *compiler, n int) string { return either(n >= 0, "", "must not be negative") },
		text:  strconv.Itoa, widens: looserHalt[int], sentence: partOfAnother[int],
	},
	field[int]{
		name: "maxAttempts", label: "failed attempts before quarantine", at: func(p *Policy) *int { return &p.MaxAttempts }, initial: 3,
		check: atLeastOne, text: strconv.Itoa, widens: more[int],
		sentence: func(_ *Schedule, n int) string {
			return "a machine is quarantined after " + phrase.Count(n, "failed attempt")
		},
	},
	field[OnDemand]{
		name: "onDemand", label: "updates requested at the machine", at: func(p *Policy) *OnDemand { return &p.OnDemand }, initial: OnDemandSameRules,
		check: func(_ *compiler, o OnDemand) string {
			return either(skipped(o) >= 0, "", "must be empty, \""+string(OnDemandSkipsPacing)+"\" or \""+string(OnDemandSkipsPacingAndWindows)+"\"")
		},
		text:   func(o OnDemand) string { return either(o == OnDemandSameRules, "same rules", onDemandText(o)) },
		widens: func(_ change, was, is OnDemand) bool { return skipped(is) > skipped(was) },
		sentence: func(_ *Schedule, o OnDemand) string {
			return either(o == OnDemandSameRules, "", "updates requested at the machine "+onDemandText(o))
		},
	},
	field[time.Duration]{
		name: "pollInterval", label: "poll interval", at: func(p *Policy) *time.Duration { return &p.PollInterval }, initial: 0,
		check: func(_ *compiler, d time.Duration) string {
			return either(d >= 0 && d%time.Second == 0, "", "must be whole seconds, or 0 to send none")
		},
		text:   func(d time.Duration) string { return either(d == 0, "not set", phrase.Lasting(d)) },
		widens: never[time.Duration], sentence: notDescribed[time.Duration],
	},
	field[int]{
		name: "rebootSlots", label: "reboot slots", at: func(p *Policy) *int { return &p.RebootSlots }, initial: 0,
		check: checkRebootSlots, text: func(n int) string { return either(n == 0, "none", strconv.Itoa(n)) },
		widens: more[int], sentence: describeReboots,
	},
	field[[]calendar.Window]{
		name: "rebootWindows", label: "reboot windows", at: func(p *Policy) *[]calendar.Window { return &p.RebootWindows }, initial: nil,
		check: checkRebootWindows, text: rebootWindowsText, widens: widerRebootWeek, sentence: partOfAnother[[]calendar.Window],
	},
	field[time.Duration]{
		name: "rebootOverdueAfter", label: "reboot slot overdue after", at: func(p *Policy) *time.Duration { return &p.RebootOverdueAfter }, initial: time.Hour,
		check: aboveZero, text: phrase.Lasting, widens: more[time.Duration], sentence: notDescribed[time.Duration],
	},
	field[time.Duration]{
		name: "rebootReleaseAfter", label: "overdue reboot slots released after", at: func(p *Policy) *time.Duration { return &p.RebootReleaseAfter }, initial: 0,
		check: checkRebootRelease, text: func(d time.Duration) string { return either(d == 0, "never", phrase.Lasting(d)) },
		widens: soonerRelease, sentence: notDescribed[time.Duration],
	},
	field[int]{
		name: "rebootOverdueLimit", label: "overdue machines that stop reboots", at: func(p *Policy) *int { return &p.RebootOverdueLimit }, initial: 1,
		check: atLeastOne, text: strconv.Itoa, widens: more[int], sentence: notDescribed[int],
	},
}

func either(condition bool, yes, no string) string {
	if condition {
		return yes
	}
	return no
}

// Checks.

func anyValue[T any](*compiler, T) string { return "" }

func atLeastOne(_ *compiler, n int) string { return either(n >= 1, "", "must be at least 1") }

func aboveZero(_ *compiler, d time.Duration) string {
	return either(d > 0, "", "must be longer than 0")
}

func checkUpdateTimeout(c *compiler, d time.Duration) string {
	if p := &c.policy; d > 0 && d < p.Lease() {
		c.warn("updateTimeout", "is shorter than the time between two polls, which may be %s and is used instead", phrase.Lasting(p.Lease()))
	}
	return aboveZero(c, d)
}

func checkLostAfter(c *compiler, d time.Duration) string {
	if polls := lostPolls * c.policy.LongestPoll(); d > 0 && d < polls {
		c.warn("lostAfter", "is shorter than %d polls, which may take %s: a machine that misses some is lost", lostPolls, phrase.Lasting(polls))
	}
	return either(d >= 0, "", "must not be negative; 0 means 3 polls")
}

// checkedWithTimezone is for the fields that checkCalendar checks together.
func checkedWithTimezone[T any](*compiler, T) string { return "" }

// isShare is false for NaN.
func isShare(f float64) bool { return f >= 0 && f <= 1 }

// Growth.

func never[T any](change, T, T) bool { return false }

func turnedOn(_ change, _, is bool) bool { return is }

func turnedOff(_ change, _, is bool) bool { return !is }

func more[T int | time.Duration](_ change, was, is T) bool { return is > was }

// faster compares the grants per second in the long run.
func faster[T any](c change, _, _ T) bool {
	pace := func(p *Policy) float64 { return float64(p.MaxUpdatesPerPeriod) / p.PeriodInterval.Seconds() }
	return pace(&c.to.policy) > pace(&c.from.policy)
}

func widerWeek[T any](c change, _, _ T) bool {
	return calendar.WeekWidens(&c.from.calendar, &c.to.calendar, c.now)
}

func looserHalt[T any](c change, _, _ T) bool {
	a, b := &c.from.policy, &c.to.policy
	switch {
	case a.HaltFailureShare == 0:
		return false
	case b.HaltFailureShare == 0:
		return true
	}
	return b.HaltFailureShare > a.HaltFailureShare || b.HaltMinAttempts > a.HaltMinAttempts
}

// Texts.

func notDescribed[T any](*Schedule, T) string { return "" }

// partOfAnother is for fields that the sentence of another field includes.
func partOfAnother[T any](*Schedule, T) string { return "" }

func onOff(on bool) string { return either(on, "on", "off") }

// skipped orders OnDemand by how many rules it skips, -1 for an unknown value.
func skipped(o OnDemand) int {
	switch o {
	case OnDemandSameRules:
		return 0
	case OnDemandSkipsPacing:
		return 1
	case OnDemandSkipsPacingAndWindows:
		return 2
	}
	return -1
}

func onDemandText(o OnDemand) string {
	return "skip waves" + either(o == OnDemandSkipsPacing, " and limits", ", limits and windows")
}

func windowsText(windows []calendar.Window) string {
	return join(windows, "always", " or ", func(_ int, w calendar.Window) string { return w.String() })
}

func freezesText(freezes []calendar.Freeze) string {
	return join(freezes, "none", ", ", func(_ int, f calendar.Freeze) string { return f.String() })
}

// join returns the texts of entries with a separator, or none if there are no
// entries.
func join[T any](entries []T, none, separator string, text func(int, T) string) string {
	if len(entries) == 0 {
		return none
	}
	parts := make([]string, len(entries))
	for i, e := range entries {
		parts[i] = text(i, e)
	}
	return strings.Join(parts, separator)
}
