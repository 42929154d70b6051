package view

import (
	"context"
	"fmt"
	"strings"

	"github.com/google/uuid"

	"github.com/coreroller/coreroller/auth"
	"github.com/coreroller/coreroller/ent/db"
	"github.com/coreroller/coreroller/ent/db/groupcount"
	"github.com/coreroller/coreroller/ent/db/instance"
	"github.com/coreroller/coreroller/ent/db/predicate"
	"github.com/coreroller/coreroller/fleet/catalog"
	"github.com/coreroller/coreroller/fleet/fault"
	"github.com/coreroller/coreroller/rollout"
	"github.com/coreroller/coreroller/rollout/phrase"
)

// RelyOnPackage says what relies on a package of an application: its channels, and
// machines that are updating to it. It reads open leases, which are few.
func (s *Service) RelyOnPackage(ctx context.Context, app *catalog.App, id uuid.UUID) ([]string, error) {
	if _, err := fault.Require(ctx, auth.Viewer); err != nil {
		return nil, err
	}
	all := app.RelyOnPackage(id)
	n, err := s.updatingTo(ctx, app, id)
	if err != nil {
		return nil, err
	}
	if n > 0 {
		all = append(all, phrase.Count(n, "machine")+" may still install it")
	}
	return all, nil
}

// HavePackage says how many machines of an application run the version of a package
// or have begun the update to it, "" if none does. The others get it as it is then.
func (s *Service) HavePackage(ctx context.Context, app *catalog.App, row *db.Release) (string, error) {
	if _, err := fault.Require(ctx, auth.Viewer); err != nil {
		return "", err
	}
	var groups []uuid.UUID
	for _, g := range app.Groups {
		if g.Arch == row.Arch {
			groups = append(groups, g.ID)
		}
	}
	counts, err := s.counters(ctx, groupcount.GroupIDIn(groups...), groupcount.Version(row.Version))
	if err != nil {
		return "", err
	}
	running := 0
	for _, count := range counts {
		running += count.Machines
	}
	updating, err := s.updatingTo(ctx, app, row.ID, instance.StateNEQ(rollout.StateGranted))
	if err != nil {
		return "", err
	}
	var parts []string
	if running > 0 {
		parts = append(parts, phrase.Count(running, "machine")+" already on "+row.Version)
	}
	if updating > 0 {
		parts = append(parts, phrase.Count(updating, "machine")+" updating to it")
	}
	return strings.Join(parts, ", "), nil
}

// updatingTo counts the machines that were offered a package and have not finished.
func (s *Service) updatingTo(ctx context.Context, app *catalog.App, id uuid.UUID, where ...predicate.Instance) (int, error) {
	n, err := s.db().Instance.Query().
		Where(instance.GroupIDIn(app.GroupIDs()...), instance.LeaseUntilNotNil(), instance.OfferPackageID(id)).Where(where...).Count(ctx)
	if err != nil {
		return 0, fmt.Errorf("count updates under way: %w", err)
	}
	return n, nil
}

// RelyOnGroups says how many machines groups have, with their names.
func (s *Service) RelyOnGroups(ctx context.Context, ids []uuid.UUID) (all []string, err error) {
	if _, err := fault.Require(ctx, auth.Viewer); err != nil {
		return nil, err
	}
	rows, err := s.counters(ctx, groupcount.GroupIDIn(ids...))
	if err != nil {
		return nil, err
	}
	machines := map[uuid.UUID]int{}
	for _, row := range rows {
		machines[row.GroupID] += row.Machines
	}
	for _, id := range ids {
		if g := s.seen(ctx).Group(id); g != nil && machines[id] > 0 {
			all = append(all, fmt.Sprintf("group %q has %s", g.Name, phrase.Count(machines[id], "machine")))
		}
	}
	return all, nil
}

// reliesOn says what relies on an object to delete.
func (s *Service) reliesOn(ctx context.Context, in Deletion, groups []*catalog.Group) ([]string, error) {
	switch c := s.seen(ctx); {
	case in.PackageID != nil:
		row, err := s.Package(ctx, *in.PackageID, nil)
		if err != nil {
			return nil, err
		}
		return s.RelyOnPackage(ctx, c.App(row.ApplicationID), row.ID)
	case in.ChannelID != nil:
		if ch := c.Channel(*in.ChannelID); ch != nil && len(groups) > 0 {
			return groups[0].App.RelyOnChannel(ch.ID), nil
		}
		return nil, nil
	}
	ids := make([]uuid.UUID, len(groups))
	for i, g := range groups {
		ids[i] = g.ID
	}
	return s.RelyOnGroups(ctx, ids)
}
