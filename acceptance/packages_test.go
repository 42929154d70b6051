package acceptance

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/coreroller/coreroller/fleet"
	"github.com/coreroller/coreroller/fleet/catalog"
	"github.com/coreroller/coreroller/fleet/fault"
	"github.com/coreroller/coreroller/store"
)

func TestPackageURLsThatMachinesCannotUseAreRefused(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		for _, c := range []struct {
			url, write string
			kind       int8
		}{
			{"https://example.com/5.0.0/update.gz", "write https://example.com/5.0.0/", catalog.PackageFlatcar},
			{"https://example.com/5.0.0/update.gz", "write https://example.com/5.0.0/", catalog.PackageOther},
			{"https://example.com/5.0.0/update%2Egz", "write https://example.com/5.0.0/", catalog.PackageOther},
			{"https://example.com/5.0.0/update.gz?a=b/c", "write https://example.com/5.0.0/", catalog.PackageOther},
			{"https://me:secret@example.com/5.0.0/", "write https://example.com/5.0.0/", catalog.PackageFlatcar},
			{"https://me@example.com/", "write https://example.com/", catalog.PackageDocker},
			{"ftp://example.com/5.0.0/", "http or https", catalog.PackageFlatcar},
			{"file:///srv/5.0.0/", "http or https", catalog.PackageOther},
			{"//example.com/5.0.0/", "http or https", catalog.PackageOther},
			{"example.com/5.0.0/", "http or https", catalog.PackageOther},
		} {
			in := s.description(c.kind, "5.0.0")
			in.URL = c.url
			_, err := s.CreatePackage(s.ctx, in)
			s.refusedField(err, fault.Invalid, "url")
			if err != nil && !strings.HasSuffix(err.Error(), c.write) && !strings.Contains(err.Error(), c.write+" ") {
				t.Errorf("%s: %q, want it to contain %q", c.url, err, c.write)
			}
			if err != nil && strings.Contains(err.Error(), "secret") {
				t.Errorf("the error repeats the password: %q", err)
			}
			_, err = s.UpdatePackage(s.ctx, fleet.UpdatePackage{ID: s.pkg("2.0.0"), Type: &c.kind, URL: &c.url})
			s.refusedField(err, fault.Invalid, "url")
		}
	})
}

func TestMissingSlashOfAnOperatingSystemsURLIsAdded(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		in := s.description(catalog.PackageFlatcar, "3.0.0")
		in.URL = "https://example.com/3.0.0"
		row, err := s.CreatePackage(s.ctx, in)
		s.ok(err)
		if row.URL != "https://example.com/3.0.0/" {
			t.Errorf("created with %s", row.URL)
		}
		s.packages["3.0.0"] = row.ID
		s.promote("3.0.0")
		if a := s.check("m", "1.0.0"); a.offered() != "3.0.0" || a.Check.URLs[0].Codebase != row.URL {
			t.Errorf("answered %s, %+v", a, a.Check)
		}
		row, err = s.UpdatePackage(s.ctx, fleet.UpdatePackage{ID: row.ID, URL: new("https://example.com/new")})
		s.ok(err)
		if row.URL != "https://example.com/new/" {
			t.Errorf("changed to %s", row.URL)
		}
		// Other types may use the URL as it is, for example of a container image.
		other := s.description(catalog.PackageDocker, "4.0.0")
		other.URL, other.Filename = "https://registry.example.com/app:4.0.0", ""
		row, err = s.CreatePackage(s.ctx, other)
		s.ok(err)
		if row.URL != other.URL {
			t.Errorf("created with %s", row.URL)
		}
	})
}

// Before URLs were checked, a database could have any.
func TestOlderPackagesKeepTheirURL(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		id, old := s.pkg("2.0.0"), "https://example.com/2.0.0/update.gz"
		s.ok(s.store.Write(s.ctx, s.clock.Now(), func(tx *store.Tx) error {
			return tx.Client().Release.UpdateOneID(id).SetURL(old).Exec(s.ctx)
		}))
		row, err := s.UpdatePackage(s.ctx, fleet.UpdatePackage{ID: id, URL: &old, Description: new("still editable")})
		s.ok(err)
		if row.URL != old {
			t.Errorf("the URL is %s", row.URL)
		}
		_, err = s.UpdatePackage(s.ctx, fleet.UpdatePackage{ID: id, URL: new(old + "/update.gz")})
		s.refusedField(err, fault.Invalid, "url")
	})
}

func TestExtraFilesMeetTheDemandsOfThePayload(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		good := fleet.FileInput{Name: "oem.raw", Size: 7, SHA256: sha256Of("oem")}
		for field, change := range map[string]func(f *fleet.FileInput){
			"files[0].name":   func(f *fleet.FileInput) { f.Name = "" },
			"files[0].sha1":   func(f *fleet.FileInput) { f.SHA1 = "beef" },
			"files[0].sha256": func(f *fleet.FileInput) { f.SHA256 = "beef" },
			"files[0].size":   func(f *fleet.FileInput) { f.Size = -1 },
		} {
			in := s.description(catalog.PackageFlatcar, "3.0.0")
			f := good
			change(&f)
			in.Files = []fleet.FileInput{f}
			_, err := s.CreatePackage(s.ctx, in)
			s.refusedField(err, fault.Invalid, field)
		}
		for _, name := range []string{"/oem.raw", "oem .raw", "update.gz"} {
			in := s.description(catalog.PackageFlatcar, "3.0.0")
			in.Files = []fleet.FileInput{{Name: name, Size: 7, SHA256: good.SHA256}}
			_, err := s.CreatePackage(s.ctx, in)
			s.refusedField(err, fault.Invalid, "files[0].name")
		}
		// Without size or digest a package may be stored, but not offered.
		for version, f := range map[string]fleet.FileInput{
			"3.0.1": {Name: "oem.raw", SHA256: good.SHA256}, "3.0.2": {Name: "oem.raw", Size: 7, SHA1: sha1Of("oem")}, "3.0.3": good,
		} {
			in := s.description(catalog.PackageFlatcar, version)
			in.Files = []fleet.FileInput{f}
			row, err := s.CreatePackage(s.ctx, in)
			s.ok(err)
			_, err = s.PromotePackage(s.ctx, fleet.PromotePackage{ChannelID: s.channel, PackageID: &row.ID})
			if e, refused := errors.AsType[*fault.Error](err); refused != (version != "3.0.3") || refused && (e.Field != "packageId" || !strings.Contains(e.Message, "oem.raw")) {
				t.Errorf("promoting %s with %+v: %v", version, f, err)
			}
		}
		if ch := s.Catalog().Channel(s.channel); uuid.UUID(ch.Target.ID) == uuid.Nil || ch.Target.Version.String() != "3.0.3" {
			t.Errorf("the channel points to %+v", ch.Target)
		}
	})
}
