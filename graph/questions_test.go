package graph_test

import (
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/validator/rules"

	"github.com/coreroller/coreroller/fleet"
	"github.com/coreroller/coreroller/rollout/policy"
)

func TestExplainUpdate(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		for _, m := range []string{"m1", "m2", "m3"} {
			s.check(m, "1.0.0")
		}
		const document = `query($id: ID!) { explainUpdate(instanceId: $id) {
			instance { machineId } decision { reason sentence offeredVersion until } steps { rule outcome sentence until } } }`
		got := s.ana(t).get(document, vars{"id": s.instance("m3")})
		want(t, got, "instance.machineId", "m3", "decision.reason", "CONCURRENCY_LIMIT", "decision.offeredVersion", "", "steps.0.rule", "UP_TO_DATE", "steps.0.outcome", "PASSED")
		var outcomes []string
		for _, step := range got["steps"].([]any) {
			outcomes = append(outcomes, at(t, step, "outcome").(string))
		}
		if n := len(outcomes); outcomes[n-1] != "NOT_REACHED" || outcomes[n-2] != "WOULD_HOLD" || outcomes[n-3] != "DECIDED" {
			t.Errorf("outcomes %v", outcomes)
		}
		got = s.ana(t).get(document, vars{"id": s.instance("m1")})
		want(t, got, "decision.reason", "GRANTED", "decision.offeredVersion", "2.0.0")
	})
}

func TestPolicyPreview(t *testing.T) {
	s := oneSite(t)
	s.check("m1", "1.0.0")
	const document = `query($in: PolicyPreviewInput!) { policyPreview(input: $in) {
		userErrors { code field message } policy { maxConcurrentUpdates periodInterval } sentence warnings windows { from until } impact { machines eligible sentence } } }`
	got := s.ana(t).get(document, vars{"in": vars{"policy": vars{}}})
	want(t, got, "userErrors", []any{}, "policy.periodInterval", "PT1H", "windows", []any{}, "impact", nil, "warnings", []any{})
	got = s.ana(t).get(document, vars{"in": vars{"groupId": s.group, "policy": vars{
		"windows": []any{vars{"days": []any{"MONDAY"}, "start": "22:00", "end": "22:30"}}, "timezone": "Europe/Lisbon",
	}}})
	want(t, got, "userErrors", []any{}, "policy.maxConcurrentUpdates", 2, "impact.machines", 1, "impact.eligible", 1)
	if n := len(got["windows"].([]any)); n != 14 {
		t.Errorf("%d windows, want 14", n)
	}
	if n := len(got["warnings"].([]any)); n != 1 {
		t.Errorf("%d warnings, want 1 for a window shorter than the check interval", n)
	}
	got = s.ana(t).get(document, vars{"in": vars{"groupId": s.group, "policy": vars{"updateTimeout": "0 s", "timezone": "Mars"}}})
	want(t, got, "policy", nil, "sentence", "", "impact", nil, "userErrors.0.code", "INVALID")
	var fields []string
	for _, e := range got["userErrors"].([]any) {
		fields = append(fields, at(t, e, "field").(string))
	}
	for _, field := range []string{"policy.updateTimeout", "policy.timezone"} {
		if !slices.Contains(fields, field) {
			t.Errorf("fields %v lack %s", fields, field)
		}
	}
}

func TestPolicyPreviewListsChanges(t *testing.T) {
	s := oneSite(t)
	const document = `query($in: PolicyPreviewInput!) { policyPreview(input: $in) { changes loosens userErrors { field } } }`
	for _, c := range []struct {
		policy vars
		lines  []any
		grows  bool
	}{
		{vars{}, []any{}, false},
		{vars{"maxUpdatesPerPeriod": 5}, []any{"updates per period: 2 → 5"}, true},
		{vars{"maxUpdatesPerPeriod": 1, "officeHours": true}, []any{"updates per period: 2 → 1", "office hours only: off → on"}, false},
		{vars{"updateTimeout": "0 s"}, []any{}, false}, // not valid
	} {
		got := s.ana(t).get(document, vars{"in": vars{"groupId": s.group, "policy": c.policy}})
		want(t, got, "changes", c.lines, "loosens", c.grows)
	}
	want(t, s.ana(t).get(document, vars{"in": vars{"policy": vars{"maxUpdatesPerPeriod": 5}}}), "changes", []any{}, "loosens", false)
}

