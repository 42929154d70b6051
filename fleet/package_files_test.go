package fleet_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/google/uuid"

	"github.com/coreroller/coreroller/auth"
	"github.com/coreroller/coreroller/ent/db"
	"github.com/coreroller/coreroller/fleet"
	"github.com/coreroller/coreroller/fleet/catalog"
	"github.com/coreroller/coreroller/fleet/fault"
	"github.com/coreroller/coreroller/fleet/view"
	"github.com/coreroller/coreroller/remote/payload"
	"github.com/coreroller/coreroller/remote/payload/storage"
	"github.com/coreroller/coreroller/store/storetest"
)

const hostedBase = "http://updates.example.com"

// hostingHarness is a harness with a storage in a directory.
func hostingHarness(t *testing.T, url string, quota int64, change ...func(*fleet.Options)) (d *harness, dir string) {
	t.Helper()
	dir = t.TempDir()
	return newHarness(t, url, append(change, func(o *fleet.Options) {
		o.Hosting = fleet.Hosting{
			Storage: must(storage.NewDirectory(filepath.Join(dir, "files")))(t), Staging: must(storage.NewStaging(filepath.Join(dir, "incoming"), storage.DefaultReserve))(t),
			Quota: quota, URL: func(context.Context) string { return hostedBase },
			Limits: payload.Limits{Size: 1 << 20, Total: 20 * time.Second, Stall: 10 * time.Second, Tries: 3, Pause: time.Millisecond},
		}
		o.Inspect = payload.Sources{Networks: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}}
	})...), dir
}

