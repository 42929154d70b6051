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
