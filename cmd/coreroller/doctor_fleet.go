package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/coreroller/coreroller/auth"
	"github.com/coreroller/coreroller/client"
	"github.com/coreroller/coreroller/fleet"
	"github.com/coreroller/coreroller/fleet/catalog"
	"github.com/coreroller/coreroller/fleet/fault"
	"github.com/coreroller/coreroller/fleet/notice"
	"github.com/coreroller/coreroller/fleet/view"
	"github.com/coreroller/coreroller/rollout"
	"github.com/coreroller/coreroller/store"
)

const (
	// recountedMachines are recounted without --recount: they take about a second.
	recountedMachines = 100_000
	// simulatedGroups bounds the groups whose rollout is simulated, about 0.1 s each.
	simulatedGroups = 100
	// shownFindings bounds the findings of one check.
	shownFindings = 20
)

// checkFleet looks at what the database contains.
func (d *doctor) checkFleet(ctx context.Context, s *store.Store) {
	ctx = auth.With(ctx, commandPrincipal("coreroller doctor"))
	d.check = "Counters"
	f, err := fleet.New(ctx, fleet.Options{Store: s, Now: time.Now, Log: discard()})
	if err != nil {
		d.find(client.Failed, lookAtDatabase, "%v", err)
		return
	}
	defer f.Close()
	d.checkCounters(ctx, s, f)
	d.check = "Password"
	switch used, err := f.Accounts.FirstPasswordIsUsed(ctx); {
	case err != nil:
		d.find(client.Failed, lookAtDatabase, "%v", err)
	case used:
		d.find(client.Warning, "run coreroller user password admin, or change it in the dashboard", "the user admin still has the password admin, which works on this machine only")
	}
	d.fine("the documented first password is not in use")
	d.checkAttention(ctx, f)
}

// checkCounters recounts, unless that takes long and was not asked for.
func (d *doctor) checkCounters(ctx context.Context, s *store.Store, f *fleet.Service) {
	n, err := f.View.FleetNumbers(ctx)
	if err != nil {
		d.find(client.Failed, lookAtDatabase, "%v", err)
		return
	}
	if n.Total > recountedMachines && !d.recount {
		d.find(client.Note, "run coreroller doctor local --recount, when the database has time for it", "not recounted, because there are %d machines", n.Total)
		return
	}
	began := time.Now()
	all, err := s.Recount(ctx)
	if err != nil {
		d.find(client.Failed, lookAtDatabase, "%v", err)
		return
	}
	old := 0
	var wrong []string
	for _, one := range all {
		// Retention deletes attempts of rollouts, which stay counted.
		if one.Kept > one.Counted && (strings.HasPrefix(one.Counter, "ended of ") || strings.HasPrefix(one.Counter, "failed of ")) {
			old++
			continue
		}
		wrong = append(wrong, fmt.Sprintf("%s is %d, counted %d", one.Counter, one.Kept, one.Counted))
	}
	if len(wrong) > 0 {
		d.find(client.Failed, "make a backup (coreroller backup), and report it: no counter may differ", "counters that differ from a recount: %d: %s", len(wrong), strings.Join(wrong[:min(len(wrong), shownFindings)], "; "))
	}
	if old > 0 {
		d.find(client.Note, "", "counters of rollouts whose old attempts were deleted: %d", old)
	}
	d.fine("all equal a recount of %d machines, which took %s", n.Total, time.Since(began).Round(time.Millisecond))
}

// checksOf are the checks by what needs attention; other kinds belong to "Fleet".
var checksOf = map[view.AttentionKind]string{
	view.AttentionRefusals: "Unknown machines", view.AttentionFailedChecks: "Unknown machines", view.AttentionUnknownTrack: "Unknown machines",
	view.AttentionPolicyWarning: "Policies", view.AttentionStalled: "Policies", view.AttentionHalted: "Policies", view.AttentionNoPackage: "Policies",
	view.AttentionMirror:          "Mirrors",
	view.AttentionDefaultPassword: "", // see checkFleet
}

// checkAttention sorts what needs attention into the checks.
func (d *doctor) checkAttention(ctx context.Context, f *fleet.Service) {
	d.check = "Fleet"
	all, err := f.View.AllAttention(ctx)
	if err != nil {
		d.find(client.Failed, lookAtDatabase, "%v", err)
		return
	}
	for _, c := range []struct{ name, fine string }{
		{"Unknown machines", "no request of a machine was refused in the last day"}, {"Policies", "each reaches all machines within two weeks, or its updates are paused"},
		{"Mirrors", "none fails"}, {"Fleet", "nothing else needs attention"},
	} {
		d.check = c.name
		shown, more := 0, 0
		for _, a := range all {
			check, known := checksOf[a.Kind]
			if known && check != c.name || !known && c.name != "Fleet" {
				continue
			}
			if shown++; shown > shownFindings {
				more++
				continue
			}
			d.find(levels[a.Severity], notice.NextAction(a.Kind), "%s", nameOf(a)+a.Sentence)
		}
		if more > 0 {
			d.find(client.Warning, "the page Fleet of the dashboard has all", "and %d more", more)
		}
		if c.name == "Policies" {
			d.checkPolicies(ctx, f)
		}
		d.fine("%s", c.fine)
	}
}

// levels are the severities of the service layer.
var levels = map[rollout.Severity]client.Level{
	rollout.SeverityError: client.Failed, rollout.SeverityWarning: client.Warning, rollout.SeverityInfo: client.Note, rollout.SeveritySuccess: client.Fine,
}

// nameOf names the group of what needs attention, "" without one.
func nameOf(a *view.Attention) string {
	if a.Group == nil || a.Application == nil {
		return ""
	}
	return a.Application.Name + "/" + a.Group.Name + ": "
}

// checkPolicies simulates the rollout of each group that updates: a policy that does not
// reach all active machines, although each one succeeds, is probably a mistake.
func (d *doctor) checkPolicies(ctx context.Context, f *fleet.Service) {
	groups := f.Catalog().Groups(func(g *catalog.Group) bool { return g.Target != nil && g.Policy.UpdatesEnabled })
	for i, g := range groups {
		if i == simulatedGroups {
			d.find(client.Note, "", "only the first %d of %d groups were simulated", simulatedGroups, len(groups))
			return
		}
		result, err := f.View.SimulateRollout(ctx, view.SimulateRollout{GroupID: g.ID})
		name := g.App.Name + "/" + g.Name
		switch {
		case fault.CodeOf(err) != "": // deleted meanwhile
		case err != nil:
			d.find(client.Failed, lookAtDatabase, "%s: %v", name, err)
			return
		case result.Ends.IsZero() && len(result.LeftOut) > 0:
			left := result.LeftOut[0]
			d.find(client.Warning, "open the simulation of the group's policy, and change the policy or approve the next wave",
				"%s: even if no update fails, %d machines do not get the target within two weeks; most frequent reason: %s", name, left.Count, left.Reason)
		}
	}
}