// onDisk returns the number of files below a folder of the storage.
func onDisk(t *testing.T, folders ...string) (n int) {
	t.Helper()
	err := filepath.WalkDir(filepath.Join(folders...), func(_ string, entry os.DirEntry, err error) error {
		if err == nil && !entry.IsDir() {
			n++
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

const image = "CrAU and the rest of an image"

func factsOf(text string) payload.Facts {
	facts, _ := payload.Read(strings.NewReader(text), 0, nil)
	return facts
}

// hosted makes a package of Flatcar without facts, and one additional file.
func (d *harness) hosted(s *setup, version string) *db.Release {
	d.t.Helper()
	return must(d.CreatePackage(d.ctx, fleet.CreatePackage{
		ApplicationID: s.app.ID, Type: catalog.PackageFlatcar, Version: version, Filename: "update.gz", Hosted: true,
		Files: []fleet.FileInput{{Name: "oem-azure.gz"}},
	}))(d.t)
}

func (d *harness) upload(id uuid.UUID, name, text string) (*db.Release, error) {
	return d.UploadPackageFile(d.ctx, fleet.UploadPackageFile{PackageID: id, Name: name, File: strings.NewReader(text), Reason: "built"})
}

func TestHostedPackageIsPromotedWhenItsFilesAreStored(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, url string) {
		d, dir := hostingHarness(t, url, 0)
		s := d.setup()
		p := d.hosted(s, "3.0.0")
		if p.URL != hostedBase+"/payloads/"+p.ID.String()+"/" || !p.Hosted || p.SourceURL != "" {
			t.Errorf("%+v", p)
		}
		promote := func() error {
			_, err := d.PromotePackage(d.ctx, fleet.PromotePackage{ChannelID: s.channel.ID, PackageID: &p.ID})
			return err
		}
		refused(t, promote(), fault.Invalid, "packageId")
		p = must(d.upload(p.ID, "update.gz", image))(t)
		if facts := factsOf(image); p.Size != facts.Size || p.Sha256 != facts.SHA256 || p.Sha1 != facts.SHA1 || p.Edges.Action == nil || len(p.Edges.Stored) != 1 {
			t.Errorf("filled in: %+v", p)
		}
		if err := promote(); err == nil || !strings.Contains(err.Error(), "oem-azure.gz") {
			t.Errorf("without the additional file: %v", err)
		}
		p = must(d.upload(p.ID, "oem-azure.gz", "CrAU azure"))(t)
		if len(p.Edges.Stored) != 2 || p.Edges.Files[0].Sha256 != factsOf("CrAU azure").SHA256 || p.Edges.Files[0].Size != 10 {
			t.Errorf("%+v", p.Edges)
		}
		d.must(promote())
		if a := d.check(s, "m", "1.0.0"); len(a.Offers) != 1 || a.Offers[0].Package.URL != p.URL || a.Offers[0].Package.File.SHA256Hex != p.Sha256 {
			t.Errorf("offer: %+v", a.Offers)
		}
		if n := len(d.audits("uploadPackageFile")); n != 2 {
			t.Errorf("%d audit rows", n)
		}
		if n, left := onDisk(t, dir, "files"), onDisk(t, dir, "incoming"); n != 2 || left != 0 {
			t.Errorf("%d contents, %d drafts", n, left)
		}
		// The same file again changes nothing; its content is stored once.
		must(d.upload(p.ID, "update.gz", image))(t)
		if n := onDisk(t, dir, "files"); n != 2 {
			t.Errorf("%d contents", n)
		}
		// Machines rely on it.
		_, err := d.DeletePackageFile(d.ctx, fleet.DeletePackageFile{PackageID: p.ID, Name: "update.gz"})
		refused(t, err, fault.Conflict, "force")
		_, err = d.upload(p.ID, "update.gz", image+"!")
		refused(t, err, fault.Invalid, "file")
		if rows := must(d.View.Package(d.ctx, p.ID, nil))(t); rows.Sha256 != factsOf(image).SHA256 {
			t.Errorf("changed: %+v", rows)
		}
		p = must(d.DeletePackageFile(d.ctx, fleet.DeletePackageFile{PackageID: p.ID, Name: "oem-azure.gz", Force: true}))(t)
		if len(p.Edges.Stored) != 1 {
			t.Errorf("%+v", p.Edges.Stored)
		}
	})
}

func TestWrongFilesAreRefused(t *testing.T) {
	t.Parallel()
	d, dir := hostingHarness(t, storetest.SQLite(t), 0)
	s := d.setup()
	p := d.hosted(s, "3.0.0")
	facts := factsOf(image)
	must(d.UpdatePackage(d.ctx, fleet.UpdatePackage{ID: p.ID, SHA256: &facts.SHA256, SHA1: &facts.SHA1, Size: &facts.Size}))(t)
	for text, want := range map[string]string{
		"<!DOCTYPE html><title>Sign in</title>": "sign-in page",
		"\x1f\x8b\x08":                          "compressed by gzip",
		"":                                      "is empty",
		image[:len(image)-1] + "X":              "SHA-256: expected " + facts.SHA256 + ", is " + factsOf(image[:len(image)-1]+"X").SHA256,
		image + "X":                             "size: expected 29, is 30",
		"CrA":                                   `begins with "CrA"`,
	} {
		_, err := d.upload(p.ID, "update.gz", text)
		if fault.CodeOf(err) != fault.Invalid || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v", text, err)
		}
	}
	_, err := d.upload(p.ID, "other.gz", image)
	refused(t, err, fault.NotFound, "name")
	_, err = d.upload(uuid.New(), "update.gz", image)
	refused(t, err, fault.NotFound, "packageId")
	_, err = d.UploadPackageFile(d.ctx, fleet.UploadPackageFile{PackageID: p.ID, Name: "update.gz", File: iotest.TimeoutReader(iotest.OneByteReader(strings.NewReader(image)))})
	if !errors.Is(err, iotest.ErrTimeout) {
		t.Errorf("a broken connection: %v", err)
	}
	for _, role := range []auth.Role{auth.Viewer, auth.Operator} {
		ctx := auth.With(t.Context(), auth.Principal{Name: "x", Role: role})
		_, err := d.UploadPackageFile(ctx, fleet.UploadPackageFile{PackageID: p.ID, Name: "update.gz", File: strings.NewReader(image)})
		refused(t, err, fault.Forbidden, "")
	}
	if n := onDisk(t, dir); n != 0 {
		t.Errorf("%d files are left", n)
	}
	must(d.upload(p.ID, "update.gz", image))(t)
}

// A package whose URL leads elsewhere becomes hosted, also while machines use it, if the
// file is proven to be the same.
func TestPackageBecomesHosted(t *testing.T) {
	t.Parallel()
	d, _ := hostingHarness(t, storetest.SQLite(t), 0)
	s := d.setup()
	facts := factsOf(image)
	in := samplePackage(s.app.ID, "3.0.0")
	in.Size, in.SHA1, in.SHA256 = facts.Size, facts.SHA1, facts.SHA256
	p := must(d.CreatePackage(d.ctx, in))(t)
	s.packages["3.0.0"] = p.ID
	d.promote(s, "3.0.0")
	d.check(s, "m", "3.0.0")
	p = must(d.upload(p.ID, "update.gz", image))(t)
	if !p.Hosted || p.SourceURL != in.URL || !strings.HasPrefix(p.URL, hostedBase) {
		t.Errorf("%+v", p)
	}
	_, err := d.UpdatePackage(d.ctx, fleet.UpdatePackage{ID: p.ID, URL: new("https://example.org/")})
	refused(t, err, fault.Invalid, "url")
	moved := "https://cdn.example.com" + strings.TrimPrefix(p.URL, hostedBase)
	p = must(d.UpdatePackage(d.ctx, fleet.UpdatePackage{ID: p.ID, URL: &moved, Force: true}))(t)
	if p.URL != moved {
		t.Errorf("%+v", p)
	}
	p = must(d.UpdatePackage(d.ctx, fleet.UpdatePackage{ID: p.ID, Hosted: new(false), Force: true}))(t)
	if p.Hosted || p.URL != in.URL || p.SourceURL != "" {
		t.Errorf("%+v", p)
	}

	// What machines have, but without digests, cannot be compared.
	bare := must(d.CreatePackage(d.ctx, fleet.CreatePackage{ApplicationID: s.app.ID, Type: catalog.PackageOther, Version: "4.0.0", URL: "https://example.com/", Filename: "x"}))(t)
	s.packages["4.0.0"] = bare.ID
	d.promote(s, "4.0.0")
	d.check(s, "n", "4.0.0")
	_, err = d.upload(bare.ID, "x", "new content")
	refused(t, err, fault.Conflict, "packageId")
}

func TestFetchPackageFile(t *testing.T) {
	t.Parallel()
	d, dir := hostingHarness(t, storetest.SQLite(t), 0)
	s := d.setup()
	broken := true
	site := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.URL.Path == "/3.0.0/login.gz":
			_, _ = io.WriteString(w, "<html>")
		case r.URL.Path != "/3.0.0/update.gz":
			http.NotFound(w, r)
		case broken:
			broken = false
			w.Header().Set("ETag", `"1"`)
			w.Header().Set("Content-Length", "29")
			_, _ = io.WriteString(w, image[:10])
		default:
			w.Header().Set("ETag", `"1"`)
			http.ServeContent(w, r, "", time.Time{}, strings.NewReader(image))
		}
	}))
	defer site.Close()
	facts := factsOf(image)
	in := samplePackage(s.app.ID, "3.0.0")
	in.Size, in.SHA1, in.SHA256, in.URL, in.Hosted = facts.Size, facts.SHA1, facts.SHA256, site.URL+"/3.0.0", true
	p := must(d.CreatePackage(d.ctx, in))(t)
	if p.SourceURL != site.URL+"/3.0.0/" {
		t.Errorf("source %q", p.SourceURL)
	}
	fetch := func(url string) (*db.Release, error) {
		return d.FetchPackageFile(d.ctx, fleet.FetchPackageFile{PackageID: p.ID, Name: "update.gz", URL: url})
	}
	for url, want := range map[string]string{
		site.URL + "/3.0.0/missing.gz":    "404",
		site.URL + "/3.0.0/login.gz":      "HTML page",
		"ftp://127.0.0.1/":                "http or https",
		"http://10.1.2.3/3.0.0/update.gz": "may not fetch from the address 10.1.2.3",
	} {
		if _, err := fetch(url); fault.CodeOf(err) != fault.Invalid || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", url, err)
		}
	}
	if p = must(fetch(""))(t); len(p.Edges.Stored) != 1 || broken {
		t.Errorf("%+v", p.Edges.Stored)
	}
	all := must(d.Fetches(d.ctx))(t)
	if len(all) != 1 || all[0].Error != "" || all[0].Received != 29 || *all[0].Total != 29 || all[0].EndedAt == nil || all[0].By != "olga" {
		t.Errorf("%+v", all[0])
	}
	if n := onDisk(t, dir); n != 1 {
		t.Errorf("%d files", n)
	}
	// Files that are not stored yet are redirected to where they come from.
	if _, url, err := d.Hosting.Find(t.Context(), p.ID, "other.gz"); fault.CodeOf(err) != fault.NotFound {
		t.Errorf("%q %v", url, err)
	}
	must(d.DeletePackageFile(d.ctx, fleet.DeletePackageFile{PackageID: p.ID, Name: "update.gz"}))(t)
	if _, url, err := d.Hosting.Find(t.Context(), p.ID, "update.gz"); url != site.URL+"/3.0.0/update.gz" || err != nil {
		t.Errorf("%q %v", url, err)
	}
	first := must(d.StartFetchPackageFile(d.ctx, fleet.FetchPackageFile{PackageID: p.ID, Name: "update.gz"}))(t)
	if first.URL != site.URL+"/3.0.0/update.gz" {
		t.Errorf("%+v", first)
	}
	until(t, func() bool { return must(d.Fetches(d.ctx))(t)[0].EndedAt != nil })
	if f, _, err := d.Hosting.Find(t.Context(), p.ID, "update.gz"); err != nil || f.Sha256 != facts.SHA256 {
		t.Errorf("%+v %v", f, err)
	}
}

