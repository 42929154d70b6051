package main

import (
	"time"

	"github.com/spf13/cobra"
)

func simulateCommand(p process) *cobra.Command {
	o := &simulateOptions{Habits: defaultHabits()}
	bench := false
	cmd := command("simulate", "play a fleet of machines against a server", `
Machines that speak exactly like real ones ask a server for updates over HTTP,
download nothing, report as if they had, and reboot into the new version. Time
runs faster: with --speed 60 a poll every 45 minutes is one every 45 seconds.
The same --seed is the same fleet, machine ids included.

With --bench it measures instead: how many requests per second the server
answers, with what, and how long that takes (p50, p90, p99, p99.9, max). With
--rate it is an open loop: so many requests are due each second, and times count
from when a request was due, so that a server that falls behind cannot hide it.
Without, each connection asks again as soon as it is answered. --mix says what
is asked, as kinds and weights such as checks:8,updates:1,new:1. The weights
share out the connections:
  checks   known machines (--machines of them) that run --versions and ask
           again; give the target's version for machines that are up to date
  updates  new machines on --versions that walk through whole updates
  new      first checks of new machines on --versions
Updates are offered as the group's policy allows; held machines are counted. Of
the other flags --url, --app, --track, --machines, --versions, --seed,
--duration, --connections and --json count. What the tool itself takes of the
processors is said, because server and tool often share a machine.`,
		func(cmd *cobra.Command) error {
			if bench {
				return o.bench(cmd.Context(), p.Stdout, time.Now)
			}
			return simulate(cmd.Context(), *o, p.Stdout, time.Now)
		})
	f := cmd.Flags()
	f.StringVar(&o.URL, "url", "", "address of the server, such as http://localhost:8000; a path is taken as it is")
	f.StringVar(&o.App, "app", "", "id or product id of the application")
	f.StringVar(&o.Track, "track", "stable", "track of the group")
	f.StringVar(&o.Kind, "kind", "daemon", "daemon: update_engine of an operating system; program: Nebraska's updater library")
	f.StringVar(&o.Board, "board", "amd64-usr", "board of the machines: amd64-usr or arm64-usr")
	f.StringVar(&o.Alias, "alias", "sim", "begin of the machines' names")
	f.IntVar(&o.Machines, "machines", 100, "how many")
	f.StringVar(&o.Versions, "versions", "1.0.0", "what they run: versions and weights, such as 1.0.0:60,1.1.0:40")
	f.StringVar(&o.Bad, "bad", "", "versions that fail more often: 2.1.0:0.6 fails in 60 % of the attempts")
	f.Uint64Var(&o.Seed, "seed", 1, "which fleet; two fleets on one server need different seeds")
	f.Float64Var(&o.Speed, "speed", 60, "how much faster than real time passes")
	f.DurationVar(&o.Duration, "duration", 0, "real time after which to end; 0 goes on until interrupted")
	f.IntVar(&o.Senders, "connections", 16, "requests at the same time")
	f.BoolVar(&o.JSON, "json", false, "progress as one JSON object a line")
	f.BoolVar(&bench, "bench", false, "measure the server instead of playing")
	f.Float64Var(&o.Bench.Rate, "rate", 0, "with --bench: requests per second that are offered; 0: as fast as they are answered")
	f.StringVar(&o.Bench.Mix, "mix", "checks", "with --bench: what is asked, kinds and weights: checks:8,updates:1,new:1")
	f.BoolVar(&o.Bench.Reconnect, "reconnect", false, "with --bench: a new connection for each request, as update_engine has")
	h := &o.Habits
	f.DurationVar(&h.Interval, "interval", h.Interval, "time between two checks")
	f.DurationVar(&h.Download, "download", h.Download, "usual length of a download")
	f.DurationVar(&h.Install, "install", h.Install, "usual length of an installation")
	f.DurationVar(&h.Reboot, "reboot", h.Reboot, "usual wait for the reboot")
	f.DurationVar(&h.SilentFor, "silent-for", h.SilentFor, "how long a machine that goes silent stays so")
	f.Float64Var(&h.Failure, "failure", h.Failure, "share of attempts that fail")
	f.Float64Var(&h.Rollback, "rollback", h.Rollback, "share of attempts that boot back into the old version")
	f.Float64Var(&h.Silence, "silence", h.Silence, "share of attempts in which the machine goes silent")
	f.Float64Var(&h.Deferral, "deferral", h.Deferral, "share of offers that the machine puts off")
	f.Float64Var(&h.Interruption, "interruption", h.Interruption, "share of attempts in which the machine is restarted while it downloads")
	return cmd
}
