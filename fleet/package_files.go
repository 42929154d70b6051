package fleet

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"reflect"
	"strings"

	"github.com/google/uuid"

	"github.com/coreroller/coreroller/auth"
	"github.com/coreroller/coreroller/ent/db"
	"github.com/coreroller/coreroller/ent/db/release"
	"github.com/coreroller/coreroller/ent/db/storedfile"
	"github.com/coreroller/coreroller/fleet/catalog"
	"github.com/coreroller/coreroller/fleet/change"
	"github.com/coreroller/coreroller/fleet/fault"
	"github.com/coreroller/coreroller/fleet/hosting"
	"github.com/coreroller/coreroller/fleet/input"
	"github.com/coreroller/coreroller/remote/payload"
	"github.com/coreroller/coreroller/remote/payload/storage"
	"github.com/coreroller/coreroller/rollout/phrase"
	"github.com/coreroller/coreroller/store"
)

// UploadPackageFile is the input of Service.UploadPackageFile.
type UploadPackageFile struct {
	PackageID uuid.UUID
	Name      string // of the payload, or of an additional file
	File      io.Reader
	Reason    string
}

// UploadPackageFile stores a file of a package and makes machines fetch it from this server.
// It refuses a file with another size or digest than the package says; what the package does
// not say is filled in.
func (s *Service) UploadPackageFile(ctx context.Context, in UploadPackageFile) (*db.Release, error) {
	target, err := s.receive(ctx, "uploadPackageFile", in.PackageID, in.Name, in.Reason, -1)
	if err != nil {
		return nil, err
	}
	if in.File == nil {
		return nil, fault.Errorf(fault.Invalid, "file", "is missing: send it as multipart/form-data")
	}
	d, err := s.Hosting.Begin(ctx, -1, target)
	if err != nil {
		return nil, err
	}
	if _, err := io.Copy(d, in.File); err != nil {
		return nil, errors.Join(hosting.Refused(err), d.Remove())
	}
	return s.attach(ctx, target, d)
}

// target is what a draft is for. It is stored with an upload.
type target struct {
	Verb      string
	PackageID uuid.UUID
	Name      string
	Reason    string
}

// receive checks, before a file arrives, that it will be accepted. size is -1 if it is not
// known.
func (s *Service) receive(ctx context.Context, verb string, id uuid.UUID, name, reason string, size int64) (target, error) {
	t := target{verb, id, strings.TrimSpace(name), reason}
	row, err := s.mayReceive(ctx, verb, id)
	if err != nil {
		return t, err
	}
	var p input.Problems
	p.Exact("name", t.Name, maxFile)
	if err := cmp.Or(p.Err(), input.CheckReason(reason), s.Hosting.Ready()); err != nil {
		return t, err
	}
	f, err := fileNamed(row, t.Name)
	if err != nil {
		return t, err
	}
	if size >= 0 && f.Size > 0 && size != f.Size {
		return t, fault.Errorf(fault.Invalid, "file", "the file has %d bytes, but package %s says %d", size, row.Version, f.Size)
	}
	if !row.Hosted {
		if _, err := s.hostedURL(ctx, id); err != nil {
			return t, err
		}
	}
	return t, nil
}

// mayReceive returns the package if the caller may store its files.
func (s *Service) mayReceive(ctx context.Context, verb string, id uuid.UUID) (*db.Release, error) {
	who, err := fault.RequireVerb(ctx, verb)
	if err != nil {
		return nil, err
	}
	row, err := s.store.Reader().Release.Query().Where(release.ID(id)).WithFiles().WithApplication().Only(ctx)
	if err != nil {
		return nil, fault.Missing(err, "packageId", "package")
	}
	return row, fault.RequireOn(who, verb, auth.Place{Team: row.Edges.Application.TeamID, Application: row.ApplicationID})
}

// attach verifies a complete draft, stores it and names it in one transaction. The draft
// ends in any case.
func (s *Service) attach(ctx context.Context, t target, d *storage.Draft) (*db.Release, error) {
	facts := d.Facts()
	row, err := s.readPackage(ctx, t.PackageID)
	if err == nil {
		err = verify(row, t.Name, facts, d)
	}
	if err != nil {
		return nil, errors.Join(err, d.Remove())
	}
	err = s.Hosting.Keep(ctx, d, func() error {
		v := change.Verb{Name: t.Verb, Reason: t.Reason}
		return s.changePackage(ctx, v, t.PackageID, func(c *change.Change, row *db.Release) error { return s.name(c, row, t.Name, facts) })
	})
	if err != nil {
		return nil, err
	}
	return s.readPackage(ctx, t.PackageID)
}

// magic begins the payload of update_engine and the extensions of Flatcar.
const magic = "CrAU"

// verify compares a file with what its package says about it.
func verify(row *db.Release, name string, facts payload.Facts, d *storage.Draft) error {
	f, err := fileNamed(row, name)
	if err != nil {
		return err
	}
	if facts.Size == 0 {
		return fault.Errorf(fault.Invalid, "file", "the file is empty")
	}
	if row.Type == catalog.PackageFlatcar && (f.payload || catalog.ExtensionName(name) != "") {
		head, err := d.Head(256)
		if err != nil {
			return err
		}
		if !bytes.HasPrefix(head, []byte(magic)) {
			return fault.Errorf(fault.Invalid, "file", "the file is no update payload: it begins with %q instead of %q%s", head[:min(len(head), len(magic))], magic, looksLike(head))
		}
	}
	return differs(f, facts)
}