func TestCurrentHoldAndControlImpact(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		const group = `query($id: ID!) { group(id: $id) { state currentHold { reason sentence until } } }`
		const impact = `query($id: ID!, $c: GroupControl!) { controlImpact(groupId: $id, control: $c) { groups machines eligible eligibleNow projectedEnd sentence } }`
		want(t, s.ana(t).get(group, vars{"id": s.group}), "currentHold", nil)
		for _, m := range []string{"m1", "m2", "m3"} {
			s.check(m, "1.0.0")
		}
		want(t, s.ana(t).get(group, vars{"id": s.group}), "state", "ROLLING_OUT", "currentHold.reason", "CONCURRENCY_LIMIT",
			"currentHold.sentence", "2 of 2 updates are in flight", "currentHold.until", nil)
		want(t, s.ana(t).get(impact, vars{"id": s.group, "c": "PAUSE"}), "machines", 3, "eligibleNow", 0, "projectedEnd", nil,
			"sentence", "3 machines in 1 group; 2 offers are withdrawn, 0 updates under way finish, 1 machine waits")
		r := s.ana(t).ask(impact, vars{"id": s.group, "c": "ADVANCE"})
		if len(r.Errors) != 1 || r.Errors[0].Extensions.Code != "CONFLICT" || r.Errors[0].Extensions.Field != "groupId" {
			t.Errorf("advance without waves: %s %+v", r.Data, r.Errors)
		}
		s.must(second(s.PauseUpdates(s.ctx, fleet.PauseUpdates{GroupID: s.group, Reason: "holiday"})))
		want(t, s.ana(t).get(group, vars{"id": s.group}), "currentHold.reason", "PAUSED")
	})
}

func TestUpdatePath(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		floor := s.release("1.5.0")
		s.must(second(s.AddFloor(s.ctx, fleet.AddFloor{ChannelID: s.channel, PackageID: floor, Reason: "new disk layout"})))
		const document = `query($c: ID!, $v: String!) { updatePath(channelId: $c, fromVersion: $v) { steps { version channels { name } } reason sentence } }`
		want(t, s.ana(t).get(document, vars{"c": s.channel, "v": "1.0.0"}), "steps.0.version", "1.5.0", "steps.1.version", "2.0.0",
			"steps.1.channels.0.name", "stable", "reason", "GRANTED")
		want(t, s.ana(t).get(document, vars{"c": s.channel, "v": "2.0.0"}), "steps", []any{}, "reason", "UP_TO_DATE")
		r := s.ana(t).ask(document, vars{"c": s.channel, "v": "newest"})
		if len(r.Errors) != 1 || r.Errors[0].Extensions.Code != "INVALID" || r.Errors[0].Extensions.Field != "fromVersion" {
			t.Errorf("fromVersion \"newest\": %s %+v", r.Data, r.Errors)
		}
	})
}

func TestSimulationAndImpact(t *testing.T) {
	s := oneSite(t)
	for _, m := range []string{"m1", "m2", "m3", "m4"} {
		s.check(m, "1.0.0")
	}
	simulate := `query($in: SimulateRolloutInput!) { simulateRollout(input: $in) { projectedEnd finalState sentence scale times onTarget inFlight waiting failed halt { rule sentence } notUpdated { reason machines } } }`
	got := s.ana(t).get(simulate, vars{"in": vars{"groupId": s.group}})
	want(t, got, "finalState", "COMPLETED", "scale", 1, "notUpdated", []any{}, "halt", nil)
	times, onTarget := got["times"].([]any), got["onTarget"].([]any)
	if len(times) == 0 || len(times) != len(onTarget) || onTarget[len(onTarget)-1] != 4.0 {
		t.Errorf("%d times, on target %v", len(times), onTarget)
	}
	got = s.ana(t).get(simulate, vars{"in": vars{"groupId": s.group, "policy": vars{"safeMode": false, "periodInterval": "PT48H", "maxUpdatesPerPeriod": 1}}})
	moment := func(v any) time.Time {
		parsed, err := time.Parse(time.RFC3339, fmt.Sprint(v))
		if err != nil {
			t.Fatal(err)
		}
		return parsed.UTC()
	}
	end, all := moment(got["projectedEnd"]), slices.Index(got["onTarget"].([]any), 4.0)
	if before, at := moment(got["times"].([]any)[all-1]), moment(got["times"].([]any)[all]); !end.After(before) || end.After(at) {
		t.Errorf("ends at %s, but the fourth machine is on the target after %s and at %s", end, before, at)
	}
	want(t, got, "sentence", "the rollout would be done on "+end.Format("Monday 2 January 15:04 UTC"))
	got = s.ana(t).get(simulate, vars{"in": vars{"groupId": s.group, "failureShare": 1, "policy": vars{"haltFailureShare": 0.5, "haltMinAttempts": 2}}})
	want(t, got, "finalState", "HALTED", "halt.rule", "FAILURE_SHARE")
	r := s.ana(t).ask(simulate, vars{"in": vars{"groupId": s.group, "failureShare": 2}})
	if len(r.Errors) != 1 || r.Errors[0].Extensions.Field != "failureShare" {
		t.Errorf("failureShare 2: %s %+v", r.Data, r.Errors)
	}
	next := s.release("3.0.0")
	impact := s.ana(t).get(`query($c: ID!, $p: ID!) { promotionImpact(channelId: $c, packageId: $p) { groups machines eligible eligibleNow projectedEnd sentence } }`,
		vars{"c": s.channel, "p": next})
	want(t, impact, "groups", 1, "machines", 4, "eligible", 4)
	if r := s.ana(t).ask(`{ deletionImpact { groups } }`, nil); len(r.Errors) != 1 || r.Errors[0].Extensions.Code != "INVALID" {
		t.Errorf("impact without an id: %s %+v", r.Data, r.Errors)
	}
}

