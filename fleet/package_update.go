package fleet

import (
	"context"

	"github.com/google/uuid"

	"github.com/coreroller/coreroller/auth"
	"github.com/coreroller/coreroller/ent/db"
	"github.com/coreroller/coreroller/ent/db/packageaction"
	"github.com/coreroller/coreroller/ent/db/packagefile"
)

// UpdatePackage is the input of Service.UpdatePackage; nil leaves a field as
// it is. The architecture cannot change: another architecture is another package.
type UpdatePackage struct {
	ID          uuid.UUID
	Type        *int8
	Version     *string
	URL         *string
	Filename    *string
	Size        *int64
	SHA1        *string
	SHA256      *string // alone it replaces that of the action as well
	Description *string
	Files       *[]FileInput
	Action      *ActionInput // alone its SHA256 replaces that of the package as well
	Blacklist   *[]uuid.UUID
	Reason      string
}

// UpdatePackage edits a package. The next offer carries what is stored now;
// groups that move to it start another rollout when its version changes.
func (s *Service) UpdatePackage(ctx context.Context, in UpdatePackage) (*db.Release, error) {
	who, err := require(ctx, auth.Configure)
	if err != nil {
		return nil, err
	}
	v := verb{name: "updatePackage", by: who, reason: in.Reason}
	if err := s.changePackage(ctx, v, in.ID, func(c *change, row *db.Release) error { return c.updatePackage(in, row) }); err != nil {
		return nil, err
	}
	return s.readPackage(ctx, in.ID)
}

func (c *change) updatePackage(in UpdatePackage, row *db.Release) error {
	var p problems
	f := in.over(row)
	if f.check(&p); p.err() != nil {
		return p.err()
	}
	client := c.tx.Client()
	_, err := client.Release.UpdateOneID(row.ID).
		SetType(f.Type).SetVersion(f.Version).SetURL(f.URL).SetFilename(f.Filename).
		SetSize(f.Size).SetSha1(f.SHA1).SetSha256(f.SHA256).SetDescription(f.Description).Save(c.ctx)
	if err != nil {
		return err
	}
	if _, err := client.PackageFile.Delete().Where(packagefile.PackageID(row.ID)).Exec(c.ctx); err != nil {
		return err
	}
	if _, err := client.PackageAction.Delete().Where(packageaction.PackageID(row.ID)).Exec(c.ctx); err != nil {
		return err
	}
	if err := c.createParts(row.ID, f); err != nil {
		return err
	}
	if in.Blacklist != nil {
		if err := c.setBlacklist(row, *in.Blacklist); err != nil {
			return err
		}
	}
	if err := c.savedPackage(row.ID); err != nil {
		return err
	}
	return c.stillOfferable(c.is.(*db.Release))
}

// over lays an edit over the package as it is stored.
func (in *UpdatePackage) over(row *db.Release) packageFields {
	f := packageFields{
		Type: or(in.Type, row.Type), Version: or(in.Version, row.Version), URL: or(in.URL, row.URL),
		Filename: or(in.Filename, row.Filename), Size: or(in.Size, row.Size), SHA1: or(in.SHA1, row.Sha1),
		SHA256: or(in.SHA256, row.Sha256), Description: or(in.Description, row.Description), Action: in.Action,
	}
	if in.Files != nil {
		f.Files = *in.Files
	} else {
		for _, file := range row.Edges.Files {
			f.Files = append(f.Files, FileInput{Name: file.Name, Size: file.Size, SHA1: file.Sha1, SHA256: file.Sha256})
		}
	}
	if a := row.Edges.Action; f.Action == nil && a != nil && f.Type == PackageFlatcar {
		f.Action = &ActionInput{
			SHA256: a.Sha256, ChromeOSVersion: a.ChromeosVersion, NeedsAdmin: a.NeedsAdmin, IsDelta: a.IsDelta,
			DisablePayloadBackoff: &a.DisablePayloadBackoff, MetadataSignatureRSA: a.MetadataSignatureRsa,
			MetadataSize: a.MetadataSize, Deadline: a.Deadline,
		}
		if in.SHA256 != nil { // of another payload: the action's follows
			f.Action.SHA256 = ""
		}
	} else if in.Action != nil && in.Action.SHA256 != "" && in.SHA256 == nil {
		f.SHA256 = ""
	}
	return f
}

// stillOfferable refuses an edit that would make machines refuse a package
// which a channel points to or has as a floor.
func (c *change) stillOfferable(row *db.Release) error {
	why := renderPackage(row).offerable()
	if why == "" {
		return nil
	}
	for _, ch := range c.app.Channels {
		if ch.offers[renderPackage(row).ID] != nil {
			return Errorf(Conflict, "", "the package is in use on channel %q and %s", ch.Name, why)
		}
	}
	return nil
}
