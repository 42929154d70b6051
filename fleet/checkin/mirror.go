package checkin

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/coreroller/coreroller/fleet/catalog"
	"github.com/coreroller/coreroller/fleet/quota"
	"github.com/coreroller/coreroller/rollout"
	"github.com/coreroller/coreroller/store"
)

// maxFetched is the longest stored list of versions, in bytes.
const maxFetched = 256

// declaresMirror reports whether a request says that it comes from a downstream
// server: it accepts several manifests, or it is that of Nebraska's syncer. The id
// alone says nothing.
func (in *CheckIn) declaresMirror() bool {
	return in.MultiManifest || in.Syncer && len(in.Machine) == 38 && in.Machine[0] == '{' && uuid.Validate(in.Machine) == nil
}

// admitsMirror reports whether a declared mirror is served as one. Others are
// answered like machines.
func (s *Service) admitsMirror(in *CheckIn, g *catalog.Group) bool {
	if s.quotas.Mirrors.Admit(in.Machine) {
		return true
	}
	s.refusals.Add(quota.Mirror, g.ID, 1)
	s.mirrors.refuse(g.ID, in, s.now())
	return false
}

// mirror answers a downstream server, which is never counted. It is only listed.
// If it accepts several manifests it gets all steps from its version to the
// target, in order. It waits only for what concerns the version (no package,
// blacklisted, paused, halted) and not for the group's pace, because it has
// policies of its own.
func (s *Service) mirror(ctx context.Context, g *catalog.Group, in CheckIn, version rollout.Version) (answer Answer, err error) {
	answer = Answer{PollInterval: g.Schedule.Policy().PollInterval}
	if !in.UpdateCheck {
		s.mirrors.note(g.ID, &in, nil, s.now())
		return answer, nil
	}
	if in.Withdrawals {
		answer.Channel = channelState(g, in.Track)
	}
	err = s.store.View(ctx, s.now(), func(tx *store.Tx) error {
		states, err := tx.LockGroups(ctx, []uuid.UUID{g.ID})
		if err != nil || len(states) == 0 {
			return err
		}
		w := g.World(states[0], s.now(), &rollout.Effects{})
		m := rollout.Machine{ID: in.Machine, Version: version}
		if w.Policy.Policy().EnrolledOnly {
			if m.Enrolled, err = enrolled(ctx, tx, store.InstanceID(g.App.ID, in.Machine)); err != nil {
				return err
			}
		}
		answer.Decision = rollout.Decide(&w, &m, in.Check, tx.Now())
		return nil
	})
	if err != nil {
		return Answer{}, fmt.Errorf("answer a mirror: %w", err)
	}
	defer func() { s.mirrors.note(g.ID, &in, answer.Offers, s.now()) }()
	switch answer.Decision.Reason {
	case rollout.ReasonNone, rollout.ReasonUpToDate, rollout.ReasonOutsideClientPrefix, rollout.ReasonDisabledByClient, rollout.ReasonNoPackage, rollout.ReasonBlacklisted,
		rollout.ReasonNotEnrolled, rollout.ReasonPaused, rollout.ReasonHalted:
		return answer, nil
	}
	var steps []catalog.Offer
	for _, f := range g.Floors {
		if version.Less(f.Version) && f.ID != g.Target.ID && f.Version.HasPrefix(in.Prefix) {
			steps = append(steps, *g.Offers[f.ID])
		}
	}
	if len(steps) > 0 && !in.MultiManifest {
		// The target alone would make it skip the floors.
		answer.Decision = rollout.Decision{Reason: rollout.ReasonInvalidRequest}
		return answer, nil
	}
	if g.Target.Version.HasPrefix(in.Prefix) {
		steps = append(steps, *g.Offers[g.Target.ID])
	}
	answer.Offers = steps
	answer.Decision = rollout.Decision{Reason: rollout.ReasonGranted, Offer: g.Target}
	return answer, nil
}

// maxWithdrawn limits the versions that a mirror is sent as withdrawn, those with the
// highest ones.
const maxWithdrawn = 100

// channelState returns what the group's channel has and withdrew.
func channelState(g *catalog.Group, track string) *ChannelState {
	state := &ChannelState{Track: track, Arch: g.Arch}
	if g.Channel == nil {
		return state
	}
	if g.Channel.Target != nil {
		state.Version = g.Channel.Target.Version.String()
	}
	for _, b := range g.Channel.Blacklisted {
		state.Withdrawn = append(state.Withdrawn, *b)
	}
	slices.SortFunc(state.Withdrawn, func(a, b catalog.Blacklisted) int {
		return cmp.Or(b.Version.Compare(a.Version), cmp.Compare(a.Version.String(), b.Version.String()))
	})
	state.Withdrawn = state.Withdrawn[:min(len(state.Withdrawn), maxWithdrawn)]
	return state
}

// TakeMirrors returns the mirrors seen since the last call, for the worker to write.
func (s *Service) TakeMirrors() []store.Mirror { return s.mirrors.take() }

// mirrorLog collects the mirrors that this process saw since the last take.
type mirrorLog struct {
	mu   sync.Mutex
	seen map[mirrorKey]*store.Mirror
}

type mirrorKey struct {
	group   uuid.UUID
	machine string
}

// note adds a request of a mirror that was served.
func (l *mirrorLog) note(group uuid.UUID, in *CheckIn, offers []catalog.Offer, now time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if m := l.of(group, in, now); m != nil {
		m.Served = true
		if len(offers) > 0 {
			m.Fetched = versionsOf(offers)
		}
	}
}

// refuse adds a request of a mirror that was answered like a machine.
func (l *mirrorLog) refuse(group uuid.UUID, in *CheckIn, now time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if m := l.of(group, in, now); m != nil {
		m.Served = false
	}
}

// of counts a request and returns its mirror, nil if there are too many. mu is held.
func (l *mirrorLog) of(group uuid.UUID, in *CheckIn, now time.Time) *store.Mirror {
	key := mirrorKey{group, in.Machine}
	m := l.seen[key]
	if m == nil {
		if len(l.seen) >= store.MaxMirrors {
			return nil
		}
		if l.seen == nil {
			l.seen = map[mirrorKey]*store.Mirror{}
		}
		m = &store.Mirror{GroupID: group, MachineID: in.Machine, FirstAt: now}
		l.seen[key] = m
	}
	m.Requests++
	m.Address, m.Version, m.LastAt = in.Address, in.Version, now
	return m
}

func (l *mirrorLog) take() []store.Mirror {
	l.mu.Lock()
	defer l.mu.Unlock()
	all := make([]store.Mirror, 0, len(l.seen))
	for _, m := range l.seen {
		all = append(all, *m)
	}
	l.seen = nil
	return all
}

// versionsOf lists the versions of offers, with "…" in place of those that do not
// fit.
func versionsOf(offers []catalog.Offer) string {
	var all []string
	length := 0
	for i := range offers {
		version := offers[i].Package.Version
		if length += len(version) + 1; length > maxFetched {
			all = append(all, "…")
			break
		}
		all = append(all, version)
	}
	return strings.Join(all, " ")
}

// enrolled reports whether a person enrolled a machine.
func enrolled(ctx context.Context, tx *store.Tx, id uuid.UUID) (bool, error) {
	found, err := tx.Machines(ctx, []uuid.UUID{id})
	m := found[id]
	return m != nil && m.Enrolled, err
}
