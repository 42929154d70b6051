package acceptance

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/coreroller/coreroller/fleet"
	"github.com/coreroller/coreroller/fleet/catalog"
	"github.com/coreroller/coreroller/fleet/view"
	"github.com/coreroller/coreroller/fleet/view/machines"
	"github.com/coreroller/coreroller/rollout"
	"github.com/coreroller/coreroller/rollout/calendar"
	"github.com/coreroller/coreroller/store"
)

// notStored are the reasons of requests that leave no machine behind: there is nothing to
// list or to explain.
var notStored = []rollout.Reason{rollout.ReasonInvalidRequest, rollout.ReasonUnknownApplication, rollout.ReasonUnknownGroup}

// notReached is the reason that no configuration leads to: the service rejects a channel that
// points to a blacklisted package or has a blacklisted floor. The engine's scripts cover it.
const notReached = rollout.ReasonBlacklisted

// situation makes the next check of a machine m@1.0.0 end with one reason.
type situation struct {
	prepare func(s *site)
	demands string // attributes of the updatecheck
	version string // of m; "" = 1.0.0
}

var (
	early = calendar.Window{Days: []time.Weekday{time.Tuesday}, Start: 60, End: 300}
	waves = []rollout.Wave{{Canaries: []string{"canary"}, Soak: time.Hour, Approval: true}, {Share: 1}}
)

// situations has one situation for each reason.
func situations() map[rollout.Reason]situation {
	policy := func(change func(p *rollout.Policy)) situation {
		return situation{prepare: func(s *site) { s.policy(change) }}
	}
	succeeded := func(s *site) {
		s.policy(func(p *rollout.Policy) { p.Waves = waves })
		s.grants("canary", "1.0.0", "2.0.0")
		s.updates("canary", "1.0.0", "2.0.0")
	}
	return map[rollout.Reason]situation{
		rollout.ReasonUpToDate:            {version: "2.0.0"},
		rollout.ReasonOutsideClientPrefix: {demands: `targetversionprefix="1."`},
		rollout.ReasonDisabledByClient:    {demands: `updatedisabled="true"`},
		rollout.ReasonNotEnrolled:         {prepare: func(s *site) { s.policy(func(p *rollout.Policy) { p.EnrolledOnly = true }) }},
		rollout.ReasonQuarantined: {prepare: func(s *site) {
			s.grants("m", "1.0.0", "2.0.0")
			s.reports("m", "1.0.0", "3/0 44")
		}},
		rollout.ReasonPinned: {prepare: func(s *site) {
			s.holds("m", "2.0.0", "up_to_date")
			_, err := s.PinInstance(s.ctx, fleet.PinInstance{ID: s.instanceID("m"), Version: "1.0.0", Reason: "a test bench"})
			s.ok(err)
		}},
		rollout.ReasonHeld: {prepare: func(s *site) {
			s.holds("m", "2.0.0", "up_to_date")
			_, err := s.HoldInstance(s.ctx, fleet.HoldInstance{ID: s.instanceID("m"), Reason: "a test bench"})
			s.ok(err)
		}},
		rollout.ReasonNoPackage: {prepare: func(s *site) {
			_, err := s.PromotePackage(s.ctx, fleet.PromotePackage{ChannelID: s.channel})
			s.ok(err)
		}},
		rollout.ReasonUpdateInProgress: {prepare: func(s *site) {
			s.grants("m", "1.0.0", "2.0.0")
			s.reports("m", "1.0.0", "13/1")
		}},
		rollout.ReasonPaused:        {prepare: func(s *site) { s.pause("a holiday") }},
		rollout.ReasonHalted:        {prepare: func(s *site) { s.halt("smoke") }},
		rollout.ReasonOutsideWindow: policy(func(p *rollout.Policy) { p.Windows = []calendar.Window{early} }),
		rollout.ReasonFrozen: policy(func(p *rollout.Policy) {
			p.Freezes = []calendar.Freeze{{From: begin.Add(-time.Hour), Until: begin.Add(9 * time.Hour), Reason: "an audit"}}
		}),
		rollout.ReasonWaveNotReached:     policy(func(p *rollout.Policy) { p.Waves = waves }),
		rollout.ReasonSoaking:            {prepare: succeeded},
		rollout.ReasonWaitingForApproval: {prepare: func(s *site) { succeeded(s); s.advance(time.Hour) }},
		rollout.ReasonSafeModeFirst: {prepare: func(s *site) {
			s.policy(func(p *rollout.Policy) { p.SafeMode = true })
			s.grants("first", "1.0.0", "2.0.0")
		}},
		rollout.ReasonNewcomerWaits: {prepare: func(s *site) {
			s.check("known", "2.0.0")
			s.advance(48 * time.Hour)
			s.check("known", "2.0.0")
			s.promote("3.0.0")
		}},
		rollout.ReasonConcurrencyLimit: {prepare: func(s *site) {
			s.policy(func(p *rollout.Policy) { p.MaxConcurrentUpdates = 1 })
			s.grants("other", "1.0.0", "2.0.0")
		}},
		rollout.ReasonPeriodLimit: {prepare: func(s *site) {
			s.policy(func(p *rollout.Policy) { p.MaxUpdatesPerPeriod = 1 })
			s.grants("other", "1.0.0", "2.0.0")
			s.updates("other", "1.0.0", "2.0.0")
		}},
		rollout.ReasonGranted: {},
	}
}

