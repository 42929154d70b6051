package graph

import (
	"context"

	"github.com/coreroller/coreroller/ent/db"
	"github.com/coreroller/coreroller/fleet"
	"github.com/coreroller/coreroller/fleet/fault"
	"github.com/coreroller/coreroller/fleet/hosting"
	"github.com/coreroller/coreroller/graph/model"
)

func (r *packageResolver) Stored(ctx context.Context, obj *db.Release) ([]*db.StoredFile, error) {
	return r.fleet.View.PackageStored(ctx, obj)
}

func (r *mutationResolver) UploadPackageFile(ctx context.Context, input fleet.UploadPackageFile) (*model.PackagePayload, error) {
	return payload(r.fleet.UploadPackageFile(ctx, input))
}

func (r *mutationResolver) FetchPackageFile(ctx context.Context, input fleet.FetchPackageFile) (*model.PackageFetchPayload, error) {
	return payload(r.fleet.StartFetchPackageFile(ctx, input))
}

func (r *mutationResolver) DeletePackageFile(ctx context.Context, input fleet.DeletePackageFile) (*model.PackagePayload, error) {
	return payload(r.fleet.DeletePackageFile(ctx, input))
}

func (r *mutationResolver) CleanUpStorage(ctx context.Context, input fleet.CleanUpStorage) (*model.CleanUpStoragePayload, error) {
	files, err := r.fleet.CleanUpStorage(ctx, input)
	refused, err := userErrors(err)
	return &model.CleanUpStoragePayload{Files: files, UserErrors: refused}, err
}

// Storage returns nil when this server stores nothing.
func (r *queryResolver) Storage(ctx context.Context) (*hosting.Usage, error) {
	used, err := r.fleet.Storage(ctx)
	if fault.CodeOf(err) == fault.Unavailable {
		return nil, nil
	}
	return used, err
}

func (r *queryResolver) Fetches(ctx context.Context) ([]*hosting.Fetch, error) {
	return r.fleet.Fetches(ctx)
}

func (r *queryResolver) Downloads(ctx context.Context) ([]*model.Download, error) {
	running, err := r.fleet.Downloads(ctx)
	all := make([]*model.Download, len(running))
	for i, d := range running {
		all[i] = &model.Download{
			Address: d.Address, PackageID: d.File.PackageID, Version: d.File.Version, Name: d.File.Name, Size: d.File.Size,
			Sent: d.Sent(), Rate: d.Rate(r.Now()), StartedAt: d.Started,
		}
	}
	return all, err
}
