package policy

import (
	"testing"
	"time"
)

var start = time.Date(2026, 3, 2, 10, 0, 0, 0, time.UTC)

func compile(t testing.TB, p Policy) *Schedule {
	t.Helper()
	s, problems := Compile(p)
	if s == nil {
		t.Fatalf("the policy is invalid: %v", problems)
	}
	return s
}

func TestTimesFollowTheRhythmOfPolls(t *testing.T) {
	for name, c := range map[string]struct {
		policy               Policy
		poll, lease, silence time.Duration
	}{
		"no interval":           {Policy{UpdateTimeout: time.Hour}, 50 * time.Minute, time.Hour, 150 * time.Minute},
		"no interval, patient":  {Policy{UpdateTimeout: 4 * time.Hour}, 50 * time.Minute, 4 * time.Hour, 4 * time.Hour},
		"interval":              {Policy{UpdateTimeout: time.Hour, PollInterval: 10 * time.Minute}, 15 * time.Minute, time.Hour, time.Hour},
		"interval above":        {Policy{UpdateTimeout: time.Hour, PollInterval: time.Hour}, 90 * time.Minute, 90 * time.Minute, 270 * time.Minute},
		"silence is set":        {Policy{UpdateTimeout: time.Hour, LostAfter: time.Minute}, 50 * time.Minute, time.Hour, time.Minute},
		"no interval, a minute": {Policy{UpdateTimeout: time.Minute}, 50 * time.Minute, time.Minute, 150 * time.Minute},
	} {
		p := c.policy
		if poll, lease, silence := p.LongestPoll(), p.Lease(), p.MaxSilence(); poll != c.poll || lease != c.lease || silence != c.silence {
			t.Errorf("%s: polls every %s, lease %s, silence %s", name, poll, lease, silence)
		}
	}
	p := Policy{EvidenceAge: time.Hour}
	if got := p.KnownBefore(start); !got.Equal(start.Add(-time.Hour)) {
		t.Errorf("known before %s", got)
	}
}

func TestFirstWaveOfACanary(t *testing.T) {
	p := Default()
	p.Waves = []Wave{{Canaries: []string{"a"}}, {Canaries: []string{"b", "a"}, Share: 0.5}, {Share: 1}}
	s := compile(t, p)
	for machine, want := range map[string]int{"a": 0, "b": 1, "c": -1} {
		wave, ok := s.FirstWave(machine)
		if ok != (want >= 0) || ok && wave != want {
			t.Errorf("%s is first in wave %d, %v", machine, wave, ok)
		}
	}
	if s.LastWave() != 2 || compile(t, Default()).LastWave() != -1 {
		t.Error("wrong last wave")
	}
	if s.Calendar() != &s.calendar || len(s.NextWindows(start, 2)) != 1 {
		t.Error("a policy without windows has one span without end")
	}
}

// Parts that are off are not part of the sentence.
func TestDescribeLeavesOutWhatIsOff(t *testing.T) {
	p := Default()
	p.SafeMode, p.HaltFailureShare, p.Waves = false, 0, nil
	if text := compile(t, p).Describe(); text != "At most 1 machine per hour and 1 at once, a machine is quarantined after 3 failed attempts." {
		t.Error(text)
	}
}
