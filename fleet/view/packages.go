package view

import (
	"context"
	"time"

	"github.com/google/uuid"

	"github.com/coreroller/coreroller/ent/db"
	"github.com/coreroller/coreroller/ent/db/application"
	"github.com/coreroller/coreroller/ent/db/blacklisting"
	"github.com/coreroller/coreroller/ent/db/channel"
	"github.com/coreroller/coreroller/ent/db/floor"
	"github.com/coreroller/coreroller/ent/db/packagefile"
	"github.com/coreroller/coreroller/ent/db/predicate"
	"github.com/coreroller/coreroller/ent/db/release"
	"github.com/coreroller/coreroller/ent/db/storedfile"
)

// PackageFilter are conditions on packages; all must hold.
type PackageFilter struct {
	Application uuid.UUID
	Arch        *string
	Version     *string // beginning of the version
}

// Packages returns the list of packages that match.
func (s *Service) Packages(f PackageFilter, with With) *List[*db.Release] {
	where := when([]predicate.Release{release.ApplicationID(f.Application)}, f.Arch, release.Arch)
	where = when(where, f.Version, release.VersionHasPrefix)
	return listOf(loading(s.db().Release.Query().Where(where...), with.packages), byCreation(func(p *db.Release) (time.Time, uuid.UUID) { return p.CreatedAt, p.ID }))
}

// Package reads one package.
func (s *Service) Package(ctx context.Context, id uuid.UUID, with With) (*db.Release, error) {
	return one(ctx, "package", loading(s.db().Release.Query().Where(release.ID(id), release.HasApplicationWith(application.DeletedAtIsNil())), with.packages).Only)
}

// PackageWarnings returns a sentence for each other package of the application and
// architecture that is never offered to a machine with this one, and the other way
// round, although the versions differ.
func (s *Service) PackageWarnings(ctx context.Context, p *db.Release) ([]string, error) {
	return Twins(ctx, s.db(), p)
}

// Twins is PackageWarnings with another client, such as that of a transaction.
func Twins(ctx context.Context, client *db.Client, p *db.Release) ([]string, error) {
	q := client.Release.Query().Where(release.ApplicationID(p.ApplicationID), release.Arch(p.Arch)).Select(release.FieldID, release.FieldArch, release.FieldVersion)
	rows, err := read(ctx, "packages", q.All)
	if err != nil {
		return nil, err
	}
	warnings, version := []string{}, packageKey(p).version
	for _, row := range sorted(rows, packageKey, highestVersion) {
		if text := version.Twin(packageKey(row).version); text != "" {
			warnings = append(warnings, text)
		}
	}
	return warnings, nil
}

// PackageIDs reads the ids of the packages of an application, highest version
// first.
func (s *Service) PackageIDs(ctx context.Context, app uuid.UUID) ([]uuid.UUID, error) {
	q := s.db().Release.Query().Where(release.ApplicationID(app)).Select(release.FieldID, release.FieldArch, release.FieldVersion)
	rows, err := read(ctx, "packages", q.All)
	return sortedIDs(rows, err, packageKey, highestVersion)
}

// SearchPackageIDs is PackageIDs with a part of the version, in any case.
func (s *Service) SearchPackageIDs(ctx context.Context, app uuid.UUID, part string) ([]uuid.UUID, error) {
	q := s.db().Release.Query().Where(release.ApplicationID(app), release.VersionContainsFold(part)).Select(release.FieldID, release.FieldArch, release.FieldVersion)
	rows, err := read(ctx, "packages", q.All)
	return sortedIDs(rows, err, packageKey, highestVersion)
}

// PackagesByID reads packages in the order of their ids. Missing ones are left
// out.
func (s *Service) PackagesByID(ctx context.Context, ids []uuid.UUID, with With) ([]*db.Release, error) {
	rows, err := read(ctx, "packages", loading(s.db().Release.Query().Where(release.IDIn(ids...)), with.packages).All)
	return inOrderOf(ids, rows, packageID), err
}

func packageID(p *db.Release) uuid.UUID { return p.ID }

// PackageByID reads packages by id.
func (s *Service) PackageByID(ctx context.Context, ids []uuid.UUID) (map[uuid.UUID]*db.Release, error) {
	return indexed(ctx, "packages", s.db().Release.Query().Where(release.IDIn(ids...)).All, packageID)
}

// PackageFiles returns the files of a package by name. It reads them unless they
// were loaded with the package.
func (s *Service) PackageFiles(ctx context.Context, p *db.Release) ([]*db.PackageFile, error) {
	rows, err := edge(ctx, p.Edges.FilesOrErr, s.db().PackageFile.Query, packagefile.PackageID(p.ID), func(*db.PackageFileQuery) {})
	return sorted(rows, func(f *db.PackageFile) key { return key{name: f.Name, id: f.ID} }, byName), err
}

// PackageChannels returns the channels that point to a package, by name. It reads
// them unless they were loaded with the package.
func (s *Service) PackageChannels(ctx context.Context, p *db.Release, with With) ([]*db.Channel, error) {
	rows, err := edge(ctx, p.Edges.ChannelsOrErr, s.db().Channel.Query, channel.PackageID(p.ID), with.channels)
	return sorted(rows, channelKey, byName), err
}

// PackageFloors returns the floors that are set at a package. It reads them
// unless they were loaded with the package.
func (s *Service) PackageFloors(ctx context.Context, p *db.Release, with With) ([]*db.Floor, error) {
	return edge(ctx, p.Edges.FloorsOrErr, s.db().Floor.Query, floor.PackageID(p.ID), with.floors)
}

// PackageBlacklistings returns the blacklistings of a package. It reads them
// unless they were loaded with the package.
func (s *Service) PackageBlacklistings(ctx context.Context, p *db.Release, with With) ([]*db.Blacklisting, error) {
	return edge(ctx, p.Edges.BlacklistingsOrErr, s.db().Blacklisting.Query, blacklisting.PackageID(p.ID), with.blacklistings)
}

// PackageStored returns the files of a package that this server stores, by name. It reads
// them unless they were loaded with the package.
func (s *Service) PackageStored(ctx context.Context, p *db.Release) ([]*db.StoredFile, error) {
	rows, err := edge(ctx, p.Edges.StoredOrErr, s.db().StoredFile.Query, storedfile.PackageID(p.ID), func(*db.StoredFileQuery) {})
	return sorted(rows, func(f *db.StoredFile) key { return key{name: f.Name, id: f.ID} }, byName), err
}
