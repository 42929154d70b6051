package graph_test

import (
	"context"
	"fmt"
	"os"
	"regexp"
	"testing"
	"time"

	"github.com/coreroller/coreroller/fleet"
	"github.com/coreroller/coreroller/fleet/checkin"
	"github.com/coreroller/coreroller/rollout"
	"github.com/coreroller/coreroller/rollout/policy"
)

// manual returns a named document of docs/api.md.
func manual(t *testing.T, name string) string {
	t.Helper()
	source, err := os.ReadFile("../docs/api.md")
	if err != nil {
		t.Fatal(err)
	}
	found := regexp.MustCompile("(?s)```graphql\n((?:query|mutation) " + name + "\\(?.*?)```").FindSubmatch(source)
	if found == nil {
		t.Fatalf("no document %s in docs/api.md", name)
	}
	return string(found[1])
}

// on sends what a machine of a platform reports, with a check.
func (s *site) on(oem, machine, version string, events ...rollout.Event) rollout.Reason {
	s.t.Helper()
	answer, err := s.Machines.CheckIn(context.Background(), checkin.CheckIn{
		AppID: s.app.String(), Track: "prod", Machine: machine, Version: version, Attributes: checkin.Attributes{OEM: &oem},
		Ping: true, UpdateCheck: true, Events: events,
	})
	return must(s, answer, err).Decision.Reason
}

// The incident of docs/api.md: a bad version halts by itself, is rolled back with an
// ordered downgrade, and all machines end on the good version. Every step is a document
// of the manual.
func TestIncidentDrill(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		p := policy.Default()
		p.SafeMode, p.MaxUpdatesPerPeriod, p.MaxConcurrentUpdates = false, 100, 100
		p.HaltFailureShare, p.HaltMinAttempts, p.MaxAttempts = 0.4, 8, 1
		s.must(second(s.UpdatePolicy(s.ctx, fleet.UpdatePolicy{GroupID: s.group, Policy: p})))
		good, bad := s.pkg, s.release("2.1.0")
		for i := range 12 {
			s.on("ami", fmt.Sprint("m", i), "2.0.0")
		}
		s.offset.Add(int64(48 * time.Hour)) // the machines are known
		s.must(second(s.PromotePackage(s.ctx, fleet.PromotePackage{ChannelID: s.channel, PackageID: &bad})))
		for i := range 6 { // run 2.1.0
			s.on("ami", fmt.Sprint("m", i), "2.0.0")
			s.on("ami", fmt.Sprint("m", i), "2.1.0")
		}
		for i := 6; i < 10; i++ { // do not boot
			s.on("vmware", fmt.Sprint("m", i), "2.0.0")
			s.on("vmware", fmt.Sprint("m", i), "2.0.0", rollout.Event{Type: 3, Result: 0, Code: 44})
		}
		ana := s.ana(t)
		group := vars{"group": s.group}

		alarm := ana.get(manual(t, "Alarm"), nil)
		want(t, alarm, "badVersion", 6, "attention.0.kind", "HALTED", "attention.0.group.id", s.group.String(), "attention.0.application.id", s.app.String())
		evidence := ana.get(manual(t, "Evidence"), group)
		want(t, evidence, "rollout.halt.failure", vars{"code": 44, "description": "rolled back", "attempts": 4},
			"rollout.halt.sentence", "the rollout is halted: 4 of 10 finished attempts failed, the limit is 40 %; all of them rolled back to the previous version")
		want(t, evidence, "state", "HALTED", "numbers.badVersion", 6, "numbers.byVersion.0.standing", "BAD", "rollout.version", "2.1.0",
			"rollout.failuresByOem", []any{vars{"value": "vmware", "attempts": 4}}, "channel.promotions.nodes.0.version", "2.1.0",
			"channel.promotions.nodes.1.version", "2.0.0", "channel.promotions.nodes.1.package.id", good.String())
		to := at(t, evidence, "channel.promotions.nodes.1.package.id")

		before := ana.get(manual(t, "BeforeRollBack"), vars{"group": s.group, "to": to})
		want(t, before, "machines", 12, "moving", 6, "kinds.0.kind", "ON_CURRENT", "kinds.0.machines", 6, "kinds.0.sentence", "are offered 2.0.0",
			"kinds.1.kind", "ON_TARGET", "kinds.1.machines", 6, "revision", at(t, evidence, "channel.revision"))
		back := vars{"group": s.group, "to": to, "revision": at(t, before, "revision")}
		want(t, ana.get(manual(t, "RollBack"), back), "userErrors", []any{}, "channel.package.version", "2.0.0", "channel.blacklistings.0.package.version", "2.1.0",
			"channel.blacklistings.0.recalled", true)
		want(t, ana.get(manual(t, "RollBack"), back), "channel", nil, "userErrors.0.code", "CONFLICT", "userErrors.0.field", "expectedRevision")

		want(t, ana.get(manual(t, "Progress"), group), "state", "ROLLING_OUT", "numbers.recalled", 6, "numbers.badVersion", 6, "rollout.version", "2.0.0")
		for i := range 6 {
			if r := s.on("ami", fmt.Sprint("m", i), "2.1.0"); r != rollout.ReasonGranted {
				t.Errorf("m%d got %s", i, r)
			}
		}
		want(t, ana.get(manual(t, "Progress"), group), "numbers.inFlight", 6, "numbers.badVersion", 0)
		found := ana.get(manual(t, "Find"), vars{"app": s.app, "machine": "m0"})
		want(t, found, "id", s.instance("m0").String(), "state", "GRANTED", "decision", "version 2.0.0 is granted, an ordered downgrade from the recalled 2.1.0")
		want(t, ana.get(manual(t, "Why"), vars{"id": at(t, found, "id")}), "decision.reason", "GRANTED")
		for i := range 10 {
			s.on("ami", fmt.Sprint("m", i), "2.0.0")
		}
		for i := 10; i < 12; i++ {
			s.on("vmware", fmt.Sprint("m", i), "2.0.0")
		}
		want(t, ana.get(manual(t, "Progress"), group), "state", "UP_TO_DATE", "numbers.onTarget", 12, "numbers.badVersion", 0, "rollout.attempts.succeeded", 6)

		job := ana.get(manual(t, "Keep"), group)
		want(t, job, "userErrors", []any{}, "job.machines", 2)
		s.must(s.WorkJobs(s.ctx))
		want(t, ana.get(`query($id: ID!) { machineJob(id: $id) { state done } }`, vars{"id": at(t, job, "job.id")}), "state", "FINISHED", "done", 2)
		kinds := map[any]int{}
		for _, row := range at(t, ana.get(manual(t, "Report"), group), "nodes").([]any) {
			kinds[at(t, row, "kind")]++
		}
		if kinds["ROLLOUT_HALTED"] != 1 || kinds["ROLLOUT_STARTED"] != 2 || kinds["ROLLOUT_FINISHED"] != 2 || kinds["MACHINE_FAILED"] != 4 {
			t.Errorf("activities %v", kinds)
		}
	})
}
