package rollout

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/coreroller/coreroller/rollout/calendar"
	"github.com/coreroller/coreroller/rollout/phrase"
	"github.com/coreroller/coreroller/rollout/policy"
)

func itoa(n int) string { return strconv.Itoa(n) }

// script is one world of a script file.
type script struct{ *rig }

// command runs one line and returns what it prints.
//
//	policy KEY=VALUE…         change the policy (initially that of the acceptance cases)
//	target VERSION            point the channel there; "none"; floors=A,B recalled=A,B blacklisted
//	reboots off               packages that need no reboot
//	at TIME, wait DURATION    set the clock; wait also does the worker's work
//	later DURATION            advance the clock without the worker
//	check M@VERSION EVENT…    events, ping, update check; "ondemand", "disabled", "prefix=1.2" and "session=x" may be among the events
//	event M@VERSION EVENT…    events only; T/R, T/R:code or 3/2=previousversion
//	ping M@VERSION
//	checks N M@VERSION        N machines M0, M1 … check; answers are counted
//	pause, resume, halt, wave, approve, hold M, pin M VERSION, release M, leave M
//	machine M, group
//	explain M DEMAND…         the rules for a check; "disabled" and "prefix=1.2" as for check
func (s *script) command(line string) string {
	s.t.Helper()
	parts := strings.Fields(line)
	verb, args := parts[0], parts[1:]
	s.fx = Effects{}
	var answer string
	switch verb {
	case "policy":
		answer = s.policyCommand(args)
	case "target":
		s.targetCommand(args)
	case "reboots":
		s.w.Reboots = args[0] == "on"
	case "at":
		at, err := time.Parse("2006-01-02T15:04Z07:00", args[0])
		s.must(err)
		s.now = at
	case "wait":
		s.wait(s.duration(args[0]))
	case "later":
		s.now = s.now.Add(s.duration(args[0]))
	case "check", "event", "ping":
		answer = s.requestCommand(verb, args)
	case "checks":
		answer = s.checksCommand(args)
	case "machine":
		answer = s.machineText(args[0])
	case "group":
		answer = s.groupText()
	case "explain":
		answer = s.explainText(args[0], args[1:])
	default:
		answer = s.operatorCommand(verb, args)
	}
	s.sound()
	return answer + s.effects()
}

func (s *script) must(err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
	}
}

func (s *script) duration(text string) time.Duration {
	s.t.Helper()
	d, err := time.ParseDuration(text)
	s.must(err)
	return d
}

func (s *script) operatorCommand(verb string, args []string) string {
	because := strings.Join(args, " ")
	switch verb {
	case "pause":
		s.policy.UpdatesEnabled = false
		s.w.Policy = compile(s.t, s.policy)
		s.w.PauseUpdates(Pause{By: "ada", Reason: because, At: s.now}, &s.fx)
	case "resume":
		s.policy.UpdatesEnabled = true
		s.w.Policy = compile(s.t, s.policy)
		s.w.ResumeUpdates("ada", because, s.now, &s.fx)
	case "halt":
		s.w.HaltRollout("ada", because, s.now, &s.fx)
	case "wave":
		if !s.w.NextWave("ada", because, s.now, &s.fx) {
			return "no next wave\n"
		}
	case "approve":
		if !s.w.ApproveWave(s.now, &s.fx) {
			return "nothing to approve\n"
		}
	case "hold":
		s.w.Hold(s.machines[args[0]], Override{Kind: OverrideHold, By: "ada", Reason: strings.Join(args[1:], " ")}, s.now, &s.fx)
	case "pin":
		s.w.Hold(s.machines[args[0]], Override{Kind: OverridePin, Version: mustVersion(s.t, args[1]), By: "ada"}, s.now, &s.fx)
	case "enroll":
		s.w.Enroll(s.machines[args[0]], "ada", "", &s.fx)
	case "release":
		s.w.Release(s.machines[args[0]], "ada", s.now, &s.fx)
	case "leave":
		m := s.machines[args[0]]
		s.w.Abandon(m, s.now, &s.fx)
		s.w.Leave(m)
		delete(s.machines, args[0])
		s.order = slices.DeleteFunc(s.order, func(id string) bool { return id == args[0] })
	default:
		s.t.Fatalf("unknown command %q", verb)
	}
	return ""
}

func (s *script) policyCommand(args []string) string {
	p := s.policy
	for _, arg := range args {
		key, value, _ := strings.Cut(arg, "=")
		s.policyKey(&p, key, value)
	}
	_, problems := policy.Compile(p)
	var out strings.Builder
	for _, problem := range problems {
		fmt.Fprintf(&out, "%s: %s\n", problem.Field, problem.Message)
	}
	if slices.ContainsFunc(problems, func(p policy.Problem) bool { return !p.Warning }) {
		return out.String()
	}
	s.setPolicy(p)
	return out.String() + s.w.Policy.Describe() + "\n"
}

