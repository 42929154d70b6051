package fleet

import (
	"context"
	"strings"

	"github.com/google/uuid"

	"github.com/coreroller/coreroller/ent/db"
	"github.com/coreroller/coreroller/ent/db/release"
	"github.com/coreroller/coreroller/fleet/catalog"
	"github.com/coreroller/coreroller/fleet/change"
	"github.com/coreroller/coreroller/fleet/fault"
	"github.com/coreroller/coreroller/fleet/input"
	"github.com/coreroller/coreroller/fleet/view"
	"github.com/coreroller/coreroller/rollout"
	"github.com/coreroller/coreroller/store"
)

// CreatePackage is the input of Service.CreatePackage.
type CreatePackage struct {
	ApplicationID uuid.UUID
	Type          int8
	Arch          string // "" = amd64
	Version       string // in the application's versioning
	URL           string // codebase: the file name is appended to it
	Filename      string
	Size          int64  // bytes
	SHA1          string // base64
	SHA256        string // hex
	Description   string
	Files         []FileInput
	Action        *ActionInput // type 1 only; nil = made from SHA256
	Blacklist     []uuid.UUID  // channels that must not point to it
	// Hosted says that machines fetch the files from this server. URL is then where the
	// files can be fetched from, "" for nowhere.
	Hosted    bool
	SourceURL string // of a hosted package; set by the service
}

// CreatePackage creates a package. No channel points to it yet.
func (s *Service) CreatePackage(ctx context.Context, in CreatePackage) (*db.Release, error) {
	v := change.Verb{Name: "createPackage", App: in.ApplicationID, Object: "package", ID: store.NewID(s.now()), Unique: "version"}
	err := s.configure(ctx, v, func(c *change.Change) error {
		var p input.Problems
		in.SourceURL = ""
		if in.Hosted {
			if err := s.host(&p, c, &in, strings.TrimSpace(in.URL)); err != nil {
				return err
			}
		}
		in.check(&p, c.Config.Versioning, in.Hosted)
		arch := p.Arch("arch", catalog.Arch("", in.Arch))
		if p.Err() != nil {
			return p.Err()
		}
		row, err := c.Tx.Client().Release.Create().SetID(c.ID).SetApplicationID(c.App).SetCreatedAt(c.Now).
			SetType(in.Type).SetArch(arch).SetVersion(in.Version).SetURL(in.URL).SetFilename(in.Filename).
			SetSize(in.Size).SetSha1(in.SHA1).SetSha256(in.SHA256).SetDescription(in.Description).
			SetHosted(in.Hosted).SetSourceURL(in.SourceURL).Save(ctx)
		if err != nil {
			return err
		}
		if err := createParts(c, c.ID, in); err != nil {
			return err
		}
		if err := setBlacklist(c, row, in.Blacklist); err != nil {
			return err
		}
		if err := noteTwins(c, row); err != nil {
			return err
		}
		return savedPackage(c, c.ID)
	})
	if err != nil {
		return nil, err
	}
	return s.readPackage(ctx, v.ID)
}

// noteTwins adds an activity if machines with the version of another package are never
// offered this one, and the other way round, although the versions differ.
func noteTwins(c *change.Change, row *db.Release) error {
	warnings, err := view.Twins(c.Ctx, c.Tx.Client(), row)
	if len(warnings) > 0 {
		noteTwin(c, &catalog.Channel{}, row.Version, strings.Join(warnings, "; "))
	}
	return err
}

func noteTwin(c *change.Change, ch *catalog.Channel, version, warning string) {
	c.Activity(ch.ID, ch.Name, rollout.Activity{Kind: rollout.ActivitySameVersion, Severity: rollout.SeverityWarning, Version: version, Detail: warning})
}

