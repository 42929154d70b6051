package server

import (
	"context"
	"runtime/debug"
	"testing"
)

func TestGarbageGathersUpToItsRoom(t *testing.T) {
	for _, c := range []struct {
		live, scanned uint64
		want          int
	}{
		{0, 0, mostGarbage},
		{8 << 20, 8 << 20, mostGarbage},
		{32 << 20, 32 << 20, 300},
		{128 << 20, 0, 50},
		{128 << 20, 64 << 20, 100},
		{1 << 30, 16 << 20, leastGarbage},
	} {
		if got := garbagePercent(c.live, c.scanned); got != c.want {
			t.Errorf("%d bytes live, %d looked at: %d %%, want %d %%", c.live, c.scanned, got, c.want)
		}
	}
}

func TestThePaceIsSetAtOnce(t *testing.T) {
	before := debug.SetGCPercent(77)
	defer debug.SetGCPercent(before)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	PaceGarbage(ctx)
	if set := debug.SetGCPercent(before); set == 77 || set < leastGarbage {
		t.Errorf("the pace is %d %%", set)
	}
}
