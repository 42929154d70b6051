package acceptance

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/coreroller/coreroller/ent/db/attempt"
	"github.com/coreroller/coreroller/ent/db/instance"
	"github.com/coreroller/coreroller/fleet"
	"github.com/coreroller/coreroller/fleet/fault"
	"github.com/coreroller/coreroller/rollout"
	"github.com/coreroller/coreroller/store/storetest"
)

// grantTimes returns the times of all grants of G's current rollout, sorted. Left out
// are a grant that repeats one that its machine put off before it began, and one that
// was withdrawn, which its machine took back with its next grant.
func (s *site) grantTimes() (all []time.Time) {
	s.t.Helper()
	id := s.rolloutOf(s.group).ID
	ended, err := s.store.Reader().Attempt.Query().Where(attempt.RolloutID(id)).Order(attempt.ByID()).All(s.ctx)
	s.ok(err)
	putOff, withdrawn := map[uuid.UUID]bool{}, map[uuid.UUID]time.Time{}
	add := func(machine uuid.UUID, at time.Time) {
		if putOff[machine] {
			return
		}
		if i := slices.Index(all, withdrawn[machine]); i >= 0 {
			all = slices.Delete(all, i, i+1)
		}
		all = append(all, at)
	}
	for _, a := range ended {
		add(a.InstanceID, a.GrantedAt)
		putOff[a.InstanceID] = a.Outcome == rollout.OutcomeDeferred && a.DownloadingAt == nil
		delete(withdrawn, a.InstanceID)
		if a.Outcome == rollout.OutcomeWithdrawn {
			withdrawn[a.InstanceID] = a.GrantedAt
		}
	}
	open, err := s.store.Reader().Instance.Query().Where(instance.OfferRolloutID(id), instance.GrantedAtNotNil()).All(s.ctx)
	s.ok(err)
	for _, m := range open {
		add(m.ID, *m.GrantedAt)
	}
	slices.SortFunc(all, time.Time.Compare)
	return all
}

// withinPeriods checks the period cap in every window and returns the number of
// grants.
func (s *site) withinPeriods(p rollout.Policy) (granted int) {
	s.t.Helper()
	all := s.grantTimes()
	for i, from := range all {
		n := 0
		for _, at := range all[i:] {
			if at.Before(from.Add(p.PeriodInterval)) {
				n++
			}
		}
		if n > p.MaxUpdatesPerPeriod {
			s.t.Errorf("%d grants in %v from %v on, want at most %d", n, p.PeriodInterval, from, p.MaxUpdatesPerPeriod)
		}
	}
	return len(all)
}

// withinConcurrency checks the number of grants in flight now. One statement reads
// a consistent state. Times in rows are not exact enough, because a server that
// waits for the lock writes the time at which its request began.
func (s *site) withinConcurrency(p rollout.Policy) {
	s.t.Helper()
	if n := s.open(); n > p.MaxConcurrentUpdates {
		s.t.Errorf("%d grants in flight at %v, want at most %d", n, s.clock.Now(), p.MaxConcurrentUpdates)
	}
}

// anyEvents are valid and invalid events that a machine may send at any time.
var anyEvents = []event{
	"13/1", "13/1", "14/1", "3/1", "800/1", "3/2 from", "3/2 from", "3/2 from 0.0.0.0", "3/2 from 1.0.0", "3/2",
	"3/0 268435465", "3/0 10", "3/0", "3/0 44", "3/9 40", "54/1", "1000/7",
}

func pick[T any](r *rand.Rand, all ...T) T { return all[r.IntN(len(all))] }

