package fleet

import (
	"context"

	"github.com/google/uuid"

	"github.com/coreroller/coreroller/auth"
	"github.com/coreroller/coreroller/fleet/change"
	"github.com/coreroller/coreroller/fleet/fault"
	"github.com/coreroller/coreroller/fleet/hosting"
)

// CleanUpStorage is the input of Service.CleanUpStorage.
type CleanUpStorage struct {
	DryRun bool // only list
	Reason string
}

// CleanUpStorage deletes the stored contents that no package names, and returns them.
func (s *Service) CleanUpStorage(ctx context.Context, in CleanUpStorage) ([]*hosting.Unused, error) {
	v := change.Verb{Name: "cleanUpStorage", Object: "storage", ID: uuid.Nil, Reason: in.Reason}
	if err := begin(ctx, &v); err != nil {
		return nil, err
	}
	if err := fault.RequireOn(v.By, v.Name, auth.Place{}); err != nil {
		return nil, err
	}
	all, err := s.Hosting.CleanUp(ctx, in.DryRun)
	if err != nil || in.DryRun {
		return all, err
	}
	var deleted []string
	for _, one := range all {
		if one.Deleted {
			deleted = append(deleted, one.SHA256)
		}
	}
	if deleted == nil {
		return all, nil
	}
	return all, s.changes.Do(ctx, v, func(c *change.Change) error {
		c.Before = map[string]any{"sha256": deleted}
		return nil
	})
}

// Storage returns the room that stored files use.
func (s *Service) Storage(ctx context.Context) (*hosting.Usage, error) {
	if _, err := fault.Require(ctx, auth.Viewer); err != nil {
		return nil, err
	}
	return s.Hosting.Usage(ctx)
}

// Downloads returns the transfers to machines that run in this process.
func (s *Service) Downloads(ctx context.Context) ([]*hosting.Download, error) {
	who, err := fault.RequireVerb(ctx, "downloads")
	if err != nil {
		return nil, err
	}
	snapshot, all := s.catalog.Catalog(), []*hosting.Download{}
	for _, d := range s.Hosting.Running() {
		app := snapshot.App(d.File.Application)
		if app != nil && who.RoleOn(auth.Place{Team: app.TeamID, Application: app.ID}) >= auth.Needs("downloads") {
			all = append(all, d)
		}
	}
	return all, nil
}
