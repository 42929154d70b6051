package simulate

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/coreroller/coreroller/simulate/load"
)

// BenchmarkOptions are the options of Benchmark in addition to those of Run.
type BenchmarkOptions struct {
	Rate      float64 // requests per second; 0 is a closed loop
	Mix       string  // kinds and weights: "checks:8,updates:1,new:1"
	Reconnect bool    // a new connection for each request
}

// defaultLength is the length of a benchmark without --duration.
const defaultLength = 10 * time.Second

// Benchmark measures a server with requests of package load and prints the
// result to out.
func Benchmark(ctx context.Context, o Options, out io.Writer, now func() time.Time) error {
	if err := o.validate(); err != nil {
		return err
	}
	target, err := updateURL(o.URL)
	if err != nil {
		return err
	}
	plan, err := o.plan(target)
	if err != nil {
		return err
	}
	printf := func(format string, args ...any) {
		if !o.JSON {
			_, _ = fmt.Fprintf(out, format+"\n", args...)
		}
	}
	series := uint64(now().UnixNano()) // new in every run
	if plan.Source, err = o.source(ctx, *plan, series, printf); err != nil {
		return err
	}
	pace := "as fast as possible"
	if o.Benchmark.Rate > 0 {
		pace = fmt.Sprintf("%g requests/s", o.Benchmark.Rate)
	}
	printf("%s over %s for %s, %s", o.Benchmark.Mix, plural(plan.Connections, "connection"), plan.Length, pace)
	r, err := load.Run(ctx, *plan)
	if err != nil {
		return err
	}
	if o.JSON {
		return json.NewEncoder(out).Encode(resultJSON(r))
	}
	printf("%.0f responses/s, %.0f/s without 503 and errors", r.PerSecond(), r.Served())
	printf("p50 %s  p90 %s  p99 %s  p99.9 %s  max %s", short(r.Percentile(0.5)), short(r.Percentile(0.9)), short(r.Percentile(0.99)),
		short(r.Percentile(0.999)), short(r.Percentile(1)))
	printf("%s", r.Outcomes())
	if details := r.ErrorDetails(); details != "" {
		printf("%s", details)
	}
	printf("the benchmark used %.2f cores", r.CPU())
	return nil
}

func short(d time.Duration) string { return d.Round(10 * time.Microsecond).String() }

// plan returns the plan without its source.
func (o *Options) plan(target *url.URL) (*load.Plan, error) {
	p := &load.Plan{Address: target.Host, Host: target.Host, Path: target.RequestURI(), TLS: target.Scheme == "https", Connections: o.Connections,
		Reconnect: o.Benchmark.Reconnect, Rate: o.Benchmark.Rate, Length: cmp.Or(o.Duration, defaultLength)}
	if target.Port() == "" {
		p.Address = target.Hostname() + map[bool]string{true: ":443", false: ":80"}[p.TLS]
	}
	if p.Rate < 0 {
		return nil, errors.New("--rate must not be below zero")
	}
	return p, nil
}

// source parses --mix, and registers the machines of "checks" with the server.
func (o *Options) source(ctx context.Context, p load.Plan, series uint64, printf func(string, ...any)) (load.Source, error) {
	versions, err := parseVersions(o.Fleet.Versions)
	if err != nil {
		return nil, err
	}
	version := versions[0].name
	app := o.Fleet.App
	if id, err := uuid.Parse(app); err == nil {
		app = "{" + id.String() + "}"
	}
	f, machines := load.NewFleet(app, o.Fleet.Track), o.Fleet.Machines
	id := func(n int) string { return load.MachineID(o.Fleet.Seed, uint64(n)) } //nolint:gosec // G115: n is an index
	kinds, err := parseWeights("mix", o.Benchmark.Mix, "a kind and a weight, such as checks:9")
	if err != nil {
		return nil, err
	}
	total := 0
	for _, k := range kinds {
		total += k.weight
	}
	if total > p.Connections {
		return nil, fmt.Errorf("--mix: the sum of the weights, %d, must not exceed --connections (%d)", total, p.Connections)
	}
	var sources []load.Source
	for _, k := range kinds {
		var source load.Source
		switch k.name {
		case "checks":
			start := time.Now()
			p.Rate, p.Length, p.Source = 0, time.Hour, f.CheckOnce(machines, version, id)
			if _, err := load.Run(ctx, p); err != nil {
				return nil, err
			}
			printf("%s on %s registered in %s", plural(machines, "machine"), version, time.Since(start).Round(10*time.Millisecond))
			source = f.Checks(machines, version, id)
		case "updates":
			source = f.Updates(series, version, p.Connections)
		case "new":
			source = f.FirstChecks(series+1, version)
		default:
			return nil, fmt.Errorf("--mix: unknown kind %q; use checks, updates and new", k.name)
		}
		sources = append(sources, slices.Repeat([]load.Source{source}, k.weight)...)
	}
	return load.Mix(sources), nil
}

// resultJSON is the result for --json.
func resultJSON(r *load.Result) map[string]any {
	ms := func(share float64) float64 { return float64(r.Percentile(share).Microseconds()) / 1000 }
	return map[string]any{
		"seconds": r.Took.Seconds(), "perSecond": r.PerSecond(), "servedPerSecond": r.Served(),
		"p50ms": ms(0.5), "p90ms": ms(0.9), "p99ms": ms(0.99), "p999ms": ms(0.999), "maxms": ms(1),
		"offered": r.Count(load.Offered), "upToDate": r.Count(load.UpToDate), "held": r.Count(load.Held),
		"acknowledged": r.Count(load.Acknowledged), "busy": r.Count(load.Busy), "otherErrors": r.Count(load.Other),
		"unanswered": r.Count(load.Unanswered), "neverSent": r.Unsent(), "errorDetails": r.ErrorDetails(), "toolCores": r.CPU(),
	}
}
