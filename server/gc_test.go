package server

import (
	"context"
	"runtime/debug"
	"testing"
)

func TestGCPercentFollowsTheLiveHeapWithinItsBounds(t *testing.T) {
	for _, c := range []struct {
		live, scanned uint64
		want          int
	}{
		{0, 0, maxGCPercent},
		{8 << 20, 8 << 20, maxGCPercent},
		{32 << 20, 32 << 20, 300},
		{128 << 20, 0, 50},
		{128 << 20, 64 << 20, 100},
		{1 << 30, 16 << 20, minGCPercent},
	} {
		if got := gcPercent(c.live, c.scanned); got != c.want {
			t.Errorf("%d bytes live, %d scanned: GOGC is %d, want %d", c.live, c.scanned, got, c.want)
		}
	}
}

func TestTuneGCAdjustsAtOnce(t *testing.T) {
	before := debug.SetGCPercent(77)
	defer debug.SetGCPercent(before)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	TuneGC(ctx)
	if got := debug.SetGCPercent(before); got == 77 || got < minGCPercent {
		t.Errorf("GOGC is %d", got)
	}
}