// createParts stores the files and the action of a package.
func createParts(c *change.Change, id uuid.UUID, f CreatePackage) error {
	client := c.Tx.Client()
	for _, file := range f.Files {
		err := client.PackageFile.Create().SetID(store.NewID(c.Now)).SetPackageID(id).
			SetName(file.Name).SetSize(file.Size).SetSha1(file.SHA1).SetSha256(file.SHA256).Exec(c.Ctx)
		if err != nil {
			return err
		}
	}
	if a := f.Action; a != nil {
		return client.PackageAction.Create().SetID(store.NewID(c.Now)).SetPackageID(id).SetCreatedAt(c.Now).
			SetSha256(a.SHA256).SetChromeosVersion(a.ChromeOSVersion).SetNeedsAdmin(a.NeedsAdmin).SetIsDelta(a.IsDelta).
			SetNillableDisablePayloadBackoff(a.DisablePayloadBackoff).SetMetadataSignatureRsa(a.MetadataSignatureRSA).
			SetMetadataSize(a.MetadataSize).SetDeadline(a.Deadline).Exec(c.Ctx)
	}
	return nil
}

// DeletePackage is the input of Service.DeletePackage.
type DeletePackage struct {
	ID     uuid.UUID
	Reason string
	Force  bool // also if a channel or an update under way relies on it
}

// DeletePackage deletes a package. Channels that pointed to it then have none, and
// rollouts to it end.
func (s *Service) DeletePackage(ctx context.Context, in DeletePackage) error {
	v := change.Verb{Name: "deletePackage", Reason: in.Reason}
	return s.changePackage(ctx, v, in.ID, func(c *change.Change, row *db.Release) error {
		relies, err := s.View.RelyOnPackage(c.Ctx, c.Config, row.ID)
		if err != nil {
			return err
		}
		if err := reliedOn(in.Force, relies); err != nil {
			return err
		}
		for _, ch := range c.Config.Channels {
			if err := loses(c, ch, row); err != nil {
				return err
			}
		}
		return c.Tx.Client().Release.DeleteOneID(row.ID).Exec(ctx)
	})
}

// loses records that a channel loses a package that is deleted.
func loses(c *change.Change, ch *catalog.Channel, row *db.Release) error {
	_, blacklisted := ch.Blacklisted[row.ID]
	if !blacklisted && !ch.IsFloor(row.ID) && !ch.IsTarget(row.ID) {
		return nil
	}
	if ch.IsTarget(row.ID) {
		c.Activity(ch.ID, ch.Name, rollout.Activity{
			Kind: rollout.ActivityChannelMoved, Severity: rollout.SeverityWarning,
			Detail: "package " + row.Version + " was deleted: the channel is empty",
		})
		if err := recordPromotion(c, ch, nil, ""); err != nil {
			return err
		}
	}
	return revised(c, ch.ID)
}

// changePackage changes the package with an id.
func (s *Service) changePackage(ctx context.Context, v change.Verb, id uuid.UUID, f func(*change.Change, *db.Release) error) error {
	if err := begin(ctx, &v); err != nil {
		return err
	}
	row, err := s.store.Reader().Release.Get(ctx, id)
	if err != nil {
		return v.Expected(fault.Missing(err, "id", "package"))
	}
	v.App, v.Object, v.ID, v.Unique = row.ApplicationID, "package", id, "version"
	return s.changes.Configure(ctx, v, func(c *change.Change) error {
		row, err := wholePackage(ctx, c.Tx.Client(), id)
		if err != nil {
			return fault.Missing(err, "id", "package")
		}
		c.Before = row
		return f(c, row)
	})
}

// wholePackage reads a package with its files, action, blacklistings and stored files.
func wholePackage(ctx context.Context, client *db.Client, id uuid.UUID) (*db.Release, error) {
	return client.Release.Query().Where(release.ID(id)).WithFiles().WithAction().WithBlacklistings().WithStored().Only(ctx)
}

func savedPackage(c *change.Change, id uuid.UUID) error {
	row, err := wholePackage(c.Ctx, c.Tx.Client(), id)
	return c.Saved(row, err)
}

func (s *Service) readPackage(ctx context.Context, id uuid.UUID) (*db.Release, error) {
	row, err := wholePackage(ctx, s.store.Reader(), id)
	return row, fault.Missing(err, "id", "package")
}