// until waits for something that happens in another goroutine.
func until(t *testing.T, is func() bool) {
	t.Helper()
	late := time.After(20 * time.Second)
	look := time.NewTicker(2 * time.Millisecond)
	defer look.Stop()
	for !is() {
		select {
		case <-look.C:
		case <-late:
			t.Fatal("it did not happen within 20 seconds")
		}
	}
}

func TestUploadInParts(t *testing.T) {
	t.Parallel()
	d, dir := hostingHarness(t, storetest.SQLite(t), 0)
	s := d.setup()
	p := d.hosted(s, "3.0.0")
	u := must(d.BeginUpload(d.ctx, fleet.BeginUpload{PackageID: p.ID, Name: "update.gz", Size: 29, Reason: "built"}))(t)
	part := func(offset int64, r io.Reader) (*fleet.Upload, error) {
		return d.ContinueUpload(d.ctx, u.ID, offset, r)
	}
	u2 := must(part(0, strings.NewReader(image[:10])))(t)
	if u2.Offset != 10 || u2.Package != nil {
		t.Errorf("%+v", u2)
	}
	_, err := part(5, strings.NewReader(image[5:]))
	refused(t, err, fault.Conflict, "offset")
	// A broken connection keeps what arrived.
	if _, err := part(10, io.MultiReader(strings.NewReader(image[10:12]), iotest.ErrReader(io.ErrUnexpectedEOF))); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Error(err)
	}
	if state := must(d.Upload(d.ctx, u.ID))(t); state.Offset != 12 || state.Size != 29 {
		t.Errorf("%+v", state)
	}
	_, err = part(12, strings.NewReader(image[12:]+"more"))
	refused(t, err, fault.Invalid, "file")
	_, err = d.ContinueUpload(auth.With(t.Context(), auth.Principal{Name: "x", Role: auth.Operator}), u.ID, 12, strings.NewReader("x"))
	refused(t, err, fault.Forbidden, "")
	state := must(d.Upload(d.ctx, u.ID))(t)
	done := must(part(state.Offset, strings.NewReader(image[state.Offset:])))(t)
	if done.Package == nil || len(done.Package.Edges.Stored) != 1 || done.Package.Edges.Stored[0].StoredBy != "olga" {
		t.Errorf("%+v", done)
	}
	_, err = d.Upload(d.ctx, u.ID)
	refused(t, err, fault.NotFound, "id")

	_, err = d.BeginUpload(d.ctx, fleet.BeginUpload{PackageID: p.ID, Name: "update.gz", Size: 30})
	refused(t, err, fault.Invalid, "file")
	_, err = d.BeginUpload(d.ctx, fleet.BeginUpload{PackageID: p.ID, Name: "update.gz"})
	refused(t, err, fault.Invalid, "size")
	u = must(d.BeginUpload(d.ctx, fleet.BeginUpload{PackageID: p.ID, Name: "oem-azure.gz", Size: 5}))(t)
	d.must(d.CancelUpload(d.ctx, u.ID))
	u = must(d.BeginUpload(d.ctx, fleet.BeginUpload{PackageID: p.ID, Name: "oem-azure.gz", Size: 5}))(t)
	if n := onDisk(t, dir, "incoming"); n != 2 {
		t.Errorf("%d files", n)
	}
	d.mu.Lock()
	d.now = time.Now().Add(25 * time.Hour)
	d.mu.Unlock()
	d.must(d.Hosting.ExpireUploads(t.Context()))
	if n := onDisk(t, dir, "incoming"); n != 0 {
		t.Errorf("%d files after they expired", n)
	}
}

