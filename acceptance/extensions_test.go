package acceptance

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/xml"
	"fmt"
	"net/url"
	"path"
	"strconv"
	"strings"
	"testing"

	"github.com/coreroller/coreroller/fleet"
	"github.com/coreroller/coreroller/fleet/catalog"
	"github.com/coreroller/coreroller/fleet/fault"
)

// extensionOf does what Flatcar's download_sysext does with an answer that
// update_engine stored: it refuses any attribute that it cannot parse, takes the first
// package that matches a pattern and has a digest, and resolves its name against the
// first codebase. It returns the URL, "" if no package matches.
func extensionOf(body, pattern string) (string, error) {
	var response struct {
		Protocol string `xml:"protocol,attr"`
		Apps     []struct {
			Check *struct {
				URLs     []urlAnswer `xml:"urls>url"`
				Manifest *struct {
					Packages *struct {
						All []packageAnswer `xml:"package"`
					} `xml:"packages"`
					Actions *struct {
						All []actionAnswer `xml:"action"`
					} `xml:"actions"`
				} `xml:"manifest"`
			} `xml:"updatecheck"`
		} `xml:"app"`
	}
	if err := xml.Unmarshal([]byte(body), &response); err != nil {
		return "", err
	}
	found := ""
	for _, app := range response.Apps {
		if app.Check == nil || app.Check.Manifest == nil || app.Check.Manifest.Packages == nil || app.Check.Manifest.Actions == nil {
			return "", fmt.Errorf("an element is missing in %s", body)
		}
		for _, a := range app.Check.Manifest.Actions.All {
			if raw, err := base64.StdEncoding.DecodeString(a.SHA256); a.Event == "" || err != nil || len(raw) != 32 {
				return "", fmt.Errorf("action %+v", a)
			}
		}
		codebase, err := url.Parse(app.Check.URLs[0].Codebase)
		if err != nil {
			return "", err
		}
		for _, p := range app.Check.Manifest.Packages.All {
			if err := p.strict(body); err != nil {
				return "", err
			}
			ok, err := path.Match(pattern, p.Name)
			if err != nil || !ok || found != "" || p.Hash == "" && p.HashSHA256 == "" {
				continue
			}
			name, err := url.Parse(p.Name)
			if err != nil {
				return "", err
			}
			found = codebase.ResolveReference(name).String()
		}
	}
	return found, nil
}

// strict reports a package whose attributes download_sysext cannot parse. An empty
// digest is one, a missing one is not.
func (p *packageAnswer) strict(body string) error {
	sha1, err1 := base64.StdEncoding.DecodeString(p.Hash)
	sha256, err256 := hex.DecodeString(p.HashSHA256)
	_, size := strconv.ParseUint(p.Size, 10, 64)
	if p.Name == "" || size != nil || p.Required != "true" && p.Required != "false" || err1 != nil || err256 != nil ||
		len(sha1) != 0 && len(sha1) != 20 || len(sha256) != 0 && len(sha256) != 32 || strings.Contains(body, `hash=""`) || strings.Contains(body, `hash_sha256=""`) {
		return fmt.Errorf("package %+v in %s", p, body)
	}
	return nil
}

func TestFlatcarFindsItsExtensionsInTheAnswer(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		digest := func(name string) fleet.FileInput {
			return fleet.FileInput{Name: name, Size: 7, SHA256: sha256Of(name)}
		}
		in := s.description(catalog.PackageFlatcar, "3.0.0")
		in.URL = "https://updates.example.org/3.0.0" // as people enter it
		in.SHA1, in.Filename = "", "flatcar_production_update.gz"
		in.Files = []fleet.FileInput{
			digest("oem-azure.gz"), digest("extrafile-amd64-3.0.0-oem-vmware.gz"), digest("flatcar-podman.gz"),
			{Name: "flatcar-python.gz", Size: 8, SHA1: sha1Of("python"), SHA256: sha256Of("python")}, digest("oem-qemu.gz"),
		}
		row, err := s.CreatePackage(s.ctx, in)
		s.ok(err)
		s.packages["3.0.0"] = row.ID
		s.promote("3.0.0")
		a := s.post("/v1/update/", document(s.checking("m", "1.0.0")))
		if first := a.Apps[0].Check.Manifests[0].Packages[0]; first.Name != in.Filename || first.Required != "true" {
			t.Errorf("update_engine installs %+v", first)
		}
		for pattern, want := range map[string]string{
			"*oem-azure.gz": "oem-azure.gz", "*oem-vmware.gz": "extrafile-amd64-3.0.0-oem-vmware.gz", "*oem-qemu.gz": "oem-qemu.gz",
			"*flatcar-podman.gz": "flatcar-podman.gz", "*flatcar-python.gz": "flatcar-python.gz", "*oem-hetzner.gz": "",
		} {
			if want != "" {
				want = "https://updates.example.org/3.0.0/" + want
			}
			if got, err := extensionOf(a.body, pattern); err != nil || got != want {
				t.Errorf("%s: %q, %v, want %q", pattern, got, err, want)
			}
		}
	})
}

