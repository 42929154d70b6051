package fleet_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/coreroller/coreroller/fleet/upkeep"
	"github.com/coreroller/coreroller/rollout"
)

func TestHealthReportsChecksAndJobs(t *testing.T) {
	eachDatabase(t, func(t *testing.T, d *harness) {
		s := d.setup()
		health := func() *upkeep.Health { t.Helper(); return must(d.Upkeep.Health(d.ctx))(t) }
		h := health()
		if h.ChecksPerSecond != 0 || h.Waiting != 0 || h.WaitingLimit < 1000 || h.KnownMachines != 0 || len(h.Jobs) < 5 {
			t.Errorf("initially: %+v", h)
		}
		for _, job := range h.Jobs {
			if job.Name == "" || job.Every <= 0 || job.LastRunAt != nil || job.LastError != "" {
				t.Errorf("job before its first run: %+v", job)
			}
		}
		// 60 checks in 1.5 s, some of them answered from the idle cache.
		for i := range 60 {
			d.check(s, fmt.Sprint("m", i%20), "2.0.0")
			d.wait(25 * time.Millisecond)
		}
		d.report(s, "m0", "2.0.0", rollout.Event{Type: 13, Result: 1})
		d.wait(2 * time.Second)
		if h = health(); h.ChecksPerSecond != 61.0/30 || h.KnownMachines != 20 {
			t.Errorf("after 61 check-ins: %+v", h)
		}
		d.wait(40 * time.Second)
		if h = health(); h.ChecksPerSecond != 0 {
			t.Errorf("40 s later: %+v", h)
		}

		d.must(d.Upkeep.Work(d.ctx))
		first := d.clock()
		d.wait(6 * time.Second)
		d.must(d.Upkeep.Beat(d.ctx))
		d.must(d.Upkeep.Work(d.ctx))
		d.must(d.Upkeep.WorkMachineJobs(d.ctx))
		d.must(d.Upkeep.WorkMirrors(d.ctx))
		for _, job := range health().Jobs {
			// Jobs with intervals above 5 s were not due the second time.
			want := first
			if job.Every <= 5*time.Second {
				want = d.clock()
			}
			if job.LastRunAt == nil || !job.LastRunAt.Equal(want) || job.LastError != "" {
				t.Errorf("%s: last run %v, want %s; error %q", job.Name, job.LastRunAt, want, job.LastError)
			}
		}

		// A job reports its last error until it succeeds again.
		failed := func() (n int) {
			for _, job := range health().Jobs {
				if job.LastError != "" {
					n++
				}
			}
			return n
		}
		d.check(s, "m0", "2.0.0")
		d.wait(time.Minute)
		gone, cancel := context.WithCancel(d.ctx)
		cancel()
		if err := d.Upkeep.Work(gone); err == nil {
			t.Fatal("work with a canceled context succeeded")
		}
		if failed() == 0 {
			t.Error("no job reports its error")
		}
		d.must(d.Upkeep.Work(d.ctx))
		if n := failed(); n > 0 {
			t.Errorf("%d jobs report an error after they succeeded", n)
		}
	})
}
