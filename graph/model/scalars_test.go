package model

import (
	"bytes"
	"testing"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/google/uuid"

	"github.com/coreroller/coreroller/rollout"
	"github.com/coreroller/coreroller/rollout/policy"
)

func TestDurations(t *testing.T) {
	for text, want := range map[string]string{
		"PT15M": "PT15M", "pt1h30m": "PT1H30M", "P7D": "P7D", "P1W": "P7D", "P1DT12H": "P1DT12H", "PT0S": "PT0S", "PT0.5S": "PT0.5S", "PT90M": "PT1H30M",
		"15 minutes": "PT15M", "1 hour": "PT1H", "1 hour 30 minutes": "PT1H30M", "1h30m": "PT1H30M", "90 min": "PT1H30M", "1.5 h": "PT1H30M",
		"1 day": "P1D", "2 weeks": "P14D", "500 milliseconds": "PT0.5S", "00:15:00": "PT15M", "24:00:00": "P1D", " 5 s ": "PT5S", "1 hour, 5 minutes": "PT1H5M",
		"0 s": "PT0S", "1 d 1 us": "P1DT0.000001S",
		"abc": "", "": "", "15": "", "P": "", "PT": "", "P1Y": "", "P1M": "", "-PT5M": "", "-5 minutes": "", "1 month": "", "5 minutes ago": "",
		"00:61:00": "", "1e9 h": "", "99999999999999 hours": "", "P1DT": "", "NaN s": "",
	} {
		d, err := UnmarshalDuration(text)
		got := ""
		if err == nil {
			got = FormatDuration(d)
		}
		if got != want {
			t.Errorf("%q is read as %q (%v), want %q", text, got, err, want)
		}
	}
	if _, err := UnmarshalDuration(15); err == nil {
		t.Error("a number is no duration")
	}
}

// What is printed is read back as the same.
func FuzzDuration(f *testing.F) {
	f.Add("PT15M")
	f.Add("1 hour 30 minutes")
	f.Add("00:15:00.5")
	f.Fuzz(func(t *testing.T, text string) {
		d, err := ParseDuration(text)
		if err != nil {
			return
		}
		if d < 0 {
			t.Fatalf("%q is %v", text, d)
		}
		again, err := ParseDuration(FormatDuration(d))
		if off := again - d; err != nil || off > time.Microsecond || off < -time.Microsecond {
			t.Fatalf("%q is %v, printed %q, read %v (%v)", text, d, FormatDuration(d), again, err)
		}
	})
}

func written(m graphql.Marshaler) string {
	var b bytes.Buffer
	m.MarshalGQL(&b)
	return b.String()
}

func TestScalars(t *testing.T) {
	lisbon := time.FixedZone("", 3600)
	if got := written(MarshalTime(time.Date(2026, 11, 23, 15, 0, 0, 123456789, lisbon))); got != `"2026-11-23T14:00:00.123456Z"` {
		t.Errorf("time %s", got)
	}
	if got := written(MarshalTime(time.Time{})); got != "null" {
		t.Errorf("no time %s", got)
	}
	at, err := UnmarshalTime("2026-11-23T15:00:00+01:00")
	if err != nil || !at.Equal(time.Date(2026, 11, 23, 14, 0, 0, 0, time.UTC)) {
		t.Errorf("time %v %v", at, err)
	}
	for _, bad := range []any{"2026-11-23", "", 5, nil, "9999-12-31T23:59:59Z", "0001-01-01T00:00:00Z"} {
		if _, err := UnmarshalTime(bad); err == nil {
			t.Errorf("%v is no time", bad)
		}
	}
	for text, want := range map[string]int{"00:00": 0, "9:05": 545, "23:59": 1439, "24:00": 1440} {
		if got, err := UnmarshalTimeOfDay(text); err != nil || got != want {
			t.Errorf("%s is %d %v", text, got, err)
		}
	}
	for _, bad := range []any{"24:01", "12:60", "12", "+1:00", "-1:00", "1:1", "", 12, "12:00:00", "123:00"} {
		if _, err := UnmarshalTimeOfDay(bad); err == nil {
			t.Errorf("%v is no time of day", bad)
		}
	}
	if got := written(MarshalTimeOfDay(545)); got != `"09:05"` {
		t.Errorf("time of day %s", got)
	}
	id := uuid.New()
	if got, err := UnmarshalID(id.String()); err != nil || got != id {
		t.Errorf("id %v %v", got, err)
	}
	for _, bad := range []any{"", "{" + id.String() + "}", "urn:uuid:" + id.String(), 7, "zz"} {
		if _, err := UnmarshalID(bad); err == nil {
			t.Errorf("%v is no id", bad)
		}
	}
	for _, n := range []any{"3000000000", int64(3e9), float64(3e9)} {
		if got, err := UnmarshalBytes(n); err != nil || got != 3e9 {
			t.Errorf("%v is %d %v", n, got, err)
		}
	}
}

// Every value of the engine has a name of its own, read back as the same.
func TestEnumerations(t *testing.T) {
	for r := rollout.ReasonNone; r <= rollout.ReasonGranted; r++ {
		roundTrip(t, r, MarshalReason, UnmarshalReason)
	}
	for s := rollout.StateNone; s <= rollout.StateOnHold; s++ {
		roundTrip(t, s, MarshalInstanceState, UnmarshalInstanceState)
	}
	for s := rollout.StandingActive; s <= rollout.StandingQuarantined; s++ {
		roundTrip(t, s, MarshalStanding, UnmarshalStanding)
	}
	for s := rollout.RolloutActive; s <= rollout.RolloutSuperseded; s++ {
		roundTrip(t, s, MarshalRolloutState, UnmarshalRolloutState)
	}
	for o := rollout.OutcomeSucceeded; o <= rollout.OutcomeLost; o++ {
		roundTrip(t, o, MarshalOutcome, UnmarshalOutcome)
	}
	for k := rollout.ActivityPackageNotFound; k <= rollout.ActivityRebootSlotReleased; k++ {
		roundTrip(t, k, MarshalActivityKind, UnmarshalActivityKind)
	}
	for s := rollout.SeveritySuccess; s <= rollout.SeverityError; s++ {
		roundTrip(t, s, MarshalSeverity, UnmarshalSeverity)
	}
	for d := time.Sunday; d <= time.Saturday; d++ {
		roundTrip(t, d, MarshalWeekday, UnmarshalWeekday)
	}
	for _, k := range []rollout.OverrideKind{rollout.OverrideHold, rollout.OverridePin} {
		roundTrip(t, k, MarshalOverrideKind, UnmarshalOverrideKind)
	}
	for _, r := range []rollout.HaltRule{rollout.HaltSafeMode, rollout.HaltFailureShare, rollout.HaltCanary, rollout.HaltByPerson} {
		roundTrip(t, r, MarshalHaltRule, UnmarshalHaltRule)
	}
	for _, o := range []rollout.OnDemand{policy.OnDemandSameRules, policy.OnDemandSkipsPacing, policy.OnDemandSkipsPacingAndWindows} {
		roundTrip(t, o, MarshalOnDemand, UnmarshalOnDemand)
	}
	if _, err := UnmarshalInstanceState("BUSY"); err == nil {
		t.Error("BUSY is no state")
	}
}

func roundTrip[T comparable](t *testing.T, v T, write func(T) graphql.Marshaler, read func(any) (T, error)) {
	t.Helper()
	text := written(write(v))
	got, err := read(text[1 : len(text)-1])
	if err != nil || got != v {
		t.Errorf("%v is written %s and read %v (%v)", v, text, got, err)
	}
}
