package graph

import (
	"context"
	"fmt"
	"runtime/metrics"

	"github.com/coreroller/coreroller/graph/model"
)

// serverHealth is how this process does.
func (r *Resolver) serverHealth(ctx context.Context) (*model.ServerHealth, error) {
	health, err := r.fleet.Upkeep.Health(ctx)
	if err != nil {
		return nil, err
	}
	asked := r.Now()
	if err := r.Store.Ping(ctx); err != nil {
		return nil, fmt.Errorf("ask the database: %w", err)
	}
	out := &model.ServerHealth{
		AsOf: asked, DatabaseLatency: r.Now().Sub(asked), ChecksPerSecond: health.ChecksPerSecond,
		Waiting: health.Waiting, WaitingLimit: health.WaitingLimit, KnownMachines: health.KnownMachines,
		Memory: processMemory(), Subscriptions: int(r.subscriptions.Load()), Jobs: []*model.Job{},
	}
	for _, job := range health.Jobs {
		out.Jobs = append(out.Jobs, &model.Job{Name: job.Name, Every: job.Every, LastRunAt: job.LastRunAt, LastError: job.LastError})
	}
	return out, nil
}

// processMemory is what the runtime has of the system and has not given back,
// in bytes.
func processMemory() int64 {
	samples := []metrics.Sample{{Name: "/memory/classes/total:bytes"}, {Name: "/memory/classes/heap/released:bytes"}}
	metrics.Read(samples)
	return int64(samples[0].Value.Uint64() - samples[1].Value.Uint64())
}