// Every reason has one sentence, which is the same in the answer, the list of machines, the
// explanation and, if it makes machines wait, on the page of the group.
func TestEveryReasonHasTheSameSentenceEverywhere(t *testing.T) {
	all := situations()
	named := map[string]rollout.Reason{}
	for r := rollout.ReasonNone + 1; r.String() != ""; r++ {
		skipped := r == notReached || slices.Contains(notStored, r)
		if _, ok := all[r]; ok == skipped {
			t.Errorf("%s has no situation, or needs none", r)
		}
		if text := (rollout.Decision{Reason: r}).Detail(); !strings.Contains(text, " ") {
			t.Errorf("%s has no sentence: %q", r, text)
		}
		if !skipped {
			named[r.String()] = r
		}
	}
	variants(t, named, func(t *testing.T, s *site, want rollout.Reason) {
		now := all[want]
		if now.prepare != nil {
			now.prepare(s)
		}
		if now.version == "" {
			now.version = "1.0.0"
		}
		info := want.String()
		if want == rollout.ReasonGranted {
			info = "2.0.0"
		}
		s.answers(s.demanding("m", now.version, now.demands), info)

		m := s.instance("m")
		if m.Reason != want.String() || !strings.Contains(m.Decision, " ") {
			t.Errorf("listed with %s: %q", m.Reason, m.Decision)
		}
		why, err := s.View.ExplainUpdate(s.ctx, m.ID)
		s.ok(err)
		sentence := why.Decision.Detail()
		if want == rollout.ReasonGranted { // the same offer again
			sentence = strings.Replace(sentence, "was granted and is offered again", "is granted", 1)
		}
		if why.Decision.Reason != want || sentence != m.Decision {
			t.Errorf("explained with %s: %q, the machine was answered %q", why.Decision.Reason, sentence, m.Decision)
		}
		for _, step := range why.Steps {
			if step.Settled && (step.Reason != want || want != rollout.ReasonGranted && !strings.Contains(step.Text, m.Decision)) {
				t.Errorf("settled by %s: %q", step.Reason, step.Text)
			}
		}
		held, hold := s.held(want), s.hold()
		next := want.Waits() && want != rollout.ReasonNewcomerWaits // a known machine is next, and would be granted
		if (held == 1) != want.Waits() || (hold != nil) != next {
			t.Fatalf("%d machines are counted as held, and the group waits for %+v", held, hold)
		}
		if hold == nil {
			return
		}
		shown := strings.ReplaceAll(m.Decision, "the machine accepts only versions that begin with \"1.\"; the next version is 2.0.0", "the machines that are left do not accept the next version")
		shown = strings.ReplaceAll(shown, "the group updates only enrolled machines, and this one is not", "the machines that are left are not enrolled")
		shown = strings.ReplaceAll(shown, "disabled on the machine", "disabled on the machines that are left")
		if want == rollout.ReasonWaveNotReached { // about this machine; the group's sentence is about its gate
			shown = "wave 1 of 2 reaches 1 listed machine; its gate waits: 0 of 1 update finished"
		}
		if hold.Reason != want || hold.Sentence != shown {
			t.Errorf("the group waits for %s: %q, want %q", hold.Reason, hold.Sentence, shown)
		}
	})
}

