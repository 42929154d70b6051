package fleet

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/google/uuid"

	"github.com/coreroller/coreroller/rollout"
	"github.com/coreroller/coreroller/store"
	"github.com/coreroller/coreroller/store/lane"
)

// maxMachineID is the longest machine id in bytes; real ones are 32 to 38.
const maxMachineID = 50

// CheckIn answers what one machine says about one application. When it returns
// an Answer, everything the machine reported and was granted is on disk; only
// the moment it was last seen may be a second late, in a storm more (see
// touchRows). It fails with Unavailable when more is waiting than can be served.
func (s *Service) CheckIn(ctx context.Context, in CheckIn) (Answer, error) {
	group, verdict := s.Catalog().Find(in.AppID, in.Track, Arch(in.Board, in.Arch))
	if verdict != VerdictOK {
		return Answer{Verdict: verdict}, nil
	}
	version, ok := runningVersion(in.Version)
	if !ok {
		return Answer{Verdict: VerdictInvalidVersion}, nil
	}
	if isMirror(in.Machine) {
		return s.mirror(ctx, group, in, version)
	}
	if !validMachine(in.Machine) {
		return Answer{Verdict: VerdictInvalidMachine}, nil
	}
	asked := call{in: in, version: version, group: group, instance: store.InstanceID(group.App.ID, in.Machine)}
	now := s.now()
	if answer, ok := s.idle.answer(&asked, now); ok {
		s.rate.note(now)
		return answer, nil
	}
	call := new(call) // it outlives this function when the context ends first
	*call = asked
	switch err := s.lane.Do(ctx, call); {
	case errors.Is(err, lane.ErrFull):
		return Answer{}, Errorf(Unavailable, "", "too many machines are waiting: try again later")
	case errors.Is(err, lane.ErrClosed):
		return Answer{}, Errorf(Unavailable, "", "the server is stopping: try again later")
	case err != nil:
		return Answer{}, err
	}
	if call.view != nil {
		call.view.committed()
		if in.UpdateCheck {
			call.view.meter.checks.Add(1)
		}
	}
	s.idle.remember(call)
	s.rate.note(now)
	return call.answer, nil
}

// call is one check-in on its way through the lane.
type call struct {
	in       CheckIn
	version  rollout.Version
	group    *Group // as the machine named it
	instance uuid.UUID
	also     []uuid.UUID // groups to lock besides, known after the first try

	answer Answer
	after  *store.Machine // as it was written; nil: nothing was
	view   *view          // its group after the batch
}

// runningVersion reads the version of a request. Nothing, all zeroes and the
// word that forces an update on the OS daemon mean "no version", which is
// below every package.
func runningVersion(text string) (v rollout.Version, ok bool) {
	switch text {
	case "", "0.0.0", "0.0.0.0", "ForcedUpdate":
		return rollout.Version{}, true
	}
	if len(text) > 100 {
		return rollout.Version{}, false
	}
	return rollout.ParseVersion(text)
}

// isMirror reports whether a machine id is that of a downstream server: a UUID
// in braces.
func isMirror(id string) bool {
	return len(id) == 38 && strings.HasPrefix(id, "{") && uuid.Validate(id) == nil
}

func validMachine(id string) bool {
	if id == "" || len(id) > maxMachineID || !utf8.ValidString(id) {
		return false
	}
	for _, r := range id {
		if !unicode.IsGraphic(r) {
			return false
		}
	}
	return true
}

// mirror answers a downstream server, which is never written and never counted:
// all steps from the version it has to the target, in order, if it takes
// several manifests. It is kept back by what is wrong with the version (no
// package, blacklisted, paused, halted) and not by the pace of the group, since
// it has policies of its own.
func (s *Service) mirror(ctx context.Context, g *Group, in CheckIn, version rollout.Version) (Answer, error) {
	answer := Answer{PollInterval: g.Schedule.Policy().PollInterval}
	if !in.UpdateCheck {
		return answer, nil
	}
	err := s.store.View(ctx, s.now(), func(tx *store.Tx) error {
		states, err := tx.LockGroups(ctx, []uuid.UUID{g.ID})
		if err != nil || len(states) == 0 {
			return err
		}
		w := g.World(states[0])
		answer.Decision = rollout.Decide(&w, &rollout.Machine{ID: in.Machine, Version: version}, rollout.Check{}, tx.Now())
		return nil
	})
	if err != nil {
		return Answer{}, fmt.Errorf("answer a mirror: %w", err)
	}
	switch answer.Decision.Reason {
	case rollout.ReasonNone, rollout.ReasonUpToDate, rollout.ReasonNoPackage, rollout.ReasonBlacklisted, rollout.ReasonPaused, rollout.ReasonHalted:
		return answer, nil
	}
	var steps []Offer
	for _, f := range g.Floors {
		if version.Less(f.Version) && f.ID != g.Target.ID {
			steps = append(steps, *g.Offers[f.ID])
		}
	}
	if len(steps) > 0 && !in.MultiManifest {
		// It would skip the floors if it were given the target alone.
		answer.Decision = rollout.Decision{Reason: rollout.ReasonInvalidRequest}
		return answer, nil
	}
	answer.Offers = append(steps, *g.Offers[g.Target.ID])
	answer.Decision = rollout.Decision{Reason: rollout.ReasonGranted, Offer: g.Target}
	return answer, nil
}
