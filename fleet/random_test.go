package fleet_test

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/coreroller/coreroller/fleet"
	"github.com/coreroller/coreroller/fleet/checkin"
	"github.com/coreroller/coreroller/fleet/fault"
	"github.com/coreroller/coreroller/rollout"
	"github.com/coreroller/coreroller/store/storetest"
)

// After random actions of operators and machines every counter equals a recount,
// and no cap is exceeded.
func TestCountersAndCapsHoldInRandomOrder(t *testing.T) {
	for seed := range uint64(8) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			newRandomRun(newHarness(t, storetest.SQLite(t)), seed).run(150)
		})
	}
	t.Run("postgres", func(t *testing.T) { newRandomRun(newHarness(t, storetest.Postgres(t)), 99).run(100) })
}

type randomRun struct {
	*harness
	*setup
	rand   *rand.Rand
	groups []uuid.UUID
	done   []string
}

func newRandomRun(d *harness, seed uint64) *randomRun {
	x := &randomRun{harness: d, setup: d.setup(), rand: rand.New(rand.NewPCG(seed, 1))}
	for _, version := range []string{"1.5.0", "3.0.0"} {
		d.addPackage(x.setup, version)
	}
	other := must(d.CreateGroup(d.ctx, fleet.CreateGroup{ApplicationID: x.app.ID, Name: "other", Track: "u", ChannelID: &x.channel.ID}))(d.t)
	x.groups = []uuid.UUID{x.group.ID, other.ID}
	return x
}

func (x *randomRun) run(steps int) {
	for range steps {
		name, err := x.step()
		x.done = append(x.done, name)
		if err != nil && fault.CodeOf(err) == "" {
			x.t.Fatalf("%s: %v\nafter %v", name, err, x.done)
		}
		x.checkCounters()
		for _, id := range x.groups {
			if n := must(x.View.GroupNumbers(x.ctx, id))(x.t); n.GrantedInPeriod > n.PeriodLimit {
				x.t.Errorf("%d grants in the period, want at most %d", n.GrantedInPeriod, n.PeriodLimit)
			}
		}
		if x.t.Failed() {
			x.t.Fatalf("after %v", x.done)
		}
	}
}

func pick[T any](x *randomRun, from ...T) T { return from[x.rand.IntN(len(from))] }

// step makes one random action. It may return an expected error.
func (x *randomRun) step() (name string, err error) {
	machine := pick(x, "a", "b", "c", "d", "e")
	version := pick(x, "1.0.0", "1.0.0", "1.5.0", "2.0.0", "3.0.0")
	group, id := pick(x, x.groups...), x.instance(machine)
	say := func(format string, args ...any) { name = fmt.Sprintf(format, args...) }
	switch x.rand.IntN(16) {
	case 0, 1, 2, 3, 4:
		track := pick(x, "t", "t", "t", "u")
		say("check %s@%s %s", machine, version, track)
		_, err = x.Machines.CheckIn(x.ctx, checkin.CheckIn{AppID: x.app.ID.String(), Track: track, Machine: machine, Version: version, UpdateCheck: true})
	case 5, 6, 7:
		e := pick(x, rollout.Event{Type: 13, Result: 1}, rollout.Event{Type: 14, Result: 1}, rollout.Event{Type: 3, Result: 1},
			rollout.Event{Type: 3, Result: 0, Code: 9}, rollout.Event{Type: 3, Result: 0, Code: 44}, rollout.Event{Type: 3, Result: 9, Code: 40})
		say("event %s %d/%d", machine, e.Type, e.Result)
		_, err = x.Machines.CheckIn(x.ctx, checkin.CheckIn{AppID: x.app.ID.String(), Track: "t", Machine: machine, Version: "1.0.0", Events: []rollout.Event{e}})
	case 8:
		say("promote %s", version)
		p := x.packages[version] // no package for 1.0.0: the channel becomes empty
		_, err = x.PromotePackage(x.ctx, fleet.PromotePackage{ChannelID: x.channel.ID, PackageID: pick(x, &p, &p, &p, nil)})
	case 9:
		say("hold %s", machine)
		_, err = x.HoldInstance(x.ctx, fleet.HoldInstance{ID: id, Until: pick(x, nil, new(x.clock().Add(time.Hour)))})
	case 10:
		say("release %s", machine)
		_, err = x.ReleaseInstance(x.ctx, fleet.ReleaseInstance{ID: id})
	case 11:
		to := pick(x, &group, nil)
		say("move %s to %v", machine, to)
		_, err = x.MoveInstance(x.ctx, fleet.MoveInstance{ID: id, GroupID: to})
	case 12:
		say("pause")
		_, err = x.PauseUpdates(x.ctx, fleet.PauseUpdates{GroupID: group})
	case 13:
		say("resume")
		_, err = x.ResumeUpdates(x.ctx, fleet.ResumeUpdates{GroupID: group})
	case 14:
		by := pick(x, time.Minute, 20*time.Minute, 2*time.Hour)
		say("wait %v", by)
		x.wait(by)
	case 15:
		say("floor")
		if pick(x, true, false) {
			_, err = x.AddFloor(x.ctx, fleet.AddFloor{ChannelID: x.channel.ID, PackageID: x.packages["1.5.0"]})
		} else {
			_, err = x.RemoveFloor(x.ctx, fleet.RemoveFloor{ChannelID: x.channel.ID, PackageID: x.packages["1.5.0"]})
		}
	}
	return name, err
}
