package acceptance

import (
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/coreroller/coreroller/ent/db/activity"
	"github.com/coreroller/coreroller/ent/db/grouprollout"
	"github.com/coreroller/coreroller/fleet"
	"github.com/coreroller/coreroller/fleet/quota"
	"github.com/coreroller/coreroller/rollout"
)

// Several servers on one database. They receive no events from each other, so a
// server must detect from the ledger's revision that its catalog is stale.

func TestP2_NoGrantContradictsACommittedChange(t *testing.T) {
	type change struct {
		make   func(s *site)
		reason string
	}
	variants(t, map[string]change{
		"pause":            {func(s *site) { s.pause("") }, "paused"},
		"halt":             {func(s *site) { s.halt("") }, "halted"},
		"lower cap":        {func(s *site) { s.policy(func(p *rollout.Policy) { p.MaxConcurrentUpdates = 2 }) }, "concurrency_limit"},
		"lower period cap": {func(s *site) { s.policy(func(p *rollout.Policy) { p.MaxUpdatesPerPeriod = 2 }) }, "period_limit"},
		"office hours":     {func(s *site) { s.policy(func(p *rollout.Policy) { p.OfficeHours, p.Timezone = true, "Asia/Tokyo" }) }, "outside_window"},
		"older package":    {func(s *site) { s.promote("0.9.0") }, "up_to_date"},
		"no package": {func(s *site) {
			_, err := s.PromotePackage(s.ctx, fleet.PromotePackage{ChannelID: s.channel})
			s.ok(err)
		}, "no_package"},
		"no channel": {func(s *site) {
			_, err := s.UpdateGroup(s.ctx, fleet.UpdateGroup{ID: s.group, SetChannel: true})
			s.ok(err)
		}, "no_package"},
	}, func(_ *testing.T, s *site, c change) {
		other := s.on(1)
		other.grants("granted", "1.0.0", "2.0.0")
		other.grants("downloading", "1.0.0", "2.0.0")
		other.reports("downloading", "1.0.0", "13/1")
		c.make(s)
		other.holds("new", "1.0.0", c.reason)
		s.holds("new", "1.0.0", c.reason)
	}, servers(2), limit(100, 15*time.Minute))
}

func TestP2_NewPackageIsOfferedOnEveryServer(t *testing.T) {
	each(t, func(_ *testing.T, s *site) {
		other := s.on(1)
		other.grants("m", "1.0.0", "2.0.0")
		s.promote("3.0.0")
		other.grants("n", "1.0.0", "3.0.0")
		other.grants("m", "1.0.0", "3.0.0")
		other.attemptsEnded("m", rollout.OutcomeWithdrawn)
	}, servers(2), limit(100, 15*time.Minute))
}

func TestP2_NoGrantAfterTheCommit(t *testing.T) {
	each(t, func(_ *testing.T, s *site) {
		s.noGrantAfter(func(s *site) { s.pause("") }, "paused")
		s.resume("")
		s.on(1).grants("resumed", "1.0.0", "2.0.0")
		s.advance(time.Minute)
		s.noGrantAfter(func(s *site) { s.halt("") }, "halted")
		s.resume("")
		s.on(1).grants("resumed again", "1.0.0", "2.0.0")
	}, servers(2), limit(100_000, 15*time.Minute))
}

// noGrantAfter runs checks on all servers during a change. A check that begins
// after the commit of the change must be held with the reason.
func (s *site) noGrantAfter(change func(s *site), reason string) {
	s.t.Helper()
	const checkers, each = 8, 4
	var committed, over atomic.Bool // over but not committed: the change failed
	var number atomic.Int64
	atOnce(checkers+1, func(i int) {
		if i == checkers {
			defer over.Store(true)
			change(s)
			committed.Store(true)
			return
		}
		for after := 0; after < each; {
			ended := over.Load()
			late := committed.Load()
			if ended && !late {
				return
			}
			a := s.on(i%len(s.servers)).check(fmt.Sprint(s.clock.Now(), "-", number.Add(1)), "1.0.0")
			if !late {
				continue
			}
			after++
			if a.offered() != "" || a.Check == nil || a.Check.Info != reason {
				s.t.Errorf("a check after the commit was answered %s, want %s", a, reason)
			}
		}
	})
}

func TestP12_OneRolloutStartedPerRollout(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		for round := range 6 {
			version := fmt.Sprintf("%d.0.0", 3+round)
			atOnce(25, func(i int) {
				if i == 24 {
					s.promote(version)
					return
				}
				for k := range 4 {
					s.on((i+k)%len(s.servers)).check(fmt.Sprint("m", i), "1.0.0")
				}
			})
		}
		s.on(2).grants("last", "1.0.0", "8.0.0")
		rollouts, err := s.store.Reader().GroupRollout.Query().Where(grouprollout.GroupID(s.group)).All(s.ctx)
		s.ok(err)
		if len(rollouts) != 7 {
			t.Errorf("%d rollouts, want 7", len(rollouts))
		}
		for _, r := range rollouts {
			n, err := s.store.Reader().Activity.Query().
				Where(activity.GroupID(s.group), activity.KindEQ(rollout.ActivityRolloutStarted), activity.Version(r.Version)).Count(s.ctx)
			s.ok(err)
			want := 1
			if r.StartedAt == nil {
				want = 0
			}
			if n != want {
				t.Errorf("rollout of %s, started %v: %d activities", r.Version, r.StartedAt, n)
			}
		}
	}, servers(4), limit(1000, 15*time.Minute))
}

// A machine's requests reach two servers in turn: its history has each change, although one
// server stored the same entry last.
func TestHistoryIsWholeOnTwoServers(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		other := s.on(1)
		s.grants("m", "1.0.0", "2.0.0")
		s.reports("m", "1.0.0", "13/1")
		other.reports("m", "1.0.0", "3/0 29")
		other.grants("m", "1.0.0", "2.0.0")
		s.reports("m", "1.0.0", "13/1")
		started := 0
		for _, h := range s.history("m") {
			if h.State == rollout.StateDownloading {
				started++
			}
		}
		if started != 2 {
			t.Errorf("the history has %d downloads, want 2: %v", started, s.history("m"))
		}
	}, servers(2), quotas(quota.Quotas{HistoryPerMachine: 100}))
}
