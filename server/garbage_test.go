package server

import (
	"context"
	"runtime/debug"
	"testing"
)

func TestGarbageGathersUpToItsRoom(t *testing.T) {
	for _, c := range []struct {
		live uint64
		want int
	}{
		{0, mostGarbage},
		{8 << 20, mostGarbage},
		{32 << 20, 200},
		{64 << 20, 100},
		{128 << 20, 50},
		{1 << 30, leastGarbage},
	} {
		if got := garbagePercent(c.live); got != c.want {
			t.Errorf("%d bytes live: %d %%, want %d %%", c.live, got, c.want)
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
