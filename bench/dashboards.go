package main

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"time"

	"github.com/coreroller/coreroller/simulate/load"
)

// dashboards measures 5,000 requests per second with ten open dashboards: checks
// of known machines, and a tenth complete updates so that the dashboards change.
// First machines keep their connections, then each request opens a new one.
func (r *runner) dashboards(ctx context.Context) error {
	const (
		workload = "dashboards"
		count    = 10
		rate     = 5000
	)
	document, err := groupPage()
	if err != nil {
		return err
	}
	d, err := r.openDashboards(ctx, count, document, newArrivals(0, 0))
	if err != nil {
		return err
	}
	checks := r.fleet.Checks(r.size/2, "2.0.0", upToDateMachine)
	updates := r.fleet.Updates(newSeries(), "1.0.0", r.connections)
	source := load.Mix(append(slices.Repeat([]load.Source{checks}, 9), updates))
	for _, run := range []struct {
		title     string // "" prints nothing
		length    time.Duration
		reconnect bool
	}{
		{"", 2 * time.Second, false}, // warm-up
		{"kept connections", r.length, false},
		{"new connections", r.length, true},
	} {
		result, err := r.run(ctx, load.Plan{Connections: r.connections, Reconnect: run.reconnect, Rate: rate, Length: run.length, Source: source})
		if err != nil {
			return errors.Join(err, d.close())
		}
		if run.title == "" {
			continue
		}
		r.print(workload, "%d requests/s, a tenth of them steps of updates, %d dashboards, %s: %.0f/s, p50 %s p99 %s p99.9 %s max %s; %s; server %.2f cores, bench %.2f",
			rate, count, run.title, result.PerSecond(), round(result.Percentile(0.5)), round(result.Percentile(0.99)), round(result.Percentile(0.999)), round(result.Percentile(1)),
			result.Outcomes(), result.cores(), result.CPU())
	}
	return d.close()
}

// groupPages measures the time to load the group page, one load after the other.
func (r *runner) groupPages(ctx context.Context) error {
	const minLoads = 200 // for a meaningful p99
	document, err := groupPage()
	if err != nil {
		return err
	}
	d, err := load.Open(ctx, r.url, firstUser, firstUser)
	if err != nil {
		return err
	}
	defer d.Close()
	var times []time.Duration
	size := 0
	for until := time.Now().Add(r.length); time.Now().Before(until) || len(times) < minLoads; {
		start, id := time.Now(), strconv.Itoa(len(times))
		if err := d.Subscribe(id, document, map[string]any{"groupId": r.group}); err != nil {
			return err
		}
		message, err := d.Next()
		if err != nil {
			return err
		}
		times, size = append(times, time.Since(start)), len(message)
		if err := d.Complete(id); err != nil {
			return err
		}
	}
	slices.Sort(times)
	r.print("group page", "%d loads of %d bytes: p50 %s p99 %s max %s", len(times), size, round(times[len(times)/2]), round(times[len(times)*99/100]), round(times[len(times)-1]))
	return nil
}
