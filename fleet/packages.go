package fleet

import (
	"context"

	"github.com/google/uuid"

	"github.com/coreroller/coreroller/auth"
	"github.com/coreroller/coreroller/ent/db"
	"github.com/coreroller/coreroller/ent/db/release"
	"github.com/coreroller/coreroller/rollout"
	"github.com/coreroller/coreroller/store"
)

// CreatePackage is the input of Service.CreatePackage.
type CreatePackage struct {
	ApplicationID uuid.UUID
	Type          int8
	Arch          string // "" = amd64
	Version       string // semantic
	URL           string // codebase: the file name is appended to it
	Filename      string
	Size          int64  // bytes
	SHA1          string // base64
	SHA256        string // hex
	Description   string
	Files         []FileInput
	Action        *ActionInput // type 1 only; nil = made from SHA256
	Blacklist     []uuid.UUID  // channels that must not point to it
}

// CreatePackage makes a package. No channel points to it yet.
func (s *Service) CreatePackage(ctx context.Context, in CreatePackage) (*db.Release, error) {
	who, err := require(ctx, auth.Configure)
	if err != nil {
		return nil, err
	}
	var p problems
	f := packageFields{
		Type: in.Type, Version: in.Version, URL: in.URL, Filename: in.Filename, Size: in.Size,
		SHA1: in.SHA1, SHA256: in.SHA256, Description: in.Description, Files: in.Files, Action: in.Action,
	}
	f.check(&p)
	arch := p.arch("arch", Arch("", in.Arch))
	if err := p.err(); err != nil {
		return nil, err
	}
	v := verb{name: "createPackage", by: who, app: in.ApplicationID, object: "package", id: store.NewID(s.now()), unique: "version"}
	err = s.configure(ctx, v, func(c *change) error {
		row, err := c.tx.Client().Release.Create().SetID(c.id).SetApplicationID(c.verb.app).SetCreatedAt(c.now).
			SetType(f.Type).SetArch(arch).SetVersion(f.Version).SetURL(f.URL).SetFilename(f.Filename).
			SetSize(f.Size).SetSha1(f.SHA1).SetSha256(f.SHA256).SetDescription(f.Description).Save(ctx)
		if err != nil {
			return err
		}
		if err := c.createParts(c.id, f); err != nil {
			return err
		}
		if err := c.setBlacklist(row, in.Blacklist); err != nil {
			return err
		}
		return c.savedPackage(c.id)
	})
	if err != nil {
		return nil, err
	}
	return s.readPackage(ctx, v.id)
}

// createParts stores files and action of a package that has none.
func (c *change) createParts(id uuid.UUID, f packageFields) error {
	client := c.tx.Client()
	for _, file := range f.Files {
		err := client.PackageFile.Create().SetID(store.NewID(c.now)).SetPackageID(id).
			SetName(file.Name).SetSize(file.Size).SetSha1(file.SHA1).SetSha256(file.SHA256).Exec(c.ctx)
		if err != nil {
			return err
		}
	}
	if a := f.Action; a != nil {
		return client.PackageAction.Create().SetID(store.NewID(c.now)).SetPackageID(id).SetCreatedAt(c.now).
			SetSha256(a.SHA256).SetChromeosVersion(a.ChromeOSVersion).SetNeedsAdmin(a.NeedsAdmin).SetIsDelta(a.IsDelta).
			SetNillableDisablePayloadBackoff(a.DisablePayloadBackoff).SetMetadataSignatureRsa(a.MetadataSignatureRSA).
			SetMetadataSize(a.MetadataSize).SetDeadline(a.Deadline).Exec(c.ctx)
	}
	return nil
}

// DeletePackage is the input of Service.DeletePackage.
type DeletePackage struct {
	ID     uuid.UUID
	Reason string
}

// DeletePackage removes a package. Channels that pointed to it are left
// without one, and rollouts to it end.
func (s *Service) DeletePackage(ctx context.Context, in DeletePackage) error {
	who, err := require(ctx, auth.Configure)
	if err != nil {
		return err
	}
	v := verb{name: "deletePackage", by: who, reason: in.Reason}
	return s.changePackage(ctx, v, in.ID, func(c *change, row *db.Release) error {
		for _, ch := range c.app.Channels {
			if ch.target != nil && ch.target.ID == rollout.ID(row.ID) {
				c.activity(ch.ID, ch.Name, rollout.Activity{
					Kind: rollout.ActivityChannelMoved, Severity: rollout.SeverityWarning,
					Detail: "package " + row.Version + " was deleted: the channel is empty",
				})
			}
		}
		return c.tx.Client().Release.DeleteOneID(row.ID).Exec(ctx)
	})
}

// changePackage changes one package, found by id.
func (s *Service) changePackage(ctx context.Context, v verb, id uuid.UUID, f func(*change, *db.Release) error) error {
	if err := checkReason(v.reason); err != nil {
		return err
	}
	row, err := s.store.Reader().Release.Get(ctx, id)
	if err != nil {
		return v.expected(found(err, "id", "package"))
	}
	v.app, v.object, v.id, v.unique = row.ApplicationID, "package", id, "version"
	return s.configure(ctx, v, func(c *change) error {
		row, err := wholePackage(ctx, c.tx.Client(), id)
		if err != nil {
			return found(err, "id", "package")
		}
		c.before = row
		return f(c, row)
	})
}

// wholePackage reads a package with its files, action and blacklistings.
func wholePackage(ctx context.Context, client *db.Client, id uuid.UUID) (*db.Release, error) {
	return client.Release.Query().Where(release.ID(id)).WithFiles().WithAction().WithBlacklistings().Only(ctx)
}

func (c *change) savedPackage(id uuid.UUID) error {
	row, err := wholePackage(c.ctx, c.tx.Client(), id)
	return c.saved(row, err)
}

func (s *Service) readPackage(ctx context.Context, id uuid.UUID) (*db.Release, error) {
	row, err := wholePackage(ctx, s.store.Reader(), id)
	return row, found(err, "id", "package")
}
