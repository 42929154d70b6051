package fleet

import (
	"context"

	"github.com/google/uuid"

	"github.com/coreroller/coreroller/ent/db"
	"github.com/coreroller/coreroller/ent/db/packageaction"
	"github.com/coreroller/coreroller/ent/db/packagefile"
	"github.com/coreroller/coreroller/fleet/catalog"
	"github.com/coreroller/coreroller/fleet/change"
	"github.com/coreroller/coreroller/fleet/fault"
	"github.com/coreroller/coreroller/fleet/input"
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
	SHA256      *string // without Action it also replaces the action's
	Description *string
	Files       []FileInput  // nil: unchanged
	Action      *ActionInput // without SHA256 its digest also replaces the package's
	Blacklist   []uuid.UUID  // nil: unchanged
	Hosted      *bool        // see CreatePackage
	SourceURL   *string      // from where the files of a hosted package can be fetched
	Reason      string
	Force       bool // also if machines have the package
}

// UpdatePackage edits a package. The next offer carries the new values. Groups
// with this target start a new rollout if its version changes. Machines that have the
// package keep what they have, so changing what machines rely on must then be forced.
func (s *Service) UpdatePackage(ctx context.Context, in UpdatePackage) (*db.Release, error) {
	v := change.Verb{Name: "updatePackage", Reason: in.Reason}
	if err := s.changePackage(ctx, v, in.ID, func(c *change.Change, row *db.Release) error { return s.updatePackage(c, in, row) }); err != nil {
		return nil, err
	}
	return s.readPackage(ctx, in.ID)
}

func (s *Service) updatePackage(c *change.Change, in UpdatePackage, row *db.Release) error {
	var p input.Problems
	f := in.over(row)
	if err := s.moveFiles(&p, c, in, row, &f); err != nil {
		return err
	}
	same := f.Hosted || f.URL == row.URL && f.Filename == row.Filename && f.Type == row.Type // older rows may have a URL that is refused now
	if f.check(&p, c.Config.Versioning, same); p.Err() != nil {
		return p.Err()
	}
	if err := s.mayChange(c, in.Force, row, f); err != nil {
		return err
	}
	saved, err := savePackage(c, row, f)
	if err != nil {
		return err
	}
	if in.Blacklist != nil {
		if err := setBlacklist(c, row, in.Blacklist); err != nil {
			return err
		}
	}
	if saved.Version != row.Version {
		if err := noteTwins(c, saved); err != nil {
			return err
		}
	}
	if err := savedPackage(c, row.ID); err != nil {
		return err
	}
	return stillOfferable(c, c.After.(*db.Release))
}

// savePackage writes the fields, files and action of a package.
func savePackage(c *change.Change, row *db.Release, f CreatePackage) (*db.Release, error) {
	client := c.Tx.Client()
	saved, err := client.Release.UpdateOneID(row.ID).
		SetType(f.Type).SetVersion(f.Version).SetURL(f.URL).SetFilename(f.Filename).
		SetSize(f.Size).SetSha1(f.SHA1).SetSha256(f.SHA256).SetDescription(f.Description).
		SetHosted(f.Hosted).SetSourceURL(f.SourceURL).Save(c.Ctx)
	if err != nil {
		return nil, err
	}
	if _, err := client.PackageFile.Delete().Where(packagefile.PackageID(row.ID)).Exec(c.Ctx); err != nil {
		return nil, err
	}
	if _, err := client.PackageAction.Delete().Where(packageaction.PackageID(row.ID)).Exec(c.Ctx); err != nil {
		return nil, err
	}
	return saved, createParts(c, row.ID, f)
}

// over applies an edit to the stored package.
func (in *UpdatePackage) over(row *db.Release) CreatePackage {
	f := CreatePackage{
		Type: input.Or(in.Type, row.Type), Version: input.Or(in.Version, row.Version), URL: input.Or(in.URL, row.URL),
		Filename: input.Or(in.Filename, row.Filename), Size: input.Or(in.Size, row.Size), SHA1: input.Or(in.SHA1, row.Sha1),
		SHA256: input.Or(in.SHA256, row.Sha256), Description: input.Or(in.Description, row.Description), Files: in.Files, Action: in.Action,
		Hosted: input.Or(in.Hosted, row.Hosted), SourceURL: input.Or(in.SourceURL, row.SourceURL),
	}
	if in.Files == nil {
		for _, file := range row.Edges.Files {
			f.Files = append(f.Files, FileInput{Name: file.Name, Size: file.Size, SHA1: file.Sha1, SHA256: file.Sha256})
		}
	}
	if a := row.Edges.Action; f.Action == nil && a != nil && f.Type == catalog.PackageFlatcar {
		f.Action = &ActionInput{
			SHA256: a.Sha256, ChromeOSVersion: a.ChromeosVersion, NeedsAdmin: a.NeedsAdmin, IsDelta: a.IsDelta,
			DisablePayloadBackoff: &a.DisablePayloadBackoff, MetadataSignatureRSA: a.MetadataSignatureRsa,
			MetadataSize: a.MetadataSize, Deadline: a.Deadline,
		}
		if in.SHA256 != nil { // a new payload: the action's digest follows
			f.Action.SHA256 = ""
		}
	} else if in.Action != nil && in.Action.SHA256 != "" && in.SHA256 == nil {
		f.SHA256 = ""
	}
	return f
}

// stillOfferable rejects an edit after which machines would refuse a package that
// is the target or a floor of a channel.
func stillOfferable(c *change.Change, row *db.Release) error {
	why, err := offerable(c, row)
	if why == "" || err != nil {
		return err
	}
	for _, ch := range c.Config.Channels {
		if ch.Offers[catalog.RenderPackage(row).ID] != nil {
			return fault.Errorf(fault.Conflict, "", "the package is in use on channel %q and %s", ch.Name, why)
		}
	}
	return nil
}
