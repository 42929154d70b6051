package fleet

import (
	"context"
	"encoding/json"
	"errors"
	"io"

	"github.com/google/uuid"

	"github.com/coreroller/coreroller/ent/db"
	"github.com/coreroller/coreroller/fleet/fault"
	"github.com/coreroller/coreroller/fleet/hosting"
	"github.com/coreroller/coreroller/remote/payload/storage"
)

// BeginUpload is the input of Service.BeginUpload.
type BeginUpload struct {
	PackageID uuid.UUID
	Name      string
	Size      int64 // bytes
	Reason    string
}

// Upload is a file that arrives in parts.
type Upload struct {
	ID     string
	Size   int64 // bytes
	Offset int64 // bytes that are on disk
	// Package is the package with the stored file; nil until the upload is complete.
	Package *db.Release
}

const uploadVerb = "uploadPackageFile"

// BeginUpload begins the upload of a file of a package, in parts.
func (s *Service) BeginUpload(ctx context.Context, in BeginUpload) (*Upload, error) {
	if _, err := fault.RequireVerb(ctx, uploadVerb); err != nil {
		return nil, err
	}
	if in.Size <= 0 {
		return nil, fault.Errorf(fault.Invalid, "size", "must be above zero")
	}
	t, err := s.receive(ctx, uploadVerb, in.PackageID, in.Name, in.Reason, in.Size)
	if err != nil {
		return nil, err
	}
	d, err := s.Hosting.Begin(ctx, in.Size, t)
	if err != nil {
		return nil, err
	}
	return &Upload{ID: d.ID, Size: in.Size}, hosting.Refused(d.Pause(s.now()))
}

// Upload returns the state of an upload.
func (s *Service) Upload(ctx context.Context, id string) (*Upload, error) {
	if _, err := fault.RequireVerb(ctx, uploadVerb); err != nil {
		return nil, err
	}
	state, err := s.Hosting.UploadState(id)
	if err != nil {
		return nil, err
	}
	if _, err := s.targetOf(ctx, state); err != nil {
		return nil, err
	}
	return &Upload{ID: id, Size: state.Length, Offset: state.Offset}, nil
}

// targetOf returns what an upload is for, if the caller may store it. For others it does not
// exist.
func (s *Service) targetOf(ctx context.Context, state *storage.State) (t target, err error) {
	if err := json.Unmarshal(state.Note, &t); err != nil || t.Verb != uploadVerb {
		return t, hosting.Refused(storage.ErrMissing)
	}
	if _, err = s.mayReceive(ctx, uploadVerb, t.PackageID); fault.CodeOf(err) == fault.NotFound {
		return t, hosting.Refused(storage.ErrMissing)
	}
	return t, err
}

// ContinueUpload appends a part at an offset, which must be the end of what is there. What
// arrived before the body broke off is kept. With the last part the file is verified and
// stored.
func (s *Service) ContinueUpload(ctx context.Context, id string, offset int64, part io.Reader) (*Upload, error) {
	if _, err := s.Upload(ctx, id); err != nil {
		return nil, err
	}
	d, err := s.Hosting.Upload(id)
	if err != nil {
		return nil, err
	}
	t, err := s.targetOf(ctx, &d.State)
	if err != nil {
		return nil, errors.Join(err, d.Pause(s.now()))
	}
	u := &Upload{ID: id, Size: d.Length, Offset: d.Offset}
	if offset != d.Offset {
		return u, errors.Join(fault.Errorf(fault.Conflict, "offset", "is %d, but the upload has %d bytes", offset, d.Offset), d.Pause(s.now()))
	}
	_, err = io.Copy(d, part)
	u.Offset = d.Offset
	if full := hosting.Refused(err); fault.CodeOf(full) == fault.Unavailable {
		return u, errors.Join(full, d.Remove()) // the disk is full: give back what there is
	}
	if err != nil || !d.Complete() {
		return u, errors.Join(hosting.Refused(err), hosting.Refused(d.Pause(s.now())))
	}
	u.Package, err = s.attach(ctx, t, d)
	return u, err
}

// CancelUpload deletes an upload.
func (s *Service) CancelUpload(ctx context.Context, id string) error {
	if _, err := s.Upload(ctx, id); err != nil {
		return err
	}
	d, err := s.Hosting.Upload(id)
	if err != nil {
		return err
	}
	return d.Remove()
}
