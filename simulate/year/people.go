package year

import (
	"fmt"
	"time"

	"github.com/coreroller/coreroller/fleet"
	"github.com/coreroller/coreroller/fleet/fault"
	"github.com/coreroller/coreroller/fleet/view"
	"github.com/coreroller/coreroller/rollout"
	"github.com/coreroller/coreroller/store"
)

// Days of the week on which people do something.
const (
	releaseDay = 0 // to the canaries
	promoteDay = 2 // to everyone, if the canaries are well
)

// people do what is due on a day. The last two weeks are calm, so that the end shows
// which machines are stuck.
func (y *year) people(today int, now time.Duration) error {
	week, weekday, calm := today/7, today%7, today > y.options.Days-14
	if weekday == releaseDay && !calm {
		if err := y.release(week); err != nil {
			return err
		}
	}
	if weekday == promoteDay {
		if err := y.promote(); err != nil {
			return err
		}
	}
	if err := y.repair(today); err != nil {
		return err
	}
	if calm {
		return nil
	}
	return first(
		func() error { return y.interfere(today, week, weekday) },
		func() error { return y.churn(now) },
		func() error { return y.single(now) },
		func() error { return y.restart(today, now) },
	)
}

// first returns the first error.
func first(steps ...func() error) error {
	for _, f := range steps {
		if err := f(); err != nil {
			return err
		}
	}
	return nil
}

// release publishes a version for the canaries. One of six is broken, one of six is
// broken on all machines but the canaries.
func (y *year) release(week int) error {
	r, err := y.publish([]kind{good, good, broken, good, good, regress}[week%6])
	if err != nil {
		return err
	}
	return y.point(beta, r, "week "+fmt.Sprint(week))
}

// point points a channel to a release. Every group on it starts a rollout.
func (y *year) point(channel string, r *release, reason string) error {
	_, err := y.server.fleet.PromotePackage(y.ctx, fleet.PromotePackage{ChannelID: y.channels[channel], PackageID: &r.id, Reason: reason})
	if err != nil {
		return fmt.Errorf("promote %s to %s: %w", r.version, channel, err)
	}
	y.targets[channel] = r
	for _, g := range y.groups {
		if g.channel == channel {
			g.touched, g.halted = false, 0
		}
	}
	return nil
}

// promote points the stable channel to the newest release, unless the canaries halted on
// it, and notes the forecasts.
func (y *year) promote() error {
	r := y.releases[len(y.releases)-1]
	if r.pulled || y.groups[0].halted > 0 || r == y.targets[stable] {
		return nil
	}
	if err := y.point(stable, r, "the canaries are well"); err != nil {
		return err
	}
	for _, g := range y.groups {
		if g.channel != stable || r.kind != good {
			continue
		}
		f, err := y.server.fleet.View.SimulateRollout(y.ctx, view.SimulateRollout{GroupID: g.id, FailureShare: .025, SilentShare: .01})
		if err != nil {
			return fmt.Errorf("forecast of %s: %w", g.name, err)
		}
		if length := reaches(f, y.server.clock()); length > 0 {
			y.judging = append(y.judging, &prediction{group: g, number: r.number, at: y.server.clock(), reaches: length})
		}
	}
	return nil
}

// repair looks at the groups. A halted rollout is rolled back on the day after; an approval
// is given on the day on which a wave waits for it.
func (y *year) repair(today int) error {
	for _, g := range y.groups {
		rollouts, err := y.server.fleet.View.CurrentRollouts(y.ctx, ids(g))
		if err != nil {
			return err
		}
		row := rollouts[g.id]
		if row == nil {
			continue
		}
		if row.State == rollout.RolloutHalted && g.halted == 0 {
			g.halted = today
			y.result.Halts++
			continue
		}
		if g.halted > 0 && g.halted < today {
			if err := y.rollBack(g); err != nil {
				return err
			}
		}
		if g.name == "approved" && row.State == rollout.RolloutActive && row.GateAt != nil && row.Wave == 1 {
			_, err := y.server.fleet.AdvanceWave(y.ctx, fleet.AdvanceWave{GroupID: g.id, Reason: "looks well"})
			if err != nil && fault.CodeOf(err) == "" {
				return fmt.Errorf("approve: %w", err)
			}
			g.touched = true
		}
	}
	return nil
}

