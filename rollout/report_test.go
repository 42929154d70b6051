package rollout

import "testing"

// Codes about the update check say nothing about the package: the attempt goes on.
func TestCodesOfTheUpdateCheckEndNoAttempt(t *testing.T) {
	for code, goesOn := range map[int]bool{
		0: false, 29: false, 30: true, 31: true, 32: false, 33: false, 34: true, 35: true, 36: true, 37: true, 38: false, 40: true, 41: false,
		1000: false, 1999: false, 2000: true, 2001: true, 2404: true, 2999: true, 3000: false, 9999: false,
	} {
		g := newRig(t, acceptancePolicy())
		g.target("2.0.0")
		g.check("m", "1.0.0")
		g.event("m", "1.0.0", 3, 0, code)
		if m := g.machines["m"]; m.Attempt.Open() != goesOn || goesOn != (m.State == StateGranted) {
			t.Errorf("after code %d the attempt is open: %v, state %d", code, m.Attempt.Open(), m.State)
		}
	}
}

func TestFailedChecksAreErrorsOfTheUpdateCheck(t *testing.T) {
	for e, want := range map[Event]bool{
		{Type: 3, Result: 0, Code: 2503}:  true,
		{Type: 3, Result: 0, Code: 37}:    true,
		{Type: 3, Result: 0, Code: 9}:     false, // the package
		{Type: 3, Result: 1, Code: 2503}:  false, // no error
		{Type: 3, Result: 9, Code: 40}:    false, // put off
		{Type: 13, Result: 0, Code: 2503}: false,
	} {
		if e.CheckFailed() != want {
			t.Errorf("%+v is a failed check: %v", e, !want)
		}
	}
}
