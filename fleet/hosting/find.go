package hosting

import (
	"context"
	"fmt"
	"io"

	"github.com/google/uuid"

	"github.com/coreroller/coreroller/ent/db"
	"github.com/coreroller/coreroller/ent/db/application"
	"github.com/coreroller/coreroller/ent/db/release"
	"github.com/coreroller/coreroller/ent/db/storedfile"
	"github.com/coreroller/coreroller/fleet/fault"
)

// File is a stored file, as machines fetch it.
type File struct {
	*db.StoredFile
	Application uuid.UUID
	Version     string
}

// Find returns the file of a package for a machine, which needs no credentials. If it is
// not stored, but its package knows where it came from, it returns that URL instead.
func (s *Service) Find(ctx context.Context, pkg uuid.UUID, name string) (f *File, elsewhere string, err error) {
	row, err := s.store.Reader().Release.Query().
		Where(release.ID(pkg), release.Hosted(true), release.HasApplicationWith(application.DeletedAtIsNil())).WithFiles().
		WithStored(func(q *db.StoredFileQuery) { q.Where(storedfile.Name(name)) }).Only(ctx)
	if db.IsNotFound(err) {
		return nil, "", missing()
	}
	if err != nil {
		return nil, "", fmt.Errorf("read the file of a package: %w", err)
	}
	if len(row.Edges.Stored) > 0 {
		return &File{row.Edges.Stored[0], row.ApplicationID, row.Version}, "", nil
	}
	if row.SourceURL == "" || !names(row, name) {
		return nil, "", missing()
	}
	return nil, row.SourceURL + name, nil
}

func missing() error { return fault.Errorf(fault.NotFound, "", "there is no such file") }

// names reports whether a package has a file with a name.
func names(row *db.Release, name string) bool {
	if row.Filename == name {
		return name != ""
	}
	for _, f := range row.Edges.Files {
		if f.Name == name {
			return true
		}
	}
	return false
}

// Open opens a file that Find returned. The error wraps storage.ErrMissing if its content
// is lost.
func (s *Service) Open(ctx context.Context, f *File) (io.ReadSeekCloser, error) {
	if err := s.Ready(); err != nil {
		return nil, err
	}
	return s.storage.Open(ctx, f.Sha256, f.Size)
}
