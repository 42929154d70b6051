package view

import (
	"context"
	"fmt"
	"strings"

	"github.com/google/uuid"

	"github.com/coreroller/coreroller/auth"
	"github.com/coreroller/coreroller/ent/db"
	"github.com/coreroller/coreroller/fleet/catalog"
	"github.com/coreroller/coreroller/fleet/fault"
	"github.com/coreroller/coreroller/rollout"
)

// UpdatePath are the updates from a version to a channel's package.
type UpdatePath struct {
	Steps    []*db.Release  // in the order they are offered
	Reason   rollout.Reason // why there is no further step
	Sentence string
}

// UpdatePath returns the packages that a channel offers to a machine with a
// version, step by step.
func (s *Service) UpdatePath(ctx context.Context, channelID uuid.UUID, from string, with With) (*UpdatePath, error) {
	if _, err := fault.Require(ctx, auth.Viewer); err != nil {
		return nil, err
	}
	ch := s.seen(ctx).Channel(channelID)
	if ch == nil {
		return nil, fault.Errorf(fault.NotFound, "channelId", "there is no such channel")
	}
	version, ok := ch.Versioning.Parse(from)
	if !ok {
		return nil, fault.Errorf(fault.Invalid, "fromVersion", "%q is not %s", from, ch.Versioning.Describe())
	}
	aim := ch.AimAt(ch.Target)
	steps, end := aim.Path(version)
	ids := make([]uuid.UUID, len(steps))
	for i, p := range steps {
		ids[i] = uuid.UUID(p.ID)
	}
	out := &UpdatePath{Steps: []*db.Release{}, Reason: end, Sentence: pathSentence(ch, version, steps, end)}
	if len(ids) == 0 {
		return out, nil
	}
	var err error
	out.Steps, err = s.PackagesByID(ctx, ids, with)
	return out, err
}

func pathSentence(ch *catalog.Channel, from rollout.Version, steps []*rollout.Package, end rollout.Reason) string {
	texts := make([]string, len(steps))
	for i, p := range steps {
		texts[i] = p.Version.String()
		if p != ch.Target {
			texts[i] += ", which no machine may skip"
		}
	}
	way := fmt.Sprintf("from %s to %s", from, strings.Join(texts, "; then to "))
	switch {
	case end == rollout.ReasonNoPackage:
		return fmt.Sprintf("channel %s points to no package, so nothing is offered", ch.Name)
	case end == rollout.ReasonUpToDate:
		return fmt.Sprintf("%s is neither below %s, the package of channel %s, nor recalled, so nothing is offered", from, ch.Target.Version, ch.Name)
	case end == rollout.ReasonBlacklisted && len(steps) == 0:
		return fmt.Sprintf("nothing is offered: the next package on the way to %s is blacklisted for channel %s", ch.Target.Version, ch.Name)
	case end == rollout.ReasonBlacklisted:
		return fmt.Sprintf("%s, and no further: the next package on the way to %s is blacklisted for channel %s", way, ch.Target.Version, ch.Name)
	}
	return way
}