func TestNewPolicyMovesTheProjectedEndAtOnce(t *testing.T) {
	s := oneSite(t)
	for _, m := range []string{"m1", "m2", "m3", "m4"} {
		s.check(m, "1.0.0")
	}
	end := func() any {
		return at(t, s.ana(t).get(`query($id: ID!) { group(id: $id) { rollout { projectedEnd } } }`, vars{"id": s.group}), "rollout.projectedEnd")
	}
	first := end()
	if first == nil || end() != first {
		t.Fatalf("the end is %v, then %v", first, end())
	}
	for _, c := range []struct{ enabled, ends bool }{{false, false}, {true, true}} {
		want(t, s.ana(t).get(`mutation($in: UpdatePolicyInput!) { updatePolicy(input: $in) { userErrors { message } } }`,
			vars{"in": vars{"groupId": s.group, "policy": vars{"updatesEnabled": c.enabled}, "reason": "test"}}), "userErrors", []any{})
		if got := end(); (got != nil) != c.ends {
			t.Errorf("updates enabled %v: the end is %v", c.enabled, got)
		}
	}
}

func TestAttentionListsMostUrgentFirst(t *testing.T) {
	s := oneSite(t)
	policy := policy.Default() // safe mode
	group, err := s.CreateGroup(s.ctx, fleet.CreateGroup{ApplicationID: s.app, Name: "safe", ChannelID: &s.channel, Policy: &policy})
	must(s, group, err)
	s.must(second(s.HaltRollout(s.ctx, fleet.HaltRollout{GroupID: group.ID, Reason: "smoke"})))
	s.must(second(s.PauseUpdates(s.ctx, fleet.PauseUpdates{GroupID: s.group, Reason: "holiday"})))
	const document = `{ fleet { attention { kind severity since sentence group { name } application { name } } } }`
	got := s.ana(t).get(document, nil)
	want(t, got, "attention.0.kind", "HALTED", "attention.0.severity", "ERROR", "attention.0.group.name", "safe", "attention.0.application.name", "agent",
		"attention.1.kind", "DEFAULT_PASSWORD", "attention.1.group", nil)
	s.offset.Store(int64(25 * 3600 * 1e9))
	var kinds []string
	for _, a := range s.ana(t).get(document, nil)["attention"].([]any) {
		kinds = append(kinds, at(t, a, "kind").(string))
	}
	if !slices.Equal(kinds, []string{"HALTED", "PAUSED", "DEFAULT_PASSWORD"}) {
		t.Errorf("a day later: %v", kinds)
	}
}

func TestPlaygroundExamplesAreValid(t *testing.T) {
	source, err := os.ReadFile("../frontend/playground/examples.ts")
	if err != nil {
		t.Fatal(err)
	}
	documents := regexp.MustCompile("(?s)query: `(.*?)`").FindAllStringSubmatch(string(source), -1)
	if len(documents) < 4 {
		t.Fatalf("%d documents", len(documents))
	}
	for _, d := range documents {
		text := strings.ReplaceAll(d[1], "${welcome}", "")
		if _, err := gqlparser.LoadQueryWithRules(schema(), text, rules.NewDefaultRules()); err != nil {
			t.Errorf("%s\n%v", text, err)
		}
	}
}

func TestDocumentsOfTheManualAreValid(t *testing.T) {
	source, err := os.ReadFile("../docs/api.md")
	if err != nil {
		t.Fatal(err)
	}
	documents := regexp.MustCompile("(?s)```graphql\n(.*?)```").FindAllStringSubmatch(string(source), -1)
	if len(documents) < 4 {
		t.Fatalf("%d documents", len(documents))
	}
	for _, d := range documents {
		if _, err := gqlparser.LoadQueryWithRules(schema(), d[1], rules.NewDefaultRules()); err != nil {
			t.Errorf("%s\n%v", d[1], err)
		}
	}
}