// A machine of a later wave is shown its wave. The soak time of the open wave is that of the
// machines of the next one.
func TestSoakIsShownOnlyToTheNextWave(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		s.grants("canary", "1.0.0", "2.0.0")
		s.updates("canary", "1.0.0", "2.0.0")
		s.holds("next", "1.0.0", "soaking")
		s.holds("later", "1.0.0", "wave_not_reached")
		s.decisionContains("next", "wave 1 of 3 soaks until 2026-03-02 11:00:00 UTC, then the next wave opens")
		s.decisionContains("later", "wave 1 of 3 has only machines of its list or expression, this machine is in wave 3")
		if m := s.instance("later"); m.DecisionUntil != nil {
			t.Errorf("the answer of a later wave can change at %s", m.DecisionUntil)
		}
		why, err := s.View.ExplainUpdate(s.ctx, s.instanceID("later"))
		s.ok(err)
		for _, step := range why.Steps {
			if strings.Contains(step.Text, "soaks") {
				t.Errorf("%s says %q", step.Reason, step.Text)
			}
		}
		if n := s.held(rollout.ReasonSoaking); n != 1 {
			t.Errorf("%d machines are counted as soaking", n)
		}
	}, withPolicy(func(p *rollout.Policy) {
		p.Waves = []rollout.Wave{{Canaries: []string{"canary"}, Soak: time.Hour}, {Canaries: []string{"next"}, Soak: 2 * time.Hour}, {Share: 1}}
	}))
}

// invalidPolicy makes the stored policy of G invalid, as a system update does that removes a
// time zone. Updates are off then, while the rollout is active.
func (s *site) invalidPolicy() {
	s.t.Helper()
	p := s.policyOf()
	p.Timezone = "Moon/Tycho"
	s.ok(s.store.Write(s.ctx, s.clock.Now(), func(tx *store.Tx) error {
		return tx.Client().Group.UpdateOneID(s.group).SetPolicy(p).Exec(s.ctx)
	}))
	_, err := s.UpdateApplication(s.ctx, fleet.UpdateApplication{ID: s.app, Description: new("reads the policy again")})
	s.ok(err)
	s.rolloutIs(rollout.RolloutActive)
}

// A grant that the machine has not begun is void once the group stops or its lease expires:
// it is no longer counted, listed or explained as granted.
func TestVoidGrantIsNotGranted(t *testing.T) {
	variants(t, map[string]struct {
		change func(s *site)
		reason rollout.Reason
		counts bool // the counters know
	}{
		"paused":     {func(s *site) { s.pause("a holiday") }, rollout.ReasonPaused, true},
		"halted":     {func(s *site) { s.halt("smoke") }, rollout.ReasonHalted, true},
		"resumed":    {func(s *site) { s.pause("a holiday"); s.resume("over") }, rollout.ReasonGranted, false},
		"retargeted": {func(s *site) { s.promote("3.0.0") }, rollout.ReasonGranted, false},
		"invalid":    {(*site).invalidPolicy, rollout.ReasonPaused, true},
		"expired":    {func(s *site) { s.advance(50 * time.Minute); s.work() }, rollout.ReasonGranted, true},
	}, func(t *testing.T, s *site, v struct {
		change func(s *site)
		reason rollout.Reason
		counts bool
	}) {
		s.grants("begun", "1.0.0", "2.0.0")
		s.grants("idle", "1.0.0", "2.0.0")
		s.reports("begun", "1.0.0", "13/1")
		if n := s.numbers(); n.InFlight != 2 || n.Waiting != 0 {
			t.Fatalf("%d in flight, %d waiting before", n.InFlight, n.Waiting)
		}
		s.advance(15 * time.Minute) // the next period
		s.reports("begun", "1.0.0", "14/1")
		v.change(s)
		void := func(machine string) bool {
			m := s.instance(machine)
			return m.GrantedAt == nil || view.GrantVoid(m, s.Catalog().Group(s.group), s.rolloutOf(s.group), s.clock.Now())
		}
		if void("begun") || !void("idle") {
			t.Errorf("the grant of begun is void: %v, of idle: %v", void("begun"), void("idle"))
		}
		why, err := s.View.ExplainUpdate(s.ctx, s.instanceID("idle"))
		s.ok(err)
		if d := why.Decision; d.Reason != v.reason || d.Again {
			t.Errorf("explained with %+v", d)
		}
		if !v.counts {
			return
		}
		in := func(part catalog.Part) (ids []string) {
			rows, err := s.View.Machines(s.ctx, machines.List{Filter: machines.Filter{Group: &s.group, CountedAs: []catalog.Part{part}}, Limit: 9}, nil)
			s.ok(err)
			for _, row := range rows {
				ids = append(ids, row.MachineID)
			}
			return ids
		}
		if flying := in(catalog.PartInFlight); s.numbers().InFlight != 1 || !slices.Equal(flying, []string{"begun"}) {
			t.Errorf("%d in flight, listed %v", s.numbers().InFlight, flying)
		}
		if rest := append(in(catalog.PartWaiting), in(catalog.PartFailed)...); s.numbers().Waiting+s.numbers().Failed != 1 || !slices.Equal(rest, []string{"idle"}) {
			t.Errorf("%d waiting, %d failed, listed %v", s.numbers().Waiting, s.numbers().Failed, rest)
		}
	})
}
