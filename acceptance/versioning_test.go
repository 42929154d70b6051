package acceptance

import (
	"slices"
	"testing"
	"time"

	"github.com/coreroller/coreroller/ent/db"
	"github.com/coreroller/coreroller/fleet"
	"github.com/coreroller/coreroller/fleet/catalog"
	"github.com/coreroller/coreroller/fleet/fault"
	"github.com/coreroller/coreroller/rollout"
	"github.com/coreroller/coreroller/rollout/version"
)

func TestNumericVersionsAreComparedNumberByNumber(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		s.promote("10.0.19045.3803")
		s.floor("10.0.19045", "needs the new installer")
		s.grants("m", "9.9.9.9999", "10.0.19045")
		s.reports("m", "9.9.9.9999", "13/1", "14/1", "3/1")
		s.grants("m", "10.0.19045.380", "10.0.19045.3803", event("3/2 from 9.9.9.9999"))
		s.attemptsEnded("m", rollout.OutcomeSucceeded)
		s.holds("n", "10.0.19045.10000", "up_to_date")
		s.holds("o", "10.00.19045.3803", "up_to_date")
		for _, garbage := range []string{"10.0.x", "10.0.19045.3803.1", "1.0.0-rc.1", "1.0.0+build", "1..0"} {
			if a := s.check("garbage", garbage); a.Status != "error-invalidVersion" || a.offered() != "" {
				t.Errorf("%q was answered %s", garbage, a)
			}
		}
		if m := s.instance("garbage"); m != nil {
			t.Errorf("a machine with an invalid version was registered: %+v", m)
		}
		if n := s.numbers(); n.Total != 3 || n.OnTarget != 1 || n.AboveTarget != 1 || n.InFlight != 1 || n.ByVersion[0].Version != "10.0.19045.10000" {
			t.Errorf("numbers %+v", n.Numbers)
		}
	}, numeric, limit(9, time.Minute))
}

func TestDatesAreVersions(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		s.promote("2026.01.05")
		s.grants("m", "2025.12.31", "2026.01.05")
		s.updates("m", "2025.12.31", "2026.1.5")
		s.finished()
		s.promote("2026.01.05.1")
		s.answers(s.demanding("m", "2026.1.5", `targetversionprefix="2026.2"`), "outside_client_prefix")
		s.answers(s.demanding("m", "2026.1.5", `targetversionprefix="2026.1.*"`), "2026.01.05.1")
		path, err := s.View.UpdatePath(s.ctx, s.channel, "2026", nil)
		s.ok(err)
		if len(path.Steps) != 1 || path.Steps[0].Version != "2026.01.05.1" {
			t.Errorf("path %+v", path)
		}
		_, err = s.View.UpdatePath(s.ctx, s.channel, "2026-01-05", nil)
		s.refusedField(err, fault.Invalid, "fromVersion")
		_, err = s.PinInstance(s.ctx, fleet.PinInstance{ID: s.instanceID("m"), Version: "1.0.0-rc.1"})
		s.refusedField(err, fault.Invalid, "version")
		_, err = s.PinInstance(s.ctx, fleet.PinInstance{ID: s.instanceID("m"), Version: "2026.1"})
		s.ok(err)
	}, numeric)
}

func TestPackagesHaveTheVersioningOfTheirApplication(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		semantic := s.fill("B", newSetup(nil))
		for _, c := range []struct {
			s       *site
			kind    int8
			version string
			field   string
		}{
			{s, catalog.PackageOther, "1.0.0-rc.1", "version"},
			{s, catalog.PackageOther, "1.2.3.4.5", "version"},
			{s, catalog.PackageFlatcar, "3.0.0", "type"},
			{semantic, catalog.PackageOther, "1.2.3.4", "version"},
			{semantic, catalog.PackageOther, "2026.01.05", "version"},
		} {
			_, err := c.s.CreatePackage(s.ctx, c.s.description(c.kind, c.version))
			s.refusedField(err, fault.Invalid, c.field)
		}
		flatcar := catalog.PackageFlatcar
		_, err := s.UpdatePackage(s.ctx, fleet.UpdatePackage{ID: s.pkg("2.0.0"), Type: &flatcar})
		s.refusedField(err, fault.Invalid, "type")
		for _, version := range []string{"9", "10.0.19045.3803", "1.2.3"} {
			s.pkg(version)
		}
		ids, err := s.View.PackageIDs(s.ctx, s.app)
		s.ok(err)
		rows, err := s.View.PackagesByID(s.ctx, ids, nil)
		s.ok(err)
		var versions []string
		for _, row := range rows {
			versions = append(versions, row.Version)
		}
		if !slices.Equal(versions, []string{"10.0.19045.3803", "9", "2.0.0", "1.2.3"}) {
			t.Errorf("packages in the order %v", versions)
		}
	}, numeric)
}

func TestVersioningChangesOnlyInAnEmptyApplication(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		change := func(app *db.Application, to version.Versioning) error {
			_, err := s.UpdateApplication(s.ctx, fleet.UpdateApplication{ID: app.ID, Versioning: &to})
			return err
		}
		create := func(in fleet.CreateApplication) *db.Application {
			row, err := s.CreateApplication(s.ctx, in)
			s.ok(err)
			return row
		}
		full, err := s.View.Application(s.ctx, s.app, nil)
		s.ok(err)
		s.refusedField(change(full, version.Semantic), fault.Conflict, "versioning")
		s.ok(change(full, version.Numeric)) // no change

		flatcar, err := s.View.Application(s.ctx, catalog.FlatcarID(), nil)
		s.ok(err)
		s.refusedField(change(flatcar, version.Numeric), fault.Invalid, "versioning")

		empty := create(fleet.CreateApplication{Name: "empty"})
		if empty.Versioning != version.Semantic {
			t.Errorf("a new application has the versioning %q", empty.Versioning)
		}
		s.ok(change(empty, version.Numeric))
		in := s.description(catalog.PackageOther, "2026.01.05")
		in.ApplicationID = empty.ID
		row, err := s.CreatePackage(s.ctx, in)
		s.ok(err)
		s.refusedField(change(empty, version.Semantic), fault.Conflict, "versioning")
		s.ok(s.DeletePackage(s.ctx, fleet.DeletePackage{ID: row.ID, Force: true}))
		s.ok(change(empty, version.Semantic))

		if clone := create(fleet.CreateApplication{Name: "clone", CloneFrom: &s.app}); clone.Versioning != version.Numeric {
			t.Errorf("the clone of a numeric application has the versioning %q", clone.Versioning)
		}
		other := version.Semantic
		clone := create(fleet.CreateApplication{Name: "other clone", CloneFrom: &s.app, Versioning: &other})
		if clone.Versioning != version.Semantic {
			t.Errorf("a clone has the versioning %q", clone.Versioning)
		}
		groups, err := s.View.ApplicationGroups(s.ctx, clone, nil)
		s.ok(err)
		r := s.checking("m", "1.0.0")
		r.app, r.track = clone.ID.String(), groups[0].Track
		s.ask(r)
		s.refusedField(change(clone, version.Numeric), fault.Conflict, "versioning")
	}, numeric)
}