// looksLike names a frequent mistake.
func looksLike(head []byte) string {
	text := strings.ToLower(string(bytes.TrimSpace(head)))
	switch {
	case strings.HasPrefix(text, "<!doctype html"), strings.HasPrefix(text, "<html"):
		return "; it is an HTML page, such as the sign-in page of a proxy"
	case bytes.HasPrefix(head, []byte{0x1f, 0x8b}):
		return "; it is compressed by gzip"
	}
	return ""
}

// differs returns how a file differs from what its package says.
func differs(f packageFile, facts payload.Facts) error {
	var wrong []string
	add := func(what string, expected, actual any) {
		wrong = append(wrong, fmt.Sprintf("%s: expected %v, is %v", what, expected, actual))
	}
	if f.Size > 0 && f.Size != facts.Size {
		add("size", f.Size, facts.Size)
	}
	if f.SHA1 != "" && f.SHA1 != facts.SHA1 {
		add("SHA-1", f.SHA1, facts.SHA1)
	}
	if f.SHA256 != "" && f.SHA256 != facts.SHA256 {
		add("SHA-256", f.SHA256, facts.SHA256)
	}
	if wrong == nil {
		return nil
	}
	return fault.Errorf(fault.Invalid, "file", "the file is not the one that the package names: %s", phrase.List(wrong, "; "))
}

// name records a stored content as a file of a package.
func (s *Service) name(c *change.Change, row *db.Release, name string, facts payload.Facts) error {
	file, err := fileNamed(row, name)
	if err != nil {
		return err
	}
	if err := differs(file, facts); err != nil { // the package may have changed while the file arrived
		return err
	}
	f := new(UpdatePackage).over(row)
	if file.payload {
		f.Filename, f.Size, f.SHA1, f.SHA256 = name, facts.Size, facts.SHA1, facts.SHA256
	} else {
		for i := range f.Files {
			if f.Files[i].Name == name {
				f.Files[i] = FileInput{name, facts.Size, facts.SHA1, facts.SHA256}
			}
		}
	}
	var p input.Problems
	if f.check(&p, c.Config.Versioning, true); p.Err() != nil {
		return p.Err()
	}
	if err := s.mayFillIn(c, row, f); err != nil {
		return err
	}
	if !row.Hosted {
		if err := s.host(&p, c, &f, row.URL); err != nil {
			return err
		}
		if err := approvedBefore(c, row); err != nil { // machines would be sent elsewhere
			return err
		}
	}
	if _, err := savePackage(c, row, f); err != nil {
		return err
	}
	if err := saveStored(c, row.ID, name, file.payload, facts); err != nil {
		return err
	}
	if err := savedPackage(c, row.ID); err != nil {
		return err
	}
	return stillOfferable(c, c.After.(*db.Release))
}

// mayFillIn refuses to complete what a package says about its files once machines rely on it.
func (s *Service) mayFillIn(c *change.Change, row *db.Release, after CreatePackage) error {
	before := new(UpdatePackage).over(row)
	before.check(new(input.Problems), c.Config.Versioning, true)
	if reflect.DeepEqual(before.relied(), after.relied()) {
		return nil
	}
	if err := approvedBefore(c, row); err != nil {
		return err
	}
	have, err := s.View.HavePackage(c.Ctx, c.Config, row)
	if err != nil || have == "" {
		return err
	}
	return fault.Errorf(fault.Conflict, "packageId",
		"%s, and the package does not say size and digests of this file: it cannot be checked whether it is the same. Set them by updatePackage with force first", have)
}

func saveStored(c *change.Change, pkg uuid.UUID, name string, isPayload bool, facts payload.Facts) error {
	client := c.Tx.Client()
	if _, err := client.StoredFile.Delete().Where(storedfile.PackageID(pkg), storedfile.Name(name)).Exec(c.Ctx); err != nil {
		return err
	}
	return client.StoredFile.Create().SetID(store.NewID(c.Now)).SetPackageID(pkg).SetName(name).SetPayload(isPayload).
		SetSize(facts.Size).SetSha1(facts.SHA1).SetSha256(facts.SHA256).SetStoredAt(c.Now).SetStoredBy(c.By.Name).Exec(c.Ctx)
}

// DeletePackageFile is the input of Service.DeletePackageFile.
type DeletePackageFile struct {
	PackageID uuid.UUID
	Name      string
	Reason    string
	Force     bool // also if a channel offers the package
}

// DeletePackageFile makes the server no longer serve a file of a package. Its content stays
// until the storage is cleaned up.
func (s *Service) DeletePackageFile(ctx context.Context, in DeletePackageFile) (*db.Release, error) {
	var p input.Problems
	p.Exact("name", in.Name, maxFile)
	v := change.Verb{Name: "deletePackageFile", Reason: in.Reason, Invalid: p.Err()}
	err := s.changePackage(ctx, v, in.PackageID, func(c *change.Change, row *db.Release) error {
		n, err := c.Tx.Client().StoredFile.Delete().Where(storedfile.PackageID(row.ID), storedfile.Name(in.Name)).Exec(c.Ctx)
		if err != nil {
			return err
		}
		if n == 0 {
			return fault.Errorf(fault.NotFound, "name", "there is no such stored file")
		}
		if err := savedPackage(c, row.ID); err != nil || in.Force {
			return err
		}
		if err := stillOfferable(c, c.After.(*db.Release)); err != nil {
			return fault.Errorf(fault.Conflict, "force", "%s. Set force to delete it anyway", err)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return s.readPackage(ctx, in.PackageID)
}
