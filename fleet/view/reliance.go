package view

import (
	"context"
	"fmt"

	"github.com/google/uuid"

	"github.com/coreroller/coreroller/auth"
	"github.com/coreroller/coreroller/ent/db/groupcount"
	"github.com/coreroller/coreroller/ent/db/instance"
	"github.com/coreroller/coreroller/fleet/catalog"
	"github.com/coreroller/coreroller/fleet/fault"
	"github.com/coreroller/coreroller/rollout/phrase"
)

// RelyOnPackage says what relies on a package of an application: its channels, and
// machines that are updating to it. It reads open leases, which are few.
func (s *Service) RelyOnPackage(ctx context.Context, app *catalog.App, id uuid.UUID) ([]string, error) {
	if _, err := fault.Require(ctx, auth.Read); err != nil {
		return nil, err
	}
	all := app.RelyOnPackage(id)
	n, err := s.db().Instance.Query().
		Where(instance.GroupIDIn(app.GroupIDs()...), instance.LeaseUntilNotNil(), instance.OfferPackageID(id)).Count(ctx)
	if err != nil {
		return nil, fmt.Errorf("count updates under way: %w", err)
	}
	if n > 0 {
		all = append(all, phrase.Count(n, "machine")+" may still install it")
	}
	return all, nil
}

// RelyOnGroups says how many machines groups have, with their names.
func (s *Service) RelyOnGroups(ctx context.Context, ids []uuid.UUID) (all []string, err error) {
	if _, err := fault.Require(ctx, auth.Read); err != nil {
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
		if g := s.catalog.Catalog().Group(id); g != nil && machines[id] > 0 {
			all = append(all, fmt.Sprintf("group %q has %s", g.Name, phrase.Count(machines[id], "machine")))
		}
	}
	return all, nil
}

// reliesOn says what relies on an object to delete.
func (s *Service) reliesOn(ctx context.Context, in Deletion, groups []*catalog.Group) ([]string, error) {
	switch c := s.catalog.Catalog(); {
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
