package main

import (
	"context"
	"fmt"
	"time"

	"github.com/coreroller/coreroller/simulate/load"
)

// runner runs workloads on the real program.
type runner struct {
	*process
	settings
	fleet load.Fleet
	group string
	size  int // machines in the group

	database string // "sqlite" or "postgres"
}

func (r *runner) print(workload, format string, args ...any) {
	fmt.Printf("%-10s %9d  %-12s %s\n", r.database, r.size, workload, fmt.Sprintf(format, args...))
}

// serverResult is a result with the CPU time of the server.
type serverResult struct {
	*load.Result
	serverCPU time.Duration
}

// cores is the average number of cores that the server used.
func (r *serverResult) cores() float64 { return r.serverCPU.Seconds() / r.Took.Seconds() }

// run executes a plan. Any response other than the expected one or 503 is an
// error.
func (r *runner) run(ctx context.Context, p load.Plan) (*serverResult, error) {
	p.Address = r.address
	before := r.cpuTime()
	result, err := load.Run(ctx, p)
	if err == nil && result.Errors() > 0 {
		err = fmt.Errorf("%s: %s", result.Outcomes(), result.ErrorDetails())
	}
	return &serverResult{result, r.cpuTime() - before}, err
}

func (r *runner) updates(ctx context.Context, connections int, rate float64, length time.Duration) (*serverResult, error) {
	return r.run(ctx, load.Plan{Connections: connections, Rate: rate, Length: length, Source: r.fleet.Updates(newSeries(), "1.0.0", connections)})
}

// overloadConnections is more than the requests that the server queues.
const overloadConnections = 8000

// overload offers three times the server's capacity. It measures the responses,
// the server's memory and CPU, and the time until response times are normal again.
func (r *runner) overload(ctx context.Context) error {
	const workload = "overload"
	capacity, err := r.updates(ctx, r.connections, 0, r.short())
	if err != nil {
		return err
	}
	half := capacity.PerSecond() / 2
	usual, err := r.updates(ctx, r.connections, half, r.short())
	if err != nil {
		return err
	}
	before, _ := r.memory()
	r.print(workload, "capacity %.0f/s; p99 at half of it %s; server %d MiB", capacity.PerSecond(), round(usual.Percentile(0.99)), before)
	r.resetPeak()
	result, err := r.updates(ctx, overloadConnections, 3*capacity.PerSecond(), r.length)
	if err != nil {
		return err
	}
	now, peak := r.memory()
	r.print(workload, "offered %.0f/s over %d connections for %s: served %.0f/s, p99 %s; %s", 3*capacity.PerSecond(), overloadConnections, r.length,
		result.Served(), round(result.Percentile(0.99)), result.Outcomes())
	r.print(workload, "errors other than 503: %d; server peak %d MiB, now %d MiB, %.2f cores; bench %.2f cores", result.Errors(), peak, now,
		result.cores(), result.CPU())
	// Normal: at most twice the usual p99. 20 ms is the noise of a one-second run.
	limit := max(2*usual.Percentile(0.99), 20*time.Millisecond)
	ended := time.Now()
	for {
		result, err := r.updates(ctx, r.connections, half, time.Second)
		if err != nil {
			return err
		}
		after := time.Since(ended)
		if p99 := result.Percentile(0.99); p99 <= limit && result.Count(load.Busy) == 0 {
			r.print(workload, "p99 over one second %s, %.0f s after the end", round(p99), after.Seconds())
			return nil
		}
		if after > 2*time.Minute {
			return fmt.Errorf("p99 is %s two minutes after the overload, the limit is %s", round(result.Percentile(0.99)), limit)
		}
	}
}

// short is the length of auxiliary measurements.
func (r *runner) short() time.Duration { return min(r.length, 10*time.Second) }

func round(d time.Duration) time.Duration { return d.Round(10 * time.Microsecond) }