func TestExtensionsThatFlatcarCannotFindAreRefused(t *testing.T) {
	each(t, func(_ *testing.T, s *site) {
		try := func(kind int8, payload string, names ...string) error {
			in := s.description(kind, "3.0.0")
			in.Filename = payload
			for _, name := range names {
				in.Files = append(in.Files, fleet.FileInput{Name: name, Size: 7, SHA256: sha256Of(name)})
			}
			_, err := s.CreatePackage(s.ctx, in)
			return err
		}
		for _, name := range []string{"3/oem-azure.gz", "a:oem-azure.gz", "oem-azure.gz?x", "oem-azure.gz#x", `3\oem-azure.gz`, "/oem-azure.gz", "oem azure.gz"} {
			s.refusedField(try(catalog.PackageFlatcar, "update.gz", "oem-qemu.gz", name), fault.Invalid, "files[1].name")
		}
		s.refusedField(try(catalog.PackageFlatcar, "update.gz", "oem-azure.gz", "x-oem-azure.gz"), fault.Invalid, "files[0].name")
		s.refusedField(try(catalog.PackageFlatcar, "x-oem-azure.gz", "oem-azure.gz"), fault.Invalid, "files[0].name")
		s.refusedField(try(catalog.PackageFlatcar, "update.gz", "1-flatcar-zfs.gz", "flatcar-podman.gz", "2-flatcar-zfs.gz"), fault.Invalid, "files[0].name")
		s.ok(try(catalog.PackageOther, "update.gz", "3/oem-azure.gz", "x-oem-azure.gz"))
	})
}

func TestPromotionWarnsOfMissingExtensions(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		for machine, oem := range map[string]string{"a": "azure", "b": "vmware", "c": "qemu", "d": ""} {
			r := s.checking(machine, "1.0.0")
			r.attrs = map[string]string{"oem": oem}
			s.ask(r)
		}
		in := s.description(catalog.PackageFlatcar, "3.0.0")
		in.Files = []fleet.FileInput{{Name: "extrafile-amd64-3.0.0-oem-azure.gz", Size: 7, SHA256: sha256Of("azure")}}
		warnings := func(change func()) []string {
			t.Helper()
			change()
			row, err := s.CreatePackage(s.ctx, in)
			s.ok(err)
			impact, err := s.View.PromotionImpact(s.ctx, s.channel, row.ID)
			s.ok(err)
			return impact.Warnings
		}
		if all := warnings(func() {}); len(all) != 1 || !strings.HasPrefix(all[0], "the package has no oem-qemu.gz, oem-vmware.gz for machines of G:") {
			t.Errorf("warnings %q", all)
		}
		public := func() { in.Version, in.URL = "3.0.1", "https://update.release.flatcar-linux.net/amd64-usr/3.0.1/" }
		if all := warnings(public); len(all) != 0 {
			t.Errorf("warnings about a package on Flatcar's server: %q", all)
		}
		other := func() {
			in.Version, in.Type, in.URL = "3.0.2", catalog.PackageOther, "https://updates.example.org/"
			in.Action = nil
		}
		if all := warnings(other); len(all) != 0 {
			t.Errorf("warnings about a program: %q", all)
		}
		build := func() { in.Version = "2.0.0+b" }
		if all := warnings(build); len(all) != 1 || !strings.HasPrefix(all[0], "2.0.0+b differs from 2.0.0 only in build metadata") {
			t.Errorf("warnings about another build: %q", all)
		}
	})
}
