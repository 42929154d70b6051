package demo

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

// stepTimeout limits the wait for each step of the script, because users of the
// dashboard may pause or change the rollout.
const stepTimeout = 6 * time.Minute

// runScript shows a rollout, a halt and the rollout of the fix.
func (w *world) runScript(ctx context.Context) error {
	w.report("372 machines check in")
	if err := sleep(ctx, 8*time.Second); err != nil {
		return err
	}
	w.report("promoting 1.1.0 to the canaries and to the lab; the lab's second wave waits for your approval")
	if err := errors.Join(w.promote(ctx, osApp, "alpha", "1.1.0"), w.promote(ctx, agentApp, "stable", "2.5.0")); err != nil {
		return err
	}
	if _, err := w.rollOut(ctx, "beta", canary, "1.1.0"); err != nil {
		return err
	}
	w.report("the canaries run 1.1.0: promoting it to production, in waves of 5, 25, 60 and 100 %")
	if _, err := w.rollOut(ctx, "stable", production, "1.1.0"); err != nil {
		return err
	}
	w.report("promoting " + badVersion + ", a bad version, to the canaries")
	result, err := w.rollOut(ctx, "beta", canary, badVersion)
	if err != nil {
		return err
	}
	if result.state == rollout.RolloutHalted {
		w.report(fmt.Sprintf("the rollout was halted: %d of %d attempts failed; see the group canary for details. Production never got the version",
			result.halt.Failed, result.halt.Finished))
	}
	if err := sleep(ctx, 45*time.Second); err != nil {
		return err
	}
	w.report("promoting the fix 1.2.1 to the canaries")
	if _, err := w.rollOut(ctx, "beta", canary, "1.2.1"); err != nil {
		return err
	}
	w.report("the canaries run 1.2.1: promoting it to production")
	if _, err := w.rollOut(ctx, "stable", production, "1.2.1"); err != nil {
		return err
	}
	w.report("the script is finished; the machines continue. Try it yourself: promote 1.3.0, pause a group, approve the lab's second wave")
	return nil
}

// rollOut promotes a version of the operating system and waits for the end of the
// rollout in a group.
func (w *world) rollOut(ctx context.Context, channel, group, version string) (rolloutResult, error) {
	if err := w.promote(ctx, osApp, channel, version); err != nil {
		return rolloutResult{}, err
	}
	return w.await(ctx, group, version, stepTimeout)
}

func (w *world) promote(ctx context.Context, app, channel, version string) error {
	target := w.ids.packages[app+"/"+version]
	_, err := w.service.PromotePackage(ctx, fleet.PromotePackage{
		ChannelID: w.ids.channels[app+"/"+channel], PackageID: &target, Reason: "demo",
	})
	switch fault.CodeOf(err) {
	case fault.NotFound, fault.Conflict, fault.Invalid: // a user changed the sample data
		w.report(fmt.Sprintf("could not promote %s to %s: %v", version, channel, err))
		return nil
	default:
		return err
	}
}

// rolloutResult is the state of a rollout that ended or timed out.
type rolloutResult struct {
	state rollout.RolloutState
	halt  rollout.Halt
}

// await waits until a rollout is completed, halted or superseded, but not longer
// than the timeout.
func (w *world) await(ctx context.Context, group, version string, timeout time.Duration) (rolloutResult, error) {
	timedOut := time.After(timeout)
	tick := time.NewTicker(500 * time.Millisecond)
	defer tick.Stop()
	for {
		result, err := w.rolloutOf(ctx, w.ids.groups[osApp+"/"+group], version)
		if err != nil {
			return result, err
		}
		if result.state != rollout.RolloutActive && result.state != rollout.RolloutPaused {
			return result, nil
		}
		select {
		case <-ctx.Done():
			return result, ctx.Err()
		case <-timedOut:
			return result, nil
		case <-tick.C:
		}
	}
}

// rolloutOf returns the newest rollout of a version in a group.
func (w *world) rolloutOf(ctx context.Context, group uuid.UUID, version string) (result rolloutResult, err error) {
	rows, err := w.store.Reader().GroupRollout.Query().All(ctx) // the demo has a few
	var newest time.Time
	for _, r := range rows {
		if r.GroupID == group && r.Version == version && r.CreatedAt.After(newest) {
			newest, result = r.CreatedAt, rolloutResult{r.State, r.Halt}
		}
	}
	return result, err
}

func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}
