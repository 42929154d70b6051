package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/coreroller/coreroller/fleet"
	"github.com/coreroller/coreroller/fleet/fault"
	"github.com/coreroller/coreroller/rollout"
)

// The story the demo tells. Each step waits for what it shows, but not for
// ever: whoever plays with the dashboard meanwhile may change its course.

// story tells the story once.
func (d *demo) story(ctx context.Context) error {
	const patience = 6 * time.Minute
	d.say("372 machines check in")
	if err := d.pause(ctx, 8*time.Second); err != nil {
		return err
	}
	d.say("1.1.0 goes to the canaries and to the lab, which updates one machine first and then waits for your approval")
	if err := errors.Join(d.promote(ctx, demoOS, "beta", "1.1.0"), d.promote(ctx, demoOS, "alpha", "1.1.0"),
		d.promote(ctx, demoAgent, "stable", "2.5.0")); err != nil {
		return err
	}
	if _, err := d.await(ctx, canary, "1.1.0", patience); err != nil {
		return err
	}
	d.say("the canaries run 1.1.0: it goes to production, in waves of 5, 25, 60 and 100 %")
	if err := d.promote(ctx, demoOS, "stable", "1.1.0"); err != nil {
		return err
	}
	if _, err := d.await(ctx, production, "1.1.0", patience); err != nil {
		return err
	}
	d.say(demoBad + " goes to the canaries, and it is a bad one")
	if err := d.promote(ctx, demoOS, "beta", demoBad); err != nil {
		return err
	}
	end, err := d.await(ctx, canary, demoBad, patience)
	if err != nil {
		return err
	}
	if end.state == rollout.RolloutHalted {
		d.say(fmt.Sprintf("halted by itself: %d of %d attempts failed. The group canary says why; production never saw it",
			end.halt.Failed, end.halt.Finished))
	}
	if err := d.pause(ctx, 45*time.Second); err != nil {
		return err
	}
	return d.mend(ctx, patience)
}

// mend is the second half: the mended version reaches everybody.
func (d *demo) mend(ctx context.Context, patience time.Duration) error {
	d.say("1.2.1 mends it and goes to the canaries")
	if err := d.promote(ctx, demoOS, "beta", "1.2.1"); err != nil {
		return err
	}
	if _, err := d.await(ctx, canary, "1.2.1", patience); err != nil {
		return err
	}
	d.say("the canaries run 1.2.1: it goes to production")
	if err := d.promote(ctx, demoOS, "stable", "1.2.1"); err != nil {
		return err
	}
	if _, err := d.await(ctx, production, "1.2.1", patience); err != nil {
		return err
	}
	d.say("that was the story; the fleet goes on. Promote 1.3.0 yourself, pause a group, open the lab's second wave")
	return nil
}

func (d *demo) promote(ctx context.Context, app, channel, version string) error {
	target := d.ids.packages[app+"/"+version]
	_, err := d.fleet.PromotePackage(ctx, fleet.PromotePackage{
		ChannelID: d.ids.channels[app+"/"+channel], PackageID: &target, Reason: "the demo's story",
	})
	switch fault.CodeOf(err) {
	case "":
		return err
	case fault.NotFound, fault.Conflict, fault.Invalid: // somebody plays with it: the story goes on without
		d.say(fmt.Sprintf("%s cannot be promoted to %s any more: %v", version, channel, err))
		return nil
	default:
		return err
	}
}

// ending is how a rollout came to rest.
type ending struct {
	state rollout.RolloutState
	halt  rollout.Halt
}

// await returns when a rollout is completed, halted or superseded, or after
// the patience.
func (d *demo) await(ctx context.Context, group, version string, patience time.Duration) (ending, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, patience, errPatience)
	defer cancel()
	tick := time.NewTicker(500 * time.Millisecond)
	defer tick.Stop()
	for {
		end, err := d.rolloutOf(ctx, d.ids.groups[demoOS+"/"+group], version)
		if err != nil && ctx.Err() == nil {
			return end, err
		}
		if end.state != rollout.RolloutActive && end.state != rollout.RolloutPaused {
			return end, nil
		}
		select {
		case <-ctx.Done():
			if errors.Is(context.Cause(ctx), errPatience) {
				return end, nil
			}
			return end, ctx.Err()
		case <-tick.C:
		}
	}
}

var errPatience = errors.New("waited long enough")

// rolloutOf reads the newest rollout of a group to a version.
func (d *demo) rolloutOf(ctx context.Context, group uuid.UUID, version string) (end ending, err error) {
	rows, err := d.store.Reader().GroupRollout.Query().All(ctx) // a handful
	var newest time.Time
	for _, r := range rows {
		if r.GroupID == group && r.Version == version && r.CreatedAt.After(newest) {
			newest, end = r.CreatedAt, ending{r.State, r.Halt}
		}
	}
	return end, err
}

func (d *demo) pause(ctx context.Context, length time.Duration) error {
	timer := time.NewTimer(length)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}