// rollBack points the channel of a halted group back to the latest good release. A release
// that is not bad was halted by chance, and goes on.
func (y *year) rollBack(g *group) error {
	bad, back := y.targets[g.channel], y.latestGood()
	if bad.kind == good {
		g.halted, g.touched = 0, true
		y.result.FalseHalts++
		_, err := y.server.fleet.ResumeUpdates(y.ctx, fleet.ResumeUpdates{GroupID: g.id, Reason: "the failures have other causes"})
		return err
	}
	bad.pulled = true
	_, err := y.server.fleet.RollBack(y.ctx, fleet.RollBack{ChannelID: new(y.channels[g.channel]), ToPackageID: back.id, Reason: "halted", BlacklistCurrent: true})
	if err != nil {
		return fmt.Errorf("roll back %s: %w", bad.version, err)
	}
	y.targets[g.channel] = back
	y.result.RollBacks++
	for _, other := range y.groups {
		if other.channel == g.channel {
			other.halted, other.touched = 0, true
		}
	}
	return nil
}

// latestGood is the newest release that is not bad.
func (y *year) latestGood() *release {
	for i := len(y.releases) - 1; ; i-- {
		if r := y.releases[i]; r.kind == good && !r.pulled || i == 0 {
			return r
		}
	}
}

// interfere pauses a group for a day and a half every fifth week, and changes the caps of
// another one in the middle of a rollout every fourth.
func (y *year) interfere(today, week, weekday int) error {
	f := y.server.fleet
	night, frozen := y.groups[1], y.groups[2]
	if week%5 == 3 && weekday == 3 && night.halted == 0 {
		if _, err := f.PauseUpdates(y.ctx, fleet.PauseUpdates{GroupID: night.id, Reason: "maintenance"}); err != nil {
			return fmt.Errorf("pause: %w", err)
		}
		night.paused, night.touched = today+2, true
		y.result.Pauses++
	}
	if night.paused > 0 && today >= night.paused {
		if _, err := f.ResumeUpdates(y.ctx, fleet.ResumeUpdates{GroupID: night.id, Reason: "maintenance is over"}); err != nil {
			return fmt.Errorf("resume: %w", err)
		}
		night.paused = 0
	}
	if week%4 == 1 && weekday == 3 {
		p := frozen.policy(y, frozen.machines)
		if week%8 == 1 {
			p.MaxConcurrentUpdates = max(2, p.MaxConcurrentUpdates/2)
		}
		if _, err := f.UpdatePolicy(y.ctx, fleet.UpdatePolicy{GroupID: frozen.id, Policy: p, Reason: "another pace"}); err != nil {
			return fmt.Errorf("change the policy: %w", err)
		}
		frozen.touched = true
		y.result.PolicyChanges++
	}
	return nil
}

// churn ends one machine in 600 for good and adds as many.
func (y *year) churn(now time.Duration) error {
	n := max(1, len(y.members)/600)
	for range n {
		i := y.random.IntN(len(y.members))
		m := y.members[i]
		y.steps.Remove(m.Machine)
		y.members[i] = y.members[len(y.members)-1]
		y.members = y.members[:len(y.members)-1]
		if err := y.join(m.group, 1, now); err != nil {
			return err
		}
	}
	y.result.Replaced += n
	return nil
}

// single holds some machines for five days and moves some to another group.
func (y *year) single(now time.Duration) error {
	f := y.server.fleet
	for range max(1, len(y.members)/2000) {
		m := y.members[y.random.IntN(len(y.members))]
		id := store.InstanceID(appID(), m.Identity.Machine)
		if now-m.since < 2*y.options.Interval {
			continue // the server may not know it yet
		}
		if until := y.server.clock().Add(5 * day); y.random.IntN(2) == 0 {
			if _, err := f.HoldInstance(y.ctx, fleet.HoldInstance{ID: id, Reason: "looked at", Until: &until}); err != nil {
				return fmt.Errorf("hold: %w", err)
			}
			m.held = now + 5*day
			y.result.Held++
			continue
		}
		to := y.groups[1+y.random.IntN(len(y.groups)-1)]
		if _, err := f.MoveInstance(y.ctx, fleet.MoveInstance{ID: id, GroupID: &to.id, Reason: "moved"}); err != nil {
			return fmt.Errorf("move: %w", err)
		}
		m.group = to
		y.result.Moved++
	}
	return nil
}

// restart closes the server for one to four hours every ninth day.
func (y *year) restart(today int, now time.Duration) error {
	if today%9 != 5 {
		return nil
	}
	y.downTill = now + time.Hour + time.Duration(y.random.IntN(180))*time.Minute
	y.result.Restarts++
	return y.server.close()
}