func (s *script) policyKey(p *Policy, key, value string) {
	s.t.Helper()
	number := func() int { n, err := strconv.Atoi(value); s.must(err); return n }
	share := func(text string) float64 {
		f, err := strconv.ParseFloat(strings.TrimSuffix(text, "%"), 64)
		s.must(err)
		return f / 100
	}
	switch key {
	case "max":
		p.MaxUpdatesPerPeriod = number()
	case "period":
		p.PeriodInterval = s.duration(value)
	case "concurrent":
		p.MaxConcurrentUpdates = number()
	case "lease":
		p.UpdateTimeout = s.duration(value)
	case "reboot":
		p.RebootTimeout = s.duration(value)
	case "enrolled":
		p.EnrolledOnly = value == "only"
	case "safe":
		p.SafeMode = value == "on"
	case "zone":
		p.Timezone = value
	case "office":
		p.OfficeHours = value == "on"
	case "window": // Mon,Tue/09:00-17:00
		p.Windows = append(slices.Clone(p.Windows), s.window(value))
	case "freeze": // FROM/UNTIL/reason
		parts := strings.SplitN(value, "/", 3)
		from, err := time.Parse("2006-01-02T15:04Z", parts[0])
		s.must(err)
		until, err := time.Parse("2006-01-02T15:04Z", parts[1])
		s.must(err)
		p.Freezes = append(slices.Clone(p.Freezes), calendar.Freeze{From: from, Until: until, Reason: parts[2]})
	case "wave": // 10%,canaries:a:b,soak:1h,finished:5,success:90%,approval
		p.Waves = append(slices.Clone(p.Waves), s.waveOf(value, share))
	case "waves":
		p.Waves = nil
	case "fail": // 20%of5
		limit, attempts, _ := strings.Cut(value, "of")
		p.HaltFailureShare = share(limit)
		n, err := strconv.Atoi(attempts)
		s.must(err)
		p.HaltMinAttempts = n
	case "attempts":
		p.MaxAttempts = number()
	case "ondemand":
		p.OnDemand = OnDemand(value)
	default:
		s.t.Fatalf("unknown policy key %q", key)
	}
}

func (s *script) window(text string) calendar.Window {
	s.t.Helper()
	days, hours, _ := strings.Cut(text, "/")
	var w calendar.Window
	for day := range strings.SplitSeq(days, ",") {
		i := strings.Index("SunMonTueWedThuFriSat", day)
		w.Days = append(w.Days, time.Weekday(i/3))
	}
	_, err := fmt.Sscanf(hours, "%d:%d-%d:%d", new(int), new(int), new(int), new(int))
	s.must(err)
	var h1, m1, h2, m2 int
	fmt.Sscanf(hours, "%d:%d-%d:%d", &h1, &m1, &h2, &m2) //nolint:errcheck // read above
	w.Start, w.End = h1*60+m1, h2*60+m2
	return w
}

func (s *script) waveOf(text string, share func(string) float64) Wave {
	var w Wave
	for part := range strings.SplitSeq(text, ",") {
		key, value, _ := strings.Cut(part, ":")
		switch key {
		case "canaries":
			w.Canaries = strings.Split(value, ":")
		case "expression":
			w.Expression = "machine in ['" + strings.ReplaceAll(value, ":", "', '") + "']"
		case "soak":
			w.Soak = s.duration(value)
		case "finished":
			n, err := strconv.Atoi(value)
			s.must(err)
			w.MinFinished = n
		case "success":
			w.MinSuccessShare = share(value)
		case "approval":
			w.Approval = true
		default:
			w.Share = share(part)
		}
	}
	return w
}

func (s *script) targetCommand(args []string) {
	var aim Aim
	if args[0] != "none" {
		aim.Target = pack(s.t, args[0])
	}
	for _, arg := range args[1:] {
		key, list, _ := strings.Cut(arg, "=")
		for v := range strings.SplitSeq(list, ",") {
			switch key {
			case "floors":
				aim.Floors = append(aim.Floors, pack(s.t, v))
			case "recalled":
				aim.Recalled = append(aim.Recalled, mustVersion(s.t, v))
			case "blacklisted":
				aim.Target.Blacklisted = true
			}
		}
	}
	old := s.retarget(aim)
	if old.ID != (ID{}) && !slices.Contains([]RolloutState{RolloutCompleted, RolloutSuperseded}, old.State) {
		s.t.Fatalf("the old rollout is left in state %d", old.State)
	}
}

