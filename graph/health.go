package graph

import (
	"context"
	"fmt"
	"runtime/metrics"

	"github.com/coreroller/coreroller/graph/model"
)

// serverHealth returns the health of this process.
func (r *Resolver) serverHealth(ctx context.Context) (*model.ServerHealth, error) {
	health, err := r.fleet.Upkeep.Health(ctx)
	if err != nil {
		return nil, err
	}
	start := r.Now()
	if err := r.Store.Ping(ctx); err != nil {
		return nil, fmt.Errorf("ping the database: %w", err)
	}
	out := &model.ServerHealth{
		AsOf: start, DatabaseLatency: r.Now().Sub(start), ChecksPerSecond: health.ChecksPerSecond,
		WaitingCheckIns: health.Waiting, WaitingCheckInLimit: health.WaitingLimit, CachedMachines: health.KnownMachines,
		Memory: processMemory(), Subscriptions: int(r.subscriptions.Load()), Jobs: []*model.Job{},
	}
	for _, job := range health.Jobs {
		out.Jobs = append(out.Jobs, &model.Job{Name: job.Name, Interval: job.Every, LastRunAt: job.LastRunAt, LastError: job.LastError})
	}
	return out, nil
}

// processMemory returns the memory, in bytes, that the Go runtime holds from the
// operating system.
func processMemory() int64 {
	samples := []metrics.Sample{{Name: "/memory/classes/total:bytes"}, {Name: "/memory/classes/heap/released:bytes"}}
	metrics.Read(samples)
	return int64(samples[0].Value.Uint64() - samples[1].Value.Uint64())
}
