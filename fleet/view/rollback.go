package view

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/coreroller/coreroller/auth"
	"github.com/coreroller/coreroller/ent/db"
	"github.com/coreroller/coreroller/ent/db/groupcount"
	"github.com/coreroller/coreroller/fleet/catalog"
	"github.com/coreroller/coreroller/fleet/fault"
	"github.com/coreroller/coreroller/rollout"
	"github.com/coreroller/coreroller/rollout/phrase"
	"github.com/coreroller/coreroller/rollout/version"
)

// RollBack is a roll back to look at before it is made, see fleet.RollBack.
type RollBack struct {
	GroupID     *uuid.UUID // its channel; the numbers are those of the group
	ChannelID   *uuid.UUID // the numbers are those of all its groups
	ToPackageID uuid.UUID
	Blacklist   bool
	Downgrade   catalog.Downgrade
}

// RollBackImpact says what becomes of the machines in a roll back.
type RollBackImpact struct {
	ChannelID    uuid.UUID
	From, To     uuid.UUID // packages
	Revision     int64     // of the channel
	Machines     int
	Moving       int       // active machines that would be offered the lower package
	ProjectedEnd time.Time // when all of them would have it; zero: cannot be computed
	Kinds        []RollBackCount
	Others       []RollBackGroup // further groups of the channel
	Warnings     []string
	Sentence     string
}

// RollBackKind is a kind of machine in a roll back.
type RollBackKind string

// The kinds; every machine is of the first one that fits.
const (
	RollBackSilent    RollBackKind = "SILENT"
	RollBackOffered   RollBackKind = "OFFERED"    // the present package, not begun
	RollBackUnderWay  RollBackKind = "UNDER_WAY"  // to the present package
	RollBackHeld      RollBackKind = "HELD"       // held or pinned
	RollBackOnCurrent RollBackKind = "ON_CURRENT" // run the present package
	RollBackBelow     RollBackKind = "BELOW"      // run less than the lower package, or a recalled version
	RollBackOnTarget  RollBackKind = "ON_TARGET"  // run the lower package
	RollBackAbove     RollBackKind = "ABOVE"      // run another version above the lower package
)

// RollBackKinds are all kinds in the order in which they are shown.
var RollBackKinds = []RollBackKind{
	RollBackOnCurrent, RollBackUnderWay, RollBackOffered, RollBackSilent, RollBackHeld, RollBackBelow, RollBackOnTarget, RollBackAbove,
}

// RollBackCount counts the machines of one kind.
type RollBackCount struct {
	Kind     RollBackKind
	Machines int
	Sentence string // what becomes of them
}

// RollBackGroup is another group of the channel.
type RollBackGroup struct {
	GroupID   uuid.UUID
	Machines  int
	OnCurrent int // run the present package, without silent ones
	Sentence  string
}

// ChannelToRollBack returns the id of the channel, which is given by itself or by a
// group, and the input's field that names it.
func ChannelToRollBack(c *catalog.Catalog, group, channel *uuid.UUID) (id uuid.UUID, field string, err error) {
	switch {
	case (group == nil) == (channel == nil):
		return id, "", fault.Errorf(fault.Invalid, "", "give exactly one of groupId and channelId")
	case channel != nil:
		return *channel, "channelId", nil
	}
	g := c.Group(*group)
	switch {
	case g == nil:
		return id, "", fault.Errorf(fault.NotFound, "groupId", "there is no such group")
	case g.Channel == nil:
		return id, "", fault.Errorf(fault.Conflict, "groupId", "group %q has no channel", g.Name)
	}
	return g.Channel.ID, "groupId", nil
}

// MayRollBack returns an error unless a version is below the channel's package.
func MayRollBack(ch *catalog.Channel, to rollout.Version) error {
	switch {
	case ch.Target == nil:
		return fault.Errorf(fault.Conflict, "toPackageId", "channel %q points to no package: promote one", ch.Name)
	case ch.Target.Version == to:
		return fault.Errorf(fault.Conflict, "toPackageId", "channel %q points to %s already", ch.Name, to)
	case !to.Less(ch.Target.Version):
		return fault.Errorf(fault.Invalid, "toPackageId", "%s is not below %s, the package of channel %q: promote it instead", to, ch.Target.Version, ch.Name)
	}
	return nil
}

// RollBackImpact returns what becomes of the machines in a roll back.
func (s *Service) RollBackImpact(ctx context.Context, in RollBack) (*RollBackImpact, error) {
	if _, err := fault.Require(ctx, auth.Viewer); err != nil {
		return nil, err
	}
	c := s.seen(ctx)
	id, field, err := ChannelToRollBack(c, in.GroupID, in.ChannelID)
	if err != nil {
		return nil, err
	}
	row, err := s.Channel(ctx, id, nil)
	if err != nil {
		return nil, err
	}
	ch, app := c.Channel(id), c.App(row.ApplicationID)
	if ch == nil || app == nil {
		return nil, fault.Errorf(fault.NotFound, field, "there is no such channel")
	}
	back, err := s.backward(ctx, &catalog.Group{App: app, Channel: ch, Arch: ch.Arch}, in)
	if err != nil {
		return nil, err
	}
	out := &RollBackImpact{ChannelID: id, From: uuid.UUID(back.from.ID), To: in.ToPackageID, Revision: row.Revision, Warnings: []string{}}
	counts := map[RollBackKind]int{}
	r := &assessor{s: s, ctx: ctx, isNew: true}
	for _, g := range app.Groups {
		if g.Channel == nil || g.Channel.ID != id {
			continue
		}
		kinds, err := s.countKinds(ctx, g, back)
		if err != nil {
			return nil, err
		}
		if in.GroupID != nil && g.ID != *in.GroupID {
			out.Others = append(out.Others, back.other(g, kinds))
			continue
		}
		for kind, n := range kinds {
			counts[kind] += n
		}
		if err := r.add(g, g.Policy, back.aim); err != nil {
			return nil, err
		}
		if !g.Policy.UpdatesEnabled {
			out.Warnings = append(out.Warnings, fmt.Sprintf("updates of group %q are paused: nothing is offered until it is resumed", g.Name))
		}
	}
	back.fill(out, counts)
	out.Moving, out.ProjectedEnd = r.out.Eligible, r.done("").ProjectedEnd
	out.Warnings = append(out.Warnings, back.warnings(ch, in, counts)...)
	out.Sentence = fmt.Sprintf("channel %q goes back from %s to %s; %s to %s", ch.Name, back.from.Version, back.to, phrase.Count(out.Moving, "machine")+either(out.Moving, " moves", " move"), back.to)
	return out, nil
}

