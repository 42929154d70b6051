package view

import (
	"context"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"

	"github.com/google/uuid"

	"github.com/coreroller/coreroller/ent/db/release"
	"github.com/coreroller/coreroller/fleet/catalog"
	"github.com/coreroller/coreroller/fleet/fault"
	"github.com/coreroller/coreroller/fleet/quota"
	"github.com/coreroller/coreroller/store"
)

// promotionWarnings returns what is probably wrong with promoting a package to a
// channel that groups follow.
func (s *Service) promotionWarnings(ctx context.Context, ch *catalog.Channel, groups []*catalog.Group, packageID uuid.UUID) ([]string, error) {
	row, err := s.db().Release.Query().Where(release.ID(packageID)).WithFiles().Only(ctx)
	if err != nil {
		return nil, fault.Missing(err, "packageId", "package")
	}
	warnings := []string{}
	if ch.Target != nil {
		if text := packageKey(row).version.Twin(ch.Target.Version); text != "" {
			warnings = append(warnings, text)
		}
	}
	p := catalog.RenderPackage(row)
	if !p.Reboots || fromFlatcar(p.URL) {
		return warnings, nil
	}
	missing, err := s.missingExtensions(ctx, p, groups)
	if len(missing) > 0 {
		warnings = append(warnings, fmt.Sprintf("the package has no %s for machines of %s: without access to Flatcar's server their update fails",
			strings.Join(slices.Sorted(maps.Keys(missing)), ", "), strings.Join(slices.Compact(slices.Sorted(maps.Values(missing))), ", ")))
	}
	return warnings, err
}

// fromFlatcar reports whether a package comes from Flatcar's own server, which has
// the extensions of every platform.
func fromFlatcar(address string) bool {
	u, err := url.Parse(address)
	return err == nil && strings.HasSuffix(u.Hostname(), ".flatcar-linux.net")
}

// missingExtensions returns the names of the extensions that machines of the groups
// need for their platform and that are not in the package, each with one of the groups.
func (s *Service) missingExtensions(ctx context.Context, p *catalog.Package, groups []*catalog.Group) (map[string]string, error) {
	missing := map[string]string{}
	err := s.store.View(ctx, s.now(), func(tx *store.Tx) error {
		for _, g := range groups {
			platforms, err := tx.Platforms(ctx, g.ID)
			if err != nil {
				return err
			}
			for oem := range platforms {
				name := "oem-" + oem + ".gz"
				has := slices.ContainsFunc(p.Extra, func(f catalog.File) bool { return strings.HasSuffix(f.Name, name) })
				if oem != "" && oem != quota.Other && !has {
					missing[name] = g.Name
				}
			}
		}
		return nil
	})
	return missing, err
}
