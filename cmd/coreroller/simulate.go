package main

import (
	"time"

	"github.com/spf13/cobra"

	"github.com/coreroller/coreroller/simulate"
)

func simulateCommand(p process) *cobra.Command {
	o := simulate.Options{Fleet: simulate.Fleet{Behavior: simulate.DefaultBehavior()}}
	benchmark := false
	cmd := command("simulate", "run simulated machines against a server", `
Runs machines that check for updates over HTTP exactly as real ones do. They
download nothing, but report downloads and installations, and reboot into the new
version. Time is accelerated: with --speed 60 a machine that checks every 45
minutes checks every 45 seconds. The same --seed gives the same machines.

With --bench it measures the server instead: responses per second, outcomes and
response times (p50, p90, p99, p99.9, max). With --rate the load is an open loop:
requests are due at a fixed rate and response times count from the due time, so
that a slow server cannot lower the load. Without --rate each connection sends its
next request when the last one is answered. --mix lists kinds of requests with
weights, such as checks:8,updates:1,new:1. The weights divide the connections:
  checks   checks of --machines known machines that run --versions; use the
           version of the channel to measure machines that are up to date
  updates  complete updates of new machines that run --versions
  new      first checks of new machines that run --versions
The group's policy limits updates; held checks are counted. --bench uses the flags
--url, --app, --track, --machines, --versions, --seed, --duration, --connections
and --json besides its own. It also prints its own CPU usage, because it often
shares the machine with the server.`,
		func(cmd *cobra.Command) error {
			if benchmark {
				return simulate.Benchmark(cmd.Context(), o, p.Stdout, time.Now)
			}
			return simulate.Run(cmd.Context(), o, p.Stdout, time.Now)
		})
	f := cmd.Flags()
	f.StringVar(&o.URL, "url", "", "server URL, such as http://localhost:8000; a path replaces the usual /v1/update/")
	f.StringVar(&o.Fleet.App, "app", "", "application id or product id")
	f.StringVar(&o.Fleet.Track, "track", "stable", "track of the group")
	f.StringVar(&o.Fleet.Kind, "kind", simulate.KindDaemon, "daemon: update_engine of an operating system; program: Nebraska's updater library")
	f.StringVar(&o.Fleet.Board, "board", "amd64-usr", "board: amd64-usr or arm64-usr")
	f.StringVar(&o.Fleet.Alias, "alias", "sim", "prefix of the machine aliases")
	f.IntVar(&o.Fleet.Machines, "machines", 100, "number of machines")
	f.StringVar(&o.Fleet.Versions, "versions", "1.0.0", "running versions with weights, such as 1.0.0:60,1.1.0:40")
	f.StringVar(&o.Fleet.Bad, "bad", "", "versions with their own failure share, such as 2.1.0:0.6")
	f.Uint64Var(&o.Fleet.Seed, "seed", 1, "determines the machine ids and random choices; use different seeds for two fleets on one server")
	f.Float64Var(&o.Speed, "speed", 60, "simulated seconds per real second")
	f.DurationVar(&o.Duration, "duration", 0, "real time to run; 0 runs until interrupted")
	f.IntVar(&o.Connections, "connections", 16, "maximum number of concurrent requests")
	f.BoolVar(&o.JSON, "json", false, "print JSON, one object per line")
	f.BoolVar(&benchmark, "bench", false, "measure the server")
	f.Float64Var(&o.Benchmark.Rate, "rate", 0, "with --bench: requests per second; 0 sends as fast as possible")
	f.StringVar(&o.Benchmark.Mix, "mix", "checks", "with --bench: kinds of requests with weights, such as checks:8,updates:1,new:1")
	f.BoolVar(&o.Benchmark.Reconnect, "reconnect", false, "with --bench: open a new connection for each request, as update_engine does")
	b := &o.Fleet.Behavior
	f.DurationVar(&b.Interval, "interval", b.Interval, "simulated time between two checks")
	f.DurationVar(&b.Download, "download", b.Download, "usual length of a download")
	f.DurationVar(&b.Install, "install", b.Install, "usual length of an installation")
	f.DurationVar(&b.Reboot, "reboot", b.Reboot, "usual time from the installation to the reboot")
	f.DurationVar(&b.SilentFor, "silent-for", b.SilentFor, "how long a silent machine sends nothing")
	f.Float64Var(&b.Failure, "failure", b.Failure, "share of attempts that fail")
	f.Float64Var(&b.Rollback, "rollback", b.Rollback, "share of attempts that boot back into the old version")
	f.Float64Var(&b.Silence, "silence", b.Silence, "share of attempts in which the machine goes silent")
	f.Float64Var(&b.Deferral, "deferral", b.Deferral, "share of offers that the machine defers")
	f.Float64Var(&b.Interruption, "interruption", b.Interruption, "share of attempts in which the machine restarts during the download")
	return cmd
}
