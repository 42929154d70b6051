package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync/atomic"

	"github.com/google/uuid"
)

// work is one kind of load.
type work struct {
	name    string
	prepare func(ctx context.Context) error
	next    request
	check   func(ctx context.Context) (shown string, err error)
}

// bare is the yardstick.
func (s *site) bare() work {
	return work{name: "bare", next: func(_ int, buf []byte) (string, []byte) {
		return barePath, checkIn(s.app, buf, machine(0), "2.0.0", daemonCheck)
	}}
}

// works are measured in this order on one site, those with only in their names.
func (s *site) works(only string) []work {
	var fresh atomic.Int64
	const cap = 100
	all := []work{
		{name: "up-to-date check", next: func(_ int, buf []byte) (string, []byte) {
			return omahaPath, checkIn(s.app, buf, machine(2*rand.IntN(s.machines/2)), "2.0.0", daemonCheck)
		}},
		{name: "held check (cap reached)", prepare: func(context.Context) error { return s.limit(cap) },
			next: func(_ int, buf []byte) (string, []byte) {
				return omahaPath, checkIn(s.app, buf, machine(2*rand.IntN(s.machines/2)+1), "1.0.0", daemonCheck)
			},
			check: func(ctx context.Context) (string, error) { return s.granted(ctx, cap) }},
		{name: "new machine, on disk", prepare: func(context.Context) error { return s.limit(1 << 30) },
			next: func(_ int, buf []byte) (string, []byte) {
				return omahaPath, checkIn(s.app, buf, machine(int(1e9+fresh.Add(1))), "2.0.0", daemonCheck)
			}, check: s.exact},
		{name: "whole update, every step on disk", next: updates(s.app), check: s.exact},
	}
	return slices.DeleteFunc(all, func(w work) bool { return !strings.Contains(w.name, only) })
}

// granted fails unless exactly n machines hold a grant.
func (s *site) granted(ctx context.Context, n int) (string, error) {
	shown, err := s.exact(ctx)
	if err != nil {
		return "", err
	}
	ledgers, err := s.store.Reader().Ledger.Query().All(ctx)
	if err != nil {
		return "", err
	}
	most := 0
	for _, l := range ledgers {
		most = max(most, l.InFlight)
	}
	if most != n {
		return "", fmt.Errorf("%d grants are in flight, the cap is %d", most, n)
	}
	return fmt.Sprintf("in flight %d, cap %d; %s", most, n, shown), nil
}

const (
	omahaPath = "/v1/update/"
	barePath  = "/bare"
)

// daemonCheck is what every check of the OS daemon carries.
const daemonCheck = `<ping active="1"></ping><updatecheck></updatecheck><event eventtype="3" eventresult="2" previousversion=""></event>`

// updates walks machines through an update, each connection its own: check,
// download started, download finished, installed, check on the new version.
func updates(app uuid.UUID) request {
	type place struct{ machine, step int }
	places := make([]place, 1<<16)
	var fresh atomic.Int64
	return func(connection int, buf []byte) (string, []byte) {
		p := &places[connection]
		if p.step == 0 {
			p.machine = int(2e9 + fresh.Add(1))
		}
		step := steps[p.step]
		p.step = (p.step + 1) % len(steps)
		return omahaPath, checkIn(app, buf, machine(p.machine), step.version, step.says)
	}
}

var steps = []struct{ version, says string }{
	{"1.0.0", daemonCheck},
	{"1.0.0", `<event eventtype="13" eventresult="1"></event>`},
	{"1.0.0", `<event eventtype="14" eventresult="1"></event>`},
	{"1.0.0", `<event eventtype="3" eventresult="1"></event>`},
	{"2.0.0", `<ping active="1"></ping><updatecheck></updatecheck><event eventtype="3" eventresult="2" previousversion="1.0.0"></event>`},
}

// checkIn writes a request as the OS daemon does.
func checkIn(app uuid.UUID, buf []byte, machine, version, says string) []byte {
	return fmt.Appendf(buf, `<?xml version="1.0" encoding="UTF-8"?>
<request protocol="3.0" version="update_engine-0.4.10" updaterversion="update_engine-0.4.10" installsource="scheduler" ismachine="1">
    <os version="Chateau" platform="CoreOS" sp="%[3]s_x86_64"></os>
    <app appid="{%[1]s}" version="%[3]s" track="t" bootid="{d2a7a4c1-8f4c-4a53-9d4e-6f8d6b5b0f10}" oem="ami" oemversion="" alephversion="" machineid="%[2]s" machinealias="" lang="en-US" board="amd64-usr" hardware_class="" delta_okay="false" >
        %[4]s
    </app>
</request>
`, app, machine, version, says)
}
