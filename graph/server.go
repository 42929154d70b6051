package graph

import (
	"context"
	"fmt"
	"runtime/metrics"

	"github.com/google/uuid"

	"github.com/coreroller/coreroller/auth"
	"github.com/coreroller/coreroller/fleet/view"
	"github.com/coreroller/coreroller/graph/model"
)

// ServerInfo returns only the version, the time and the identity providers without sign-in.
func (r *queryResolver) ServerInfo(ctx context.Context) (*model.ServerInfo, error) {
	out := &model.ServerInfo{Version: r.Server.Version, Now: r.Now(), SignIns: r.Server.SignIns}
	if _, err := auth.Require(ctx, auth.Viewer); err != nil {
		return out, nil //nolint:nilerr // not signed in
	}
	if asked(ctx, "demo") {
		var err error
		if out.Demo, err = r.fleet.Demo(ctx); err != nil {
			return nil, err
		}
	}
	database, healthy, url := model.DatabaseSQLIte, r.Store.Ping(ctx) == nil, r.Server.UpdateURL(ctx)
	if r.Server.Postgres {
		database = model.DatabasePostgresql
	}
	out.StartedAt, out.Database, out.Healthy, out.UpdateURL = &r.Server.StartedAt, &database, &healthy, &url
	return out, nil
}

// ServerHealth returns the health of this process.
func (r *queryResolver) ServerHealth(ctx context.Context) (*model.ServerHealth, error) {
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

// Retention lists the periods after which records are deleted.
func (r *queryResolver) Retention(ctx context.Context) ([]*model.Retention, error) {
	all, err := r.fleet.Upkeep.Retention(ctx)
	if err != nil {
		return nil, err
	}
	out := []*model.Retention{}
	for i := range all {
		p := &all[i]
		m := &model.Retention{
			Name: p.Name, Records: p.Records, Flag: "--" + p.Flag(), Keep: p.Keep, Default: p.Default, OldestAt: p.Oldest,
			LastRunAt: p.Ended, LastDeleted: int(p.Last), Deleted: int(p.Deleted), Behind: p.Behind,
		}
		if p.Rows != nil {
			n := int(*p.Rows)
			m.Rows = &n
		}
		out = append(out, m)
	}
	return out, nil
}

// processMemory returns the memory, in bytes, that the Go runtime holds from the
// operating system.
func processMemory() int64 {
	samples := []metrics.Sample{{Name: "/memory/classes/total:bytes"}, {Name: "/memory/classes/heap/released:bytes"}}
	metrics.Read(samples)
	return int64(samples[0].Value.Uint64() - samples[1].Value.Uint64()) //nolint:gosec // G115: memory is far below 2^63 bytes
}

func (r *mutationResolver) StartDemo(ctx context.Context) (*model.DemoPayload, error) {
	return payload(r.fleet.StartDemo(ctx))
}

func (r *mutationResolver) StopDemo(ctx context.Context) (*model.DemoPayload, error) {
	return payload(r.fleet.StopDemo(ctx))
}

// Imports lists the reports of imports from other servers.
func (r *queryResolver) Imports(ctx context.Context, first *int, id *uuid.UUID) ([]*view.Import, error) {
	n, err := limit(first)
	if err != nil {
		return nil, err
	}
	return r.fleet.View.Imports(ctx, n, id)
}

// Mirrors lists the servers that fetch packages from this one.
func (r *queryResolver) Mirrors(ctx context.Context) ([]*view.Mirror, error) {
	return r.fleet.View.Mirrors(ctx)
}
