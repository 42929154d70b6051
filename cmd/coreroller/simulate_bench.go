package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/coreroller/coreroller/load"
)

// benchOptions are the flags of simulate --bench besides those it shares.
type benchOptions struct {
	Rate      float64 // requests per second; 0: a closed loop
	Mix       string
	Reconnect bool
}

// benchLength is how long a measurement takes when --duration says nothing.
const benchLength = 10 * time.Second

// bench measures a server with simple machines instead of letting a fleet live.
func (o *simulateOptions) bench(ctx context.Context, out io.Writer, now func() time.Time) error {
	if err := o.validate(); err != nil {
		return err
	}
	address, err := omahaURL(o.URL)
	if err != nil {
		return err
	}
	plan, err := benchPlan(address, o)
	if err != nil {
		return err
	}
	say := func(format string, args ...any) {
		if !o.JSON {
			_, _ = fmt.Fprintf(out, format+"\n", args...)
		}
	}
	fresh := uint64(now().UnixNano()) // new in every run
	source, err := o.sources(ctx, *plan, fresh, say)
	if err != nil {
		return err
	}
	plan.Source = source
	pace := "as fast as it is answered"
	if o.Bench.Rate > 0 {
		pace = fmt.Sprintf("%g requests/s offered", o.Bench.Rate)
	}
	say("%s over %d connections for %s, %s", o.Bench.Mix, plan.Connections, plan.Length, pace)
	r, err := load.Run(ctx, *plan)
	if err != nil {
		return err
	}
	if o.JSON {
		return json.NewEncoder(out).Encode(benchJSON(r))
	}
	say("%.0f answers/s, %.0f/s of them neither 503 nor an error", r.PerSecond(), r.Served())
	say("p50 %s  p90 %s  p99 %s  p99.9 %s  max %s", short(r.Percentile(0.5)), short(r.Percentile(0.9)), short(r.Percentile(0.99)),
		short(r.Percentile(0.999)), short(r.Max()))
	say("%s", r.Outcomes())
	if trouble := r.Trouble(); trouble != "" {
		say("%s", trouble)
	}
	say("this tool used %.2f cores", r.CPU())
	return nil
}

func short(d time.Duration) string { return d.Round(10 * time.Microsecond).String() }

// benchPlan is the plan without its source.
func benchPlan(address string, o *simulateOptions) (*load.Plan, error) {
	u, err := url.Parse(address)
	if err != nil {
		return nil, err
	}
	p := &load.Plan{Address: u.Host, Host: u.Host, Path: u.RequestURI(), TLS: u.Scheme == "https", Connections: o.Senders,
		Reconnect: o.Bench.Reconnect, Rate: o.Bench.Rate, Length: cmp.Or(o.Duration, benchLength)}
	if u.Port() == "" {
		p.Address = u.Hostname() + map[bool]string{true: ":443", false: ":80"}[p.TLS]
	}
	if p.Rate < 0 {
		return nil, errors.New("--rate has to be above zero, or left out")
	}
	return p, nil
}

// sources reads --mix and registers the machines of checks.
func (o *simulateOptions) sources(ctx context.Context, p load.Plan, fresh uint64, say func(string, ...any)) (load.Source, error) {
	versions, err := parseVersions(o.Versions)
	if err != nil {
		return nil, fmt.Errorf("--versions: %w", err)
	}
	version := versions[0].Version
	app := o.App
	if id, err := uuid.Parse(app); err == nil {
		app = "{" + id.String() + "}"
	}
	f := load.NewFleet(app, o.Track)
	id := func(n int) string { return load.MachineID(o.Seed, uint64(n)) }
	var parts []load.Part
	total := 0
	for text := range strings.SplitSeq(o.Bench.Mix, ",") {
		kind, weight, found := strings.Cut(strings.TrimSpace(text), ":")
		part := load.Part{Weight: 1}
		if found {
			if part.Weight, err = strconv.Atoi(weight); err != nil || part.Weight < 1 {
				return nil, fmt.Errorf("--mix: %q is not a kind and a weight, such as checks:9", text)
			}
		}
		switch kind {
		case "checks":
			began := time.Now()
			p.Rate, p.Length, p.Source = 0, time.Hour, f.EveryOne(o.Machines, version, id)
			if _, err := load.Run(ctx, p); err != nil {
				return nil, err
			}
			say("%d machines on %s made known in %s", o.Machines, version, time.Since(began).Round(10*time.Millisecond))
			part.Source = f.Checks(o.Machines, version, id)
		case "updates":
			part.Source = f.Updates(fresh, version, p.Connections)
		case "new":
			part.Source = f.New(fresh+1, version)
		default:
			return nil, fmt.Errorf("--mix: %q is not known; checks, updates and new are", kind)
		}
		parts, total = append(parts, part), total+part.Weight
	}
	if total > p.Connections {
		return nil, fmt.Errorf("--mix: the weights are %d together, more than --connections (%d)", total, p.Connections)
	}
	return load.Mix(parts), nil
}

// benchJSON is a result for programs.
func benchJSON(r *load.Result) map[string]any {
	ms := func(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
	return map[string]any{
		"seconds": r.Took.Seconds(), "perSecond": r.PerSecond(), "servedPerSecond": r.Served(),
		"p50ms": ms(r.Percentile(0.5)), "p90ms": ms(r.Percentile(0.9)), "p99ms": ms(r.Percentile(0.99)),
		"p999ms": ms(r.Percentile(0.999)), "maxms": ms(r.Max()),
		"offered": r.Count(load.Offered), "upToDate": r.Count(load.UpToDate), "held": r.Count(load.Held),
		"acknowledged": r.Count(load.Acknowledged), "busy": r.Count(load.Busy), "otherErrors": r.Count(load.Other),
		"unanswered": r.Count(load.Unanswered), "neverSent": r.Unsent(), "trouble": r.Trouble(), "toolCores": r.CPU(),
	}
}