// fill adds the numbers of each kind.
func (b *backward) fill(out *RollBackImpact, counts map[RollBackKind]int) {
	for _, kind := range RollBackKinds {
		if n := counts[kind]; n > 0 {
			out.Machines += n
			out.Kinds = append(out.Kinds, RollBackCount{Kind: kind, Machines: n, Sentence: b.sentence(kind)})
		}
	}
}

// backward is a roll back of a channel's groups.
type backward struct {
	from      *rollout.Package
	to        rollout.Version
	aim       rollout.Aim // after it
	downgrade bool
}

func (s *Service) backward(ctx context.Context, g *catalog.Group, in RollBack) (*backward, error) {
	aim, err := s.aimFor(ctx, g, &in.ToPackageID)
	if err != nil {
		return nil, err
	}
	if err := MayRollBack(g.Channel, aim.Target.Version); err != nil {
		return nil, err
	}
	if why, ok := g.Channel.Blacklisted[in.ToPackageID]; ok {
		return nil, fault.Errorf(fault.Conflict, "toPackageId", "package %s is blacklisted for channel %q: %s", why.Version, g.Channel.Name, why.Reason)
	}
	b := &backward{from: g.Channel.Target, to: aim.Target.Version, aim: aim, downgrade: in.Downgrade.Recalls()}
	if b.downgrade {
		b.aim.Recalled = append(slices.Clone(aim.Recalled), b.from.Version)
	}
	return b, nil
}

// countKinds counts the machines of a group by kind. It adds up counters.
func (s *Service) countKinds(ctx context.Context, g *catalog.Group, b *backward) (map[RollBackKind]int, error) {
	rows, err := s.counters(ctx, groupcount.GroupID(g.ID))
	if err != nil {
		return nil, err
	}
	kinds := map[RollBackKind]int{}
	for _, row := range rows {
		kinds[b.kind(row)] += row.Machines
	}
	return kinds, nil
}

func (b *backward) kind(row *db.GroupCount) RollBackKind {
	v, _ := rollout.ParseVersion(row.Version)
	switch {
	case row.State == rollout.StateGranted:
		return RollBackOffered
	case row.State.InFlight():
		return RollBackUnderWay
	case row.Standing == rollout.StandingSilent:
		return RollBackSilent
	case row.Standing == rollout.StandingOverridden:
		return RollBackHeld
	case v == b.from.Version:
		return RollBackOnCurrent
	}
	switch b.aim.Goal().Place(v) {
	case version.Behind:
		return RollBackBelow
	case version.Above:
		return RollBackAbove
	}
	return RollBackOnTarget
}

// sentence says what becomes of the machines of a kind.
func (b *backward) sentence(kind RollBackKind) string {
	switch kind {
	case RollBackOnCurrent:
		if b.downgrade {
			return fmt.Sprintf("are offered %s", b.to)
		}
		return fmt.Sprintf("stay on %s until a higher version comes", b.from.Version)
	case RollBackUnderWay:
		if b.downgrade {
			return fmt.Sprintf("cannot be recalled; those that end on %s are then offered %s", b.from.Version, b.to)
		}
		return fmt.Sprintf("cannot be recalled; those that end on %s stay on it", b.from.Version)
	case RollBackOffered:
		return "have not begun: their offer is withdrawn"
	case RollBackSilent:
		return "are out of reach until they check in again"
	case RollBackHeld:
		return "are held or pinned, and stay so"
	case RollBackBelow:
		return fmt.Sprintf("are offered %s", b.to)
	case RollBackAbove:
		return fmt.Sprintf("stay: their version is above %s", b.to)
	case RollBackOnTarget:
	}
	return "stay"
}

func (b *backward) other(g *catalog.Group, kinds map[RollBackKind]int) RollBackGroup {
	out := RollBackGroup{GroupID: g.ID, OnCurrent: kinds[RollBackOnCurrent]}
	for _, n := range kinds {
		out.Machines += n
	}
	out.Sentence = fmt.Sprintf("%s also follows the channel: %s, %d on %s", g.Name, phrase.Count(out.Machines, "machine"), out.OnCurrent, b.from.Version)
	return out
}

func (b *backward) warnings(ch *catalog.Channel, in RollBack, counts map[RollBackKind]int) (all []string) {
	if n := counts[RollBackSilent]; n > 0 {
		all = append(all, phrase.Count(n, "machine")+either(n, " is", " are")+" silent and out of reach: nothing can be offered to a machine that does not check in")
	}
	if in.Blacklist && ch.IsFloor(uuid.UUID(b.from.ID)) {
		all = append(all, fmt.Sprintf("%s is a floor of the channel: the floor is removed", b.from.Version))
	}
	if !in.Blacklist {
		all = append(all, fmt.Sprintf("%s is not blacklisted: it can be promoted again at any time", b.from.Version))
	}
	return all
}
