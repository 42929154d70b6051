package acceptance

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/coreroller/coreroller/ent/db"
	"github.com/coreroller/coreroller/fleet/quota"
	"github.com/coreroller/coreroller/fleet/view"
	"github.com/coreroller/coreroller/rollout"
)

// failsFrom lets a machine be granted 2.0.0 and report a failure, from an address.
func (s *site) failsFrom(address, machine string) {
	s.t.Helper()
	if a := s.from(address, machine, "1.0.0"); a.offered() != "2.0.0" {
		s.t.Errorf("%s was answered %s, want the offer of 2.0.0", machine, a)
	}
	s.eventsFrom(address, machine, "1.0.0", "13/1", "3/0 10")
}

func (s *site) eventsFrom(address, machine, version string, events ...event) {
	s.t.Helper()
	r := s.checking(machine, version, events...)
	r.ping, r.check = false, false
	s.sendFrom(address, r)
}

// shown returns the failed attempts of G's rollout by address block.
func (s *site) shown() map[string]int {
	s.t.Helper()
	id := s.numbers().RolloutID
	rows, err := s.View.FailureShares(s.ctx, []uuid.UUID{id})
	s.ok(err)
	blocks := map[string]int{}
	for _, row := range view.SharesOf(rows[id], view.TraitAddressBlock) {
		blocks[row.Value] = row.Attempts
	}
	return blocks
}

// listed returns the machines of the failed attempts in a block, oldest first, and
// checks the length of the list.
func (s *site) listed(block string) (machines []string) {
	s.t.Helper()
	id := s.numbers().RolloutID
	l, err := s.View.FailedAttempts(s.ctx, id, view.FailureFilter{AddressBlock: &block}, view.FailureCounters{
		Shares: func(ctx context.Context, id uuid.UUID) ([]*db.FailureShare, error) {
			rows, err := s.View.FailureShares(ctx, []uuid.UUID{id})
			return rows[id], err
		},
	}, view.Edges())
	s.ok(err)
	n, exact, err := l.Count(s.ctx, 1000)
	s.ok(err)
	rows, err := l.Rows(s.ctx, 100)
	s.ok(err)
	if n != len(rows) || !exact {
		s.t.Errorf("%s: the list has %d attempts, its length is shown as %d", block, len(rows), n)
	}
	for _, row := range slices.Backward(rows) {
		m, err := s.store.Reader().Instance.Get(s.ctx, row.InstanceID)
		s.ok(err)
		machines = append(machines, m.MachineID)
	}
	return machines
}

func (s *site) blocksAre(want map[string][]string) {
	s.t.Helper()
	counts := map[string]int{}
	for block, machines := range want {
		counts[block] = len(machines)
		if got := s.listed(block); !slices.Equal(got, machines) {
			s.t.Errorf("%s lists %v, want %v", block, got, machines)
		}
	}
	if got := s.shown(); !maps.Equal(got, counts) {
		s.t.Errorf("failures by block %v, want %v", got, counts)
	}
}

func TestFailuresAreShownByAddressBlock(t *testing.T) {
	each(t, func(_ *testing.T, s *site) {
		for _, m := range [][2]string{
			{"192.0.2.1", "a"}, {"192.0.2.255", "b"}, {"::ffff:192.0.2.9", "c"},
			{"2001:db8:1::1", "d"}, {"2001:db8:1:ffff::1", "e"}, {"2001:db8:2::1", "f"}, {"192.0.3.1", "g"},
		} {
			s.failsFrom(m[0], m[1])
		}
		s.from("192.0.2.77", "fine", "1.0.0")
		s.eventsFrom("192.0.2.77", "fine", "1.0.0", "13/1", "14/1", "3/1")
		s.sendFrom("192.0.2.77", s.checking("fine", "2.0.0", "3/2 from 1.0.0"))
		want := map[string][]string{
			"192.0.2.0/24": {"a", "b", "c"}, "2001:db8:1::/48": {"d", "e"}, "2001:db8:2::/48": {"f"}, "192.0.3.0/24": {"g"},
		}
		s.blocksAre(want)
		// A machine that comes back leaves the block in which it failed, whatever its address is now.
		s.sendFrom("198.51.100.1", s.checking("b", "2.0.0", "3/2 from 1.0.0"))
		s.attemptsEnded("b", rollout.OutcomeCameBack)
		want["192.0.2.0/24"] = []string{"a", "c"}
		s.blocksAre(want)
		s.sendFrom("192.0.3.1", s.checking("g", "2.0.0", "3/2 from 1.0.0"))
		delete(want, "192.0.3.0/24")
		s.blocksAre(want)
	}, limit(20, 15*time.Minute))
}

// A machine counts in one block: that of its last result. An interrupted attempt in
// another block is no result.
func TestAMachineThatMovesFailsInOneBlock(t *testing.T) {
	each(t, func(_ *testing.T, s *site) {
		s.failsFrom("192.0.2.1", "m")
		s.blocksAre(map[string][]string{"192.0.2.0/24": {"m"}})
		s.advance(15 * time.Minute)
		s.from("198.51.100.1", "m", "1.0.0")
		s.eventsFrom("198.51.100.1", "m", "1.0.0", "13/1")
		s.sendFrom("198.51.100.1", s.checking("m", "1.0.0", "3/2 from")) // the daemon restarted
		s.attemptsEnded("m", rollout.OutcomeFailed, rollout.OutcomeInterrupted)
		s.blocksAre(map[string][]string{"192.0.2.0/24": {"m"}})
		s.eventsFrom("2001:db8:1::1", "m", "1.0.0", "13/1", "3/0 10")
		s.attemptsEnded("m", rollout.OutcomeFailed, rollout.OutcomeInterrupted, rollout.OutcomeFailed)
		s.blocksAre(map[string][]string{"2001:db8:1::/48": {"m"}})
	}, limit(20, 15*time.Minute))
}

// The bound by address is for new machines only: a fleet behind one NAT halts after
// the first failures that the policy asks for, all within one minute.
func TestAKnownFleetBehindOneAddressHaltsAtOnce(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		const nat, machines = "203.0.113.1", 12
		name := func(i int) string { return fmt.Sprint("m", i) }
		for i := range machines {
			if i%3 == 0 {
				s.advance(time.Minute)
			}
			s.answers(s.from(nat, name(i), "1.0.0"), "no_package")
		}
		s.answers(s.from(nat, "too many", "1.0.0"), "too_many_new_machines")
		s.advance(25 * time.Hour)
		for i := range machines {
			s.from(nat, name(i), "1.0.0")
		}
		s.promote("2.0.0")
		for i := range 5 {
			s.rolloutIs(rollout.RolloutActive)
			s.failsFrom(nat, name(i))
		}
		s.rolloutIs(rollout.RolloutHalted)
		for i := range machines {
			s.answers(s.from(nat, name(i), "1.0.0"), "halted")
		}
		s.blocksAre(map[string][]string{"203.0.113.0/24": {"m0", "m1", "m2", "m3", "m4"}})
		if n := s.Machines.Refusals().Total(quota.NewMachine); n != 1 {
			t.Errorf("%d refusals, want 1", n)
		}
	}, noPackage, limit(20, 15*time.Minute), quotas(quota.Quotas{NewMachinesPerAddress: 3}), withPolicy(func(p *rollout.Policy) {
		p.HaltFailureShare, p.HaltMinAttempts = 0.2, 5
	}))
}
