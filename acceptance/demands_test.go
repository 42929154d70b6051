package acceptance

import (
	"strings"
	"testing"

	"github.com/coreroller/coreroller/rollout"
)

// demanding sends the check of a machine with attributes of its updatecheck.
func (s *site) demanding(machine, version, attributes string) appAnswer {
	s.t.Helper()
	body := strings.Replace(document(s.checking(machine, version)), "<updatecheck>", "<updatecheck "+attributes+">", 1)
	a := s.post("/v1/update/", body)
	if a.code != 200 || len(a.Apps) != 1 || a.Apps[0].Check == nil {
		s.t.Fatalf("answered %d %s", a.code, a.body)
	}
	return a.Apps[0]
}

// answers checks the info of an answer without an offer, or the offered version.
func (s *site) answers(a appAnswer, want string) {
	s.t.Helper()
	if a.Status != "ok" || a.Check.Info+a.offered() != want {
		s.t.Errorf("answered %s, want %s", a, want)
	}
}

// held returns the number of machines of G that are counted below a reason.
func (s *site) held(reason rollout.Reason) (n int) {
	s.t.Helper()
	for _, h := range s.numbers().HeldByReason {
		if h.Reason == reason {
			n += h.Machines
		}
	}
	return n
}

func TestVersionPrefixOfTheMachineIsObeyed(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		s.answers(s.demanding("m", "1.0.0", `targetversionprefix="1."`), "outside_client_prefix")
		s.is("m", rollout.StateNone)
		s.inFlight(0)
		if n := s.held(rollout.ReasonOutsideClientPrefix); n != 1 {
			t.Errorf("%d machines are counted outside their prefix", n)
		}
		s.decisionContains("m", `"1."`, "2.0.0")

		// Answered from the idle cache, and not once the prefix changes.
		for range 3 {
			s.answers(s.demanding("m", "1.0.0", `targetversionprefix="1."`), "outside_client_prefix")
		}
		s.answers(s.demanding("m", "1.0.0", `targetversionprefix="1.0.*"`), "outside_client_prefix")
		s.decisionContains("m", `"1.0.*"`)
		s.answers(s.demanding("m", "1.0.0", `targetversionprefix="20"`), "outside_client_prefix")
		s.answers(s.demanding("m", "1.0.0", `targetversionprefix="2.0.*"`), "2.0.0")
		if n := s.held(rollout.ReasonOutsideClientPrefix); n != 0 {
			t.Errorf("%d machines are counted outside their prefix", n)
		}
		// The grant is withdrawn when the machine no longer accepts it.
		s.answers(s.demanding("m", "1.0.0", `targetversionprefix="1"`), "outside_client_prefix")
		s.inFlight(0)
		s.answers(s.check("m", "1.0.0"), "2.0.0")

		s.answers(s.demanding("n", "2.0.0", `targetversionprefix="1"`), "up_to_date")
		s.answers(s.demanding("n", "2.0.0", `targetversionprefix="1"`), "up_to_date")
	})
}

func TestMachineWithinItsPrefixGetsTheFloor(t *testing.T) {
	each(t, func(_ *testing.T, s *site) {
		s.floor("1.9.0", "boot loader")
		s.answers(s.demanding("m", "1.0.0", `targetversionprefix="1."`), "1.9.0")
		s.answers(s.demanding("m", "1.9.0", `targetversionprefix="1."`), "outside_client_prefix")
		s.answers(s.demanding("n", "1.0.0", `targetversionprefix="2."`), "outside_client_prefix")
	})
}

func TestDisabledMachineIsCountedApart(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		for range 3 { // the later ones come from the idle cache
			s.answers(s.demanding("m", "1.0.0", `updatedisabled="true"`), "disabled_by_client")
		}
		s.inFlight(0)
		if n := s.held(rollout.ReasonDisabledByClient); n != 1 {
			t.Errorf("%d machines are counted as disabled", n)
		}
		e, err := s.View.ExplainUpdate(s.ctx, s.instanceID("m"))
		s.ok(err)
		if e.Decision.Reason != rollout.ReasonDisabledByClient {
			t.Errorf("explained as %+v", e.Decision)
		}
		for _, step := range e.Steps {
			if step.Settled != (step.Reason == rollout.ReasonDisabledByClient) {
				t.Errorf("step %+v", step)
			}
		}
		s.pings("m", "1.0.0") // says nothing about updates
		if n := s.held(rollout.ReasonDisabledByClient); n != 1 {
			t.Errorf("%d machines are counted as disabled after a ping", n)
		}
		s.answers(s.demanding("m", "2.0.0", `updatedisabled="true"`), "up_to_date")
		s.answers(s.check("m", "1.0.0"), "2.0.0")
		e, err = s.View.ExplainUpdate(s.ctx, s.instanceID("m"))
		s.ok(err)
		if e.Decision.Reason != rollout.ReasonGranted {
			t.Errorf("explained as %+v", e.Decision)
		}
		if n := s.held(rollout.ReasonDisabledByClient); n != 0 {
			t.Errorf("%d machines are counted as disabled", n)
		}
	})
}

func TestExplanationKnowsThePrefix(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		s.answers(s.demanding("m", "1.0.0", `targetversionprefix="1.0"`), "outside_client_prefix")
		e, err := s.View.ExplainUpdate(s.ctx, s.instanceID("m"))
		s.ok(err)
		if e.Decision.Reason != rollout.ReasonOutsideClientPrefix || !strings.Contains(e.Decision.Detail(), `"1.0"`) {
			t.Errorf("explained as %+v", e.Decision)
		}
	})
}