// P1: machines send random requests concurrently to several servers while the clock
// advances.
func TestP1_CapsHoldForAnyInterleaving(t *testing.T) {
	const (
		machines = 16
		clients  = 8
		requests = 40 // of each client
	)
	each(t, func(t *testing.T, s *site) {
		seed := rand.Uint64()
		t.Logf("seed %d", seed)
		for round := range storetest.Size(3, 25) {
			r := rand.New(rand.NewPCG(seed, uint64(round)))
			s.advance(48 * time.Hour) // leases and periods of the previous round have ended
			s.work()
			target := fmt.Sprintf("%d.0.0", 3+round)
			s.promote(target)
			p := casePolicy()
			p.MaxUpdatesPerPeriod, p.MaxConcurrentUpdates = 1+r.IntN(8), 1+r.IntN(5)
			p.PeriodInterval = time.Duration(1+r.IntN(60)) * time.Minute
			p.UpdateTimeout = time.Duration(1+r.IntN(30)) * time.Minute
			p.SafeMode, p.MaxAttempts = round%2 == 1, 100
			s.policy(func(old *rollout.Policy) { *old = p })
			atOnce(clients+1, func(client int) {
				r := rand.New(rand.NewPCG(seed+uint64(client), uint64(round)))
				for range requests {
					if client == clients {
						s.withinConcurrency(p)
						s.advance(time.Duration(r.Int64N(int64(p.PeriodInterval / 4))))
						if r.IntN(4) == 0 {
							s.resume("")
							s.on(r.IntN(len(s.servers))).work()
						}
						continue
					}
					q := s.checking(fmt.Sprint("m", r.IntN(machines)), pick(r, "1.0.0", "1.0.0", "1.0.0", target))
					q.check, q.ping = r.IntN(3) > 0, r.IntN(2) == 0
					for range r.IntN(3) {
						q.events = append(q.events, pick(r, anyEvents...))
					}
					s.on(r.IntN(len(s.servers))).ask(q)
				}
			})
			s.withinConcurrency(p)
			granted := s.withinPeriods(p)
			t.Logf("round %d: %d per %v, %d in flight, safe mode %t: %d grants", round, p.MaxUpdatesPerPeriod, p.PeriodInterval, p.MaxConcurrentUpdates, p.SafeMode, granted)
			s.activityCount(rollout.ActivityRolloutStarted, round+1)
			s.recount()
		}
	}, servers(3))
}

// P5: no order, repetition or loss of events keeps an attempt open beyond its
// lease, while operators make random changes.
func TestP5_NoMachineIsStuck(t *testing.T) {
	const machines = 40
	each(t, func(t *testing.T, s *site) {
		seed := rand.Uint64()
		t.Logf("seed %d", seed)
		r := rand.New(rand.NewPCG(seed, 0))
		h := s.newGroup("H", "h", casePolicy())
		versions := []string{"0.9.0", "1.0.0", "1.5.0", "2.0.0", "3.0.0"}
		for _, v := range versions {
			s.pkg(v)
		}
		for step := range storetest.Size(25, 200) {
			atOnce(machines+1, func(i int) {
				r := rand.New(rand.NewPCG(seed+uint64(i), uint64(step)))
				s := s.on(r.IntN(len(s.servers)))
				if i == machines {
					s.operate(r, versions, h)
					return
				}
				q := s.checking(fmt.Sprint("m", i), pick(r, "1.0.0", "1.0.0", "1.0.0", "1.0.0", "1.5.0", "2.0.0", "0.9.0", "3.0.0"))
				q.check, q.ping = r.IntN(3) > 0, r.IntN(2) == 0
				if r.IntN(20) == 0 {
					q.track = "h"
				}
				for range r.IntN(4) {
					q.events = append(q.events, pick(r, anyEvents...))
				}
				if r.IntN(4) > 0 {
					s.ask(q)
				}
			})
			s.leasesExpireSoon()
			s.advance(time.Duration(r.Int64N(int64(40 * time.Minute))))
			if r.IntN(3) == 0 {
				s.work()
			}
		}
		// From here on no machine sends requests.
		s.advance(time.Hour)
		s.work()
		s.leasesExpireSoon()
		for s.clock.Now().Before(begin.AddDate(0, 0, 30)) && s.open() > 0 {
			s.advance(25 * time.Hour)
			s.work()
		}
		if n := s.open(); n > 0 {
			t.Errorf("%d machines still have an open attempt", n)
		}
		floors, err := s.store.Reader().Floor.Query().All(s.ctx)
		s.ok(err)
		for _, f := range floors {
			_, err := s.RemoveFloor(s.ctx, fleet.RemoveFloor{ChannelID: s.channel, PackageID: f.PackageID})
			s.ok(err)
		}
		s.promote("4.0.0")
		s.policy(func(p *rollout.Policy) { *p = casePolicy(); p.MaxConcurrentUpdates, p.MaxUpdatesPerPeriod = 1000, 1000 })
		s.resume("")
		for i := range machines {
			m := fmt.Sprint("m", i)
			if row := s.instance(m); row != nil && row.Moved {
				_, err := s.MoveInstance(s.ctx, fleet.MoveInstance{ID: row.ID})
				s.ok(err)
			}
			s.releaseKnown(m)
			s.grants(m, "1.0.0", "4.0.0")
		}
	}, limit(30, 10*time.Minute), servers(2))
}