func TestQuotaAndCleanUp(t *testing.T) {
	storetest.Each(t, func(t *testing.T, url string) {
		d, dir := hostingHarness(t, url, 100)
		s := d.setup()
		p := d.hosted(s, "3.0.0")
		attention := func() (n int) {
			d.wait(2 * time.Minute)
			for _, a := range must(d.View.Attention(d.ctx))(t) {
				if a.Kind == view.AttentionStorage {
					n++
				}
			}
			return n
		}
		must(d.upload(p.ID, "update.gz", image))(t) // 29 bytes
		if attention() != 0 {
			t.Error("attention at 29 %")
		}
		u := must(d.BeginUpload(d.ctx, fleet.BeginUpload{PackageID: p.ID, Name: "oem-azure.gz", Size: 61}))(t)
		if attention() != 1 {
			t.Error("no attention at 90 %")
		}
		_, err := d.BeginUpload(d.ctx, fleet.BeginUpload{PackageID: p.ID, Name: "oem-azure.gz", Size: 11})
		refused(t, err, fault.Conflict, "file")
		_, err = d.upload(p.ID, "oem-azure.gz", "CrAU 678901")
		refused(t, err, fault.Conflict, "file")
		d.must(d.CancelUpload(d.ctx, u.ID))
		must(d.upload(p.ID, "oem-azure.gz", "CrAU 678901"))(t)

		d.must(d.DeletePackage(d.ctx, fleet.DeletePackage{ID: p.ID}))
		used := must(d.Storage(d.ctx))(t)
		if used.Stored != 40 || used.Files != 0 || used.UnusedFiles != 2 || used.UnusedBytes != 40 || used.Quota != 100 || used.Free == nil || used.Arriving != 0 {
			t.Errorf("%+v", used)
		}
		clean := func(dry bool) (deleted int) {
			all := must(d.CleanUpStorage(d.ctx, fleet.CleanUpStorage{DryRun: dry}))(t)
			if len(all) != 2 {
				t.Errorf("%d unused files", len(all))
			}
			for _, one := range all {
				if one.Deleted {
					deleted++
				}
			}
			return deleted
		}
		d.mu.Lock()
		d.now = time.Now()
		d.mu.Unlock()
		if clean(false) != 0 || onDisk(t, dir) != 2 {
			t.Error("files that were just stored were deleted")
		}
		d.wait(2 * time.Hour)
		if clean(true) != 0 || onDisk(t, dir) != 2 {
			t.Error("the dry run deleted files")
		}
		if clean(false) != 2 || onDisk(t, dir) != 0 {
			t.Error("unused files were not deleted")
		}
		if n := len(d.audits("cleanUpStorage")); n != 1 {
			t.Errorf("%d audit rows", n)
		}
		ctx := auth.With(t.Context(), auth.Principal{Name: "x", Role: auth.Publisher})
		_, err = d.CleanUpStorage(ctx, fleet.CleanUpStorage{})
		refused(t, err, fault.Forbidden, "")
	})
}