func (s *script) requestCommand(verb string, args []string) string {
	id, version, _ := strings.Cut(args[0], "@")
	r := request{version: version, check: verb == "check", ping: verb != "event"}
	for _, arg := range args[1:] {
		if arg == "ondemand" {
			r.demands.OnDemand = true
			continue
		}
		if arg == "disabled" {
			r.demands.Disabled = true
			continue
		}
		if prefix, ok := strings.CutPrefix(arg, "prefix="); ok {
			r.demands.Prefix = prefix
			continue
		}
		if session, ok := strings.CutPrefix(arg, "session="); ok {
			r.demands.Session = session
			continue
		}
		var e Event
		spec, code, _ := strings.Cut(arg, ":")
		e.Code = ReduceCode(code)
		spec, e.PreviousVersion, e.HasPrevious = strings.Cut(spec, "=")
		_, err := fmt.Sscanf(spec, "%d/%d", &e.Type, &e.Result)
		s.must(err)
		r.events = append(r.events, e)
	}
	d := s.request(id, r)
	if !r.check {
		return ""
	}
	return answerText(d)
}

func answerText(d Decision) string {
	again := ""
	if d.Again {
		again = " again"
	}
	return fmt.Sprintf("%s%s: %s\n", d.Reason, again, d.Detail())
}

func (s *script) checksCommand(args []string) string {
	n, err := strconv.Atoi(args[0])
	s.must(err)
	prefix, version, _ := strings.Cut(args[1], "@")
	counts := map[Reason]int{}
	var all Effects
	for i := range n {
		d := s.check(prefix+itoa(i), version)
		counts[d.Reason]++
		all.Activities = append(all.Activities, s.fx.Activities...)
	}
	s.fx = all
	var out strings.Builder
	for r := range reasonCount {
		if counts[r] > 0 {
			fmt.Fprintf(&out, "%d × %s\n", counts[r], r)
		}
	}
	return out.String()
}

// effects prints activities and history of the last command.
func (s *script) effects() string {
	var out strings.Builder
	for _, e := range s.fx.History {
		detail := e.Detail
		if e.Reason != ReasonNone {
			detail = e.Reason.String() + ", " + detail
		}
		fmt.Fprintf(&out, "  %s %s %s%s\n", e.Machine, stateText(e.State), cmp.Or(e.Version, "-"), after(": ", detail))
	}
	for _, a := range s.fx.Activities {
		fmt.Fprintf(&out, "  activity %d (%s)%s: %s\n", a.Kind, severityText(a.Severity), after(" ", a.Machine), a.Detail)
	}
	return out.String()
}

func after(separator, text string) string {
	if text == "" {
		return ""
	}
	return separator + text
}

func stateText(s State) string {
	return [...]string{"none", "undefined", "granted", "error", "complete", "installed", "downloaded", "downloading", "on hold"}[s]
}

func severityText(s Severity) string {
	return [...]string{"", "success", "info", "warning", "error"}[s]
}

func (s *script) machineText(id string) string {
	m := s.machines[id]
	out := fmt.Sprintf("%s runs %s, %s, %s", id, orNone(m.Version), stateText(m.State),
		[...]string{"active", "silent", "overridden", "quarantined"}[m.Standing])
	if a := m.Attempt; a.Open() {
		out += fmt.Sprintf(", attempt %d at %s until %s", a.Number, a.Version, a.LeaseUntil.Format("15:04"))
	}
	if m.Failures > 0 {
		out += fmt.Sprintf(", %s at %s", phrase.Count(m.Failures, "failure"), m.FailedVersion)
	}
	return out + "\n"
}

func (s *script) groupText() string {
	r := &s.w.Rollout
	state := [...]string{"active", "paused", "halted", "completed", "superseded"}[r.State]
	e := r.Evidence
	builds := ""
	if n := s.w.Census.OtherBuild; n > 0 {
		builds = fmt.Sprintf(", another build %d", n)
	}
	return fmt.Sprintf("%s to %s, wave %d, in flight %d, behind %d, on target %d%s, evidence %d granted %d succeeded %d failed %d released\n",
		state, orNone(r.Version), r.Wave+1, s.w.Ledger.InFlight, s.w.Census.Behind, s.w.Census.OnTarget, builds,
		e.Granted, e.Succeeded, e.Failed, e.Released)
}

func (s *script) explainText(id string, demands []string) string {
	var out strings.Builder
	var c Check
	for _, demand := range demands {
		c.Disabled = c.Disabled || demand == "disabled"
		if prefix, ok := strings.CutPrefix(demand, "prefix="); ok {
			c.Prefix = prefix
		}
	}
	for _, r := range Explain(&s.w, s.machines[id], c, s.now) {
		mark := "✗"
		if r.Passed {
			mark = "✓"
		}
		if r.Settled {
			mark += " →"
		}
		fmt.Fprintf(&out, "%s %s: %s\n", mark, r.Reason, r.Text)
	}
	return out.String()
}