// releaseKnown releases a machine if it is known and in a group.
func (s *site) releaseKnown(machine string) {
	s.t.Helper()
	if m := s.instance(machine); m != nil && m.GroupID != nil {
		s.release(machine)
	}
}

// operate makes one random change of an operator.
func (s *site) operate(r *rand.Rand, versions []string, other uuid.UUID) {
	s.t.Helper()
	machine := fmt.Sprint("m", r.IntN(40))
	known := s.instance(machine) != nil
	var err error
	switch r.IntN(15) {
	case 0:
		s.pause("")
	case 1, 2, 3:
		s.resume("")
	case 4:
		s.halt("")
	case 5, 6:
		s.promote(pick(r, versions...))
	case 7:
		s.policy(func(p *rollout.Policy) {
			p.SafeMode, p.HaltFailureShare = r.IntN(2) == 0, pick(r, 0, 0.3)
			p.UpdateTimeout = time.Duration(1+r.IntN(60)) * time.Minute
			p.MaxAttempts = 1 + r.IntN(3)
		})
	case 8:
		if known {
			_, err = s.HoldInstance(s.ctx, fleet.HoldInstance{ID: s.instanceID(machine)})
		}
	case 9:
		if known {
			_, err = s.PinInstance(s.ctx, fleet.PinInstance{ID: s.instanceID(machine), Version: pick(r, versions...)})
		}
	case 10:
		s.releaseKnown(machine)
	case 11:
		if known {
			group := fleet.MoveInstance{ID: s.instanceID(machine)}
			if r.IntN(2) == 0 {
				group.GroupID = &other
			}
			_, err = s.MoveInstance(s.ctx, group)
		}
	case 12:
		if v := pick(r, versions...); r.IntN(2) == 0 {
			_, err = s.AddFloor(s.ctx, fleet.AddFloor{ChannelID: s.channel, PackageID: s.pkg(v)})
		} else {
			_, err = s.RemoveFloor(s.ctx, fleet.RemoveFloor{ChannelID: s.channel, PackageID: s.pkg(v)})
		}
	case 13:
		s.policy(func(p *rollout.Policy) {
			p.Waves = pick(r, nil, []rollout.Wave{{Share: 0.3, Soak: time.Minute, MinFinished: 2}, {Share: 1}})
		})
	case 14:
		if r.IntN(5) == 0 {
			err = s.DeleteGroup(s.ctx, fleet.DeleteGroup{ID: other, Force: true})
		}
	}
	if fault.CodeOf(err) != "" {
		err = nil // a refused change is expected
	}
	s.ok(err)
}

// leasesExpireSoon checks that the lease of every open attempt ends within an hour.
func (s *site) leasesExpireSoon() {
	s.t.Helper()
	rows, err := s.store.Reader().Instance.Query().Where(instance.GrantedAtNotNil()).All(s.ctx)
	s.ok(err)
	now := s.clock.Now()
	for _, m := range rows {
		longest := now.Add(time.Hour)
		if m.State == rollout.StateInstalled {
			longest = now.Add(150 * time.Minute) // 3 polls
		}
		if !m.State.InFlight() || m.LeaseUntil == nil || m.LeaseUntil.After(longest) {
			s.t.Errorf("stuck: %s", m)
		}
	}
}

// open counts attempts that have not ended.
func (s *site) open() int {
	s.t.Helper()
	n, err := s.store.Reader().Instance.Query().Where(instance.GrantedAtNotNil()).Count(s.ctx)
	s.ok(err)
	return n
}
