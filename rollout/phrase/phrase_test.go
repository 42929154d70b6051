package phrase

import (
	"testing"
	"time"
)

func TestDurationsAreShownInTheLargestUnitThatFits(t *testing.T) {
	for d, want := range map[time.Duration]string{
		time.Second: "1 second", 59 * time.Second: "59 seconds", time.Minute: "1 minute", 90 * time.Second: "90 seconds",
		time.Hour: "1 hour", 90 * time.Minute: "90 minutes", 24 * time.Hour: "1 day", 36 * time.Hour: "36 hours", 48 * time.Hour: "2 days",
		0: "0s", 1500 * time.Millisecond: "1.5s",
	} {
		if got := Lasting(d); got != want {
			t.Errorf("%d is %q, want %q", d, got, want)
		}
	}
}

func TestNumbersAreShownWithTheirNouns(t *testing.T) {
	for got, want := range map[string]string{
		Count(0, "machine"): "0 machines", Count(1, "machine"): "1 machine", Count(2, "machine"): "2 machines",
		Percent(0): "0 %", Percent(0.1 + 0.2): "30 %", Percent(0.12345): "12.35 %", Percent(1): "100 %",
		Every(time.Hour): "hour", Every(2 * time.Hour): "2 hours", Every(11 * time.Minute): "11 minutes",
	} {
		if got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

func TestListCountsWhatItLeavesOut(t *testing.T) {
	for n, want := range map[int]string{0: "", 1: "a", 5: "a, b, c, d, e", 7: "a, b, c, d, e, and 2 more"} {
		if got := List([]string{"a", "b", "c", "d", "e", "f", "g"}[:n], ", "); got != want {
			t.Errorf("%d: %q, want %q", n, got, want)
		}
	}
}
