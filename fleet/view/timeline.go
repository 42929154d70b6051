package view

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/coreroller/coreroller/auth"
	"github.com/coreroller/coreroller/ent/db"
	"github.com/coreroller/coreroller/ent/db/activity"
	"github.com/coreroller/coreroller/ent/db/statpoint"
	"github.com/coreroller/coreroller/fleet/catalog"
	"github.com/coreroller/coreroller/fleet/fault"
	"github.com/coreroller/coreroller/rollout"
)

// maxMarks limits the changes of the group, and the overrides of machines, in a timeline.
const maxMarks = 100

// Timeline is the history of a group in columns: the n-th number of each series
// belongs to the n-th time.
type Timeline struct {
	From, Until time.Time
	Resolution  time.Duration // between two times
	Times       []time.Time   // oldest first
	States      []StateSeries
	Versions    []VersionSeries // highest first
	// Each active machine is in exactly one of these at each time.
	OnTarget, AboveTarget, BadVersion, InFlight, Failed, Waiting []int

	Pace  Pace
	Marks []*db.Activity // changes of the group and overrides of machines, oldest first
}

// StateSeries counts the active machines in one state.
type StateSeries struct {
	State    rollout.State
	Machines []int
}

// VersionSeries counts the active machines that run one version.
type VersionSeries struct {
	Version  string
	Machines []int
}

// Timeline reads the recorded points of a group between two times, at the highest
// resolution that is still stored for the start.
func (s *Service) Timeline(ctx context.Context, groupID uuid.UUID, from, until time.Time) (*Timeline, error) {
	if _, err := fault.Require(ctx, auth.Viewer); err != nil {
		return nil, err
	}
	if !from.Before(until) {
		return nil, fault.Errorf(fault.Invalid, "until", "must be after from")
	}
	g := s.seen(ctx).Group(groupID)
	if g == nil {
		return nil, fault.Errorf(fault.NotFound, "groupId", "there is no such group")
	}
	t := &Timeline{From: from.UTC(), Until: until.UTC(), Resolution: resolutionOf(s.now().Sub(from))}
	points, err := s.db().StatPoint.Query().
		Where(statpoint.GroupID(groupID), statpoint.Resolution(int(t.Resolution/time.Second)), statpoint.AtGTE(t.From), statpoint.AtLTE(t.Until)).
		Order(statpoint.ByAt()).All(ctx)
	if err != nil {
		return nil, fmt.Errorf("read points: %w", err)
	}
	t.fill(points)
	targets, err := s.targets(ctx, groupID, t.From, t.Until)
	if err != nil {
		return nil, err
	}
	t.fillBands(g, points, targets)
	if t.Pace, err = s.paceOf(ctx, groupID, t); err != nil {
		return nil, err
	}
	t.Marks, err = s.marks(ctx, g, t.From, t.Until)
	return t, err
}

// resolutionOf returns the distance of the points of a timeline with this length:
// points of 30 seconds are stored for 2 hours, of 5 minutes for 2 days, of an hour
// for 30 days, of a day for 2 years.
func resolutionOf(back time.Duration) time.Duration {
	const day = 24 * time.Hour
	switch {
	case back <= 2*time.Hour:
		return 30 * time.Second
	case back <= 2*day:
		return 5 * time.Minute
	case back <= 31*day-time.Hour: // 30 days, with a margin for the time since the request
		return time.Hour
	}
	return day
}

// Points reads the recorded points of a group between two times, oldest first, at the
// highest resolution that is still stored for the start.
func (s *Service) Points(ctx context.Context, group uuid.UUID, from, until time.Time) ([]*db.StatPoint, error) {
	resolution := int(resolutionOf(s.now().Sub(from)) / time.Second)
	return read(ctx, "points", s.db().StatPoint.Query().
		Where(statpoint.GroupID(group), statpoint.Resolution(resolution), statpoint.AtGTE(from), statpoint.AtLTE(until)).
		Order(statpoint.ByAt()).All)
}

func (t *Timeline) fill(points []*db.StatPoint) {
	for _, p := range points {
		if n := len(t.Times); n == 0 || !t.Times[n-1].Equal(p.At) {
			t.Times = append(t.Times, p.At)
		}
	}
	states, versions := map[rollout.State][]int{}, map[string][]int{}
	at := 0
	for _, p := range points {
		for !t.Times[at].Equal(p.At) {
			at++
		}
		addTo(states, p.State, at, p.Machines, len(t.Times))
		addTo(versions, p.Version, at, p.Machines, len(t.Times))
	}
	for state, machines := range states {
		t.States = append(t.States, StateSeries{state, machines})
	}
	for version, machines := range versions {
		t.Versions = append(t.Versions, VersionSeries{version, machines})
	}
	slices.SortFunc(t.States, func(a, b StateSeries) int { return cmp.Compare(a.State, b.State) })
	slices.SortFunc(t.Versions, func(a, b VersionSeries) int { return newestFirst(a.Version, b.Version) })
}

func addTo[K comparable](series map[K][]int, key K, at, n, length int) {
	if series[key] == nil {
		series[key] = make([]int, length)
	}
	series[key][at] += n
}

// marks reads the activities of a group and its channel to show in a chart.
func (s *Service) marks(ctx context.Context, g *catalog.Group, from, until time.Time) ([]*db.Activity, error) {
	about := activity.GroupID(g.ID)
	if g.Channel != nil {
		about = activity.Or(about, activity.And(activity.GroupIDIsNil(), activity.ChannelID(g.Channel.ID)))
	}
	var all []*db.Activity
	for _, kinds := range [][]rollout.ActivityKind{ // apart, so that many overrides leave the promotions in
		{
			rollout.ActivityRolloutStarted, rollout.ActivityRolloutFinished, rollout.ActivityRolloutHalted, rollout.ActivityChannelMoved,
			rollout.ActivityRolledBack, rollout.ActivityPackageBlacklisted, rollout.ActivityPaused, rollout.ActivityResumed,
			rollout.ActivityWaveAdvanced, rollout.ActivityPolicyChanged,
		},
		{rollout.ActivityMachinesHeld, rollout.ActivityMachinesPinned, rollout.ActivityMachinesReleased, rollout.ActivityMachinesMoved, rollout.ActivityMachinesLabeled},
	} {
		rows, err := s.db().Activity.Query().Where(
			activity.ApplicationID(g.App.ID), about,
			// The index is by id. Ids sort by time.
			activity.IDGTE(firstID(from)), activity.AtLTE(until), activity.KindIn(kinds...),
		).Order(db.Desc(activity.FieldID)).Limit(maxMarks).All(ctx)
		if err != nil {
			return nil, fmt.Errorf("read activities: %w", err)
		}
		all = append(all, rows...)
	}
	slices.SortFunc(all, func(a, b *db.Activity) int { return slices.Compare(a.ID[:], b.ID[:]) })
	return all, nil
}