func TestDownloadsAreCounted(t *testing.T) {
	t.Parallel()
	d, _ := hostingHarness(t, storetest.SQLite(t), 0)
	s := d.setup()
	p := d.hosted(s, "3.0.0")
	must(d.upload(p.ID, "update.gz", image))(t)
	f, _, err := d.Hosting.Find(t.Context(), p.ID, "update.gz")
	d.must(err)
	r := must(d.Hosting.Open(t.Context(), f))(t)
	if text := must(io.ReadAll(r))(t); !bytes.Equal(text, []byte(image)) {
		t.Errorf("%q", text)
	}
	_ = r.Close()
	for i := range 3 {
		one := d.Hosting.Start(f, "192.0.2.7")
		one.Add(10)
		d.wait(2 * time.Second)
		if all := must(d.Downloads(d.ctx))(t); len(all) != 1 || all[0].Sent() != 10 || all[0].Rate(d.clock()) != 5 || all[0].Address != "192.0.2.7" {
			t.Errorf("%+v", all)
		}
		one.End(i > 0)
	}
	d.must(d.Hosting.FlushDownloads(t.Context()))
	d.must(d.Hosting.FlushDownloads(t.Context()))
	p = must(d.View.Package(d.ctx, p.ID, nil))(t)
	if stored := must(d.View.PackageStored(d.ctx, p))(t); stored[0].Downloads != 2 {
		t.Errorf("%d downloads", stored[0].Downloads)
	}
	if all := must(d.Downloads(d.ctx))(t); len(all) != 0 {
		t.Errorf("%+v", all)
	}
}
