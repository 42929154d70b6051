package fleet_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/coreroller/coreroller/ent/db/instance"
	"github.com/coreroller/coreroller/fleet/checkin"
	"github.com/coreroller/coreroller/store/storetest"
)

// Several checks between two flushes are written once, with the time of the last.
func TestLastSeenIsWrittenInBatches(t *testing.T) {
	eachDatabase(t, func(t *testing.T, d *harness) {
		s := d.setup()
		seen := func(machine string) time.Time {
			t.Helper()
			return must(d.store.Reader().Instance.Query().Where(instance.MachineID(machine)).Only(d.ctx))(t).LastSeenAt
		}
		for _, m := range []string{"a", "b"} {
			d.check(s, m, "2.0.0")
		}
		first := d.clock()
		for range 3 {
			d.wait(time.Second)
			d.check(s, "a", "2.0.0")
		}
		if !seen("a").Equal(first) {
			t.Fatal("the check of an idle machine was written before the flush")
		}
		if n := must(d.Machines.FlushLastSeen(d.ctx))(t); n != 1 || !seen("a").Equal(d.clock()) || !seen("b").Equal(first) {
			t.Errorf("flushed %d, last seen: a %v, b %v; now %v", n, seen("a"), seen("b"), d.clock())
		}
		if n := must(d.Machines.FlushLastSeen(d.ctx))(t); n != 0 {
			t.Errorf("a second flush wrote %d machines", n)
		}
		d.wait(time.Second)
		d.check(s, "a", "2.0.0")
		if n := must(d.Machines.FlushLastSeen(d.ctx))(t); n != 1 || !seen("a").Equal(d.clock()) {
			t.Errorf("after another check: flushed %d, last seen: a %v", n, seen("a"))
		}
	})
}

// A check that is answered from the idle cache makes at most two allocations.
func TestAllocationsOfAnIdleCheck(t *testing.T) {
	const most = 2 // the machine for the engine, the key of the group
	d, in := idle(t)
	if n := testing.AllocsPerRun(1000, func() {
		if _, err := d.Machines.CheckIn(t.Context(), in); err != nil {
			t.Fatal(err)
		}
	}); n > most {
		t.Errorf("%.1f allocations, want at most %d", n, most)
	}
}

func BenchmarkIdleCheck(b *testing.B) {
	d, in := idle(b)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := d.Machines.CheckIn(b.Context(), in); err != nil {
			b.Fatal(err)
		}
	}
}

// idle returns a check-in of a machine in the idle cache.
func idle(t testing.TB) (*harness, checkin.CheckIn) {
	d := newHarness(t, storetest.SQLite(t))
	s := d.setup()
	alias, oem := "", "ami"
	in := checkin.CheckIn{AppID: "{" + s.app.ID.String() + "}", Track: "t", Machine: fmt.Sprintf("%032x", 1), Version: "2.0.0", Board: "amd64-usr",
		Attributes:  checkin.Attributes{Address: "192.0.2.1", Alias: &alias, OEM: &oem, OEMVersion: &alias, AlephVersion: &alias},
		UpdateCheck: true, Ping: true}
	must(d.Machines.CheckIn(t.Context(), in))(t)
	return d, in
}
