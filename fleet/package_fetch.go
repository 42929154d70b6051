package fleet

import (
	"context"
	"errors"
	"strings"
	"sync"

	"github.com/google/uuid"

	"github.com/coreroller/coreroller/auth"
	"github.com/coreroller/coreroller/ent/db"
	"github.com/coreroller/coreroller/fleet/fault"
	"github.com/coreroller/coreroller/fleet/hosting"
	"github.com/coreroller/coreroller/fleet/input"
	"github.com/coreroller/coreroller/remote/payload"
)

// fetching reads files of other servers.
type fetching struct {
	inspect    *payload.Fetcher
	inspecting chan struct{} // holds one element for each payload that is inspected
	files      *payload.Fetcher
	filing     chan struct{} // holds one element for each file that is fetched for a package

	running *sync.WaitGroup
	stop    context.CancelFunc
	stopped context.Context //nolint:containedctx // ends the fetches, see close
}

func newFetching(o Options) fetching {
	limits := o.Hosting.Limits
	if limits == (payload.Limits{}) {
		limits = payload.DownloadLimits()
	}
	f := fetching{
		inspect: payload.NewFetcher(o.Inspect, payload.DefaultLimits()), inspecting: make(chan struct{}, maxFetches),
		files: payload.NewFetcher(o.Inspect, limits), filing: make(chan struct{}, maxFetches), running: &sync.WaitGroup{},
	}
	f.stopped, f.stop = context.WithCancel(context.Background())
	return f
}

// close ends the fetches that run without their caller.
func (f *fetching) close() {
	f.stop()
	f.running.Wait()
}

// FetchPackageFile is the input of Service.FetchPackageFile.
type FetchPackageFile struct {
	PackageID uuid.UUID
	Name      string // of the payload, or of an additional file
	URL       string // where to fetch it; "": below the package's source URL or its URL
	Reason    string
}

// FetchPackageFile fetches a file of a package from another server, verifies and stores it
// like an upload, and returns the package. A broken connection is continued. It takes as
// long as the download, and waits while others run.
func (s *Service) FetchPackageFile(ctx context.Context, in FetchPackageFile) (*db.Release, error) {
	t, f, err := s.beginFetch(ctx, &in)
	if err != nil {
		return nil, err
	}
	return s.runFetch(ctx, t, in, f)
}

// StartFetchPackageFile is FetchPackageFile, but does not wait: Fetches has the result.
func (s *Service) StartFetchPackageFile(ctx context.Context, in FetchPackageFile) (*hosting.Fetch, error) {
	t, f, err := s.beginFetch(ctx, &in)
	if err != nil {
		return nil, err
	}
	first := *f
	s.fetch.running.Go(func() {
		ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
		defer cancel()
		defer context.AfterFunc(s.fetch.stopped, cancel)()
		_, _ = s.runFetch(ctx, t, in, f) // Fetches has the error
	})
	return &first, nil
}

func (s *Service) beginFetch(ctx context.Context, in *FetchPackageFile) (target, *hosting.Fetch, error) {
	if _, err := s.mayReceive(ctx, "fetchPackageFile", in.PackageID); err != nil {
		return target{}, nil, err
	}
	var p input.Problems
	if p.Exact("url", in.URL, maxURL); p.Err() != nil {
		return target{}, nil, p.Err()
	}
	t, err := s.receive(ctx, "fetchPackageFile", in.PackageID, in.Name, in.Reason, -1)
	if err != nil {
		return t, nil, err
	}
	row, err := s.readPackage(ctx, in.PackageID)
	if err != nil {
		return t, nil, err
	}
	if in.URL = strings.TrimSpace(in.URL); in.URL == "" {
		source := row.SourceURL
		if !row.Hosted {
			source = row.URL
		}
		if source == "" {
			return t, nil, fault.Errorf(fault.Invalid, "url", "is missing: the package does not say from where its files can be fetched")
		}
		in.URL = source + t.Name
	}
	if err := payload.CheckURL(in.URL); err != nil {
		return t, nil, fault.Errorf(fault.Invalid, "url", "%s", err)
	}
	who, _ := auth.From(ctx)
	f, ok := s.Hosting.BeginFetch(hosting.Fetch{Application: row.ApplicationID, PackageID: row.ID, Name: t.Name, URL: in.URL, By: who.Name})
	if !ok {
		return t, nil, fault.Errorf(fault.Conflict, "name", "the server fetches this file already")
	}
	return t, f, nil
}

// runFetch fetches a file and notes the result.
func (s *Service) runFetch(ctx context.Context, t target, in FetchPackageFile, f *hosting.Fetch) (row *db.Release, err error) {
	defer func() {
		message := ""
		if err != nil {
			message = "could not be stored"
			if all := fault.All(err); len(all) > 0 {
				message = all[0].Message
			} else if ctx.Err() != nil {
				message = "was interrupted"
			}
		}
		s.Hosting.EndFetch(f, message)
	}()
	select {
	case s.fetch.filing <- struct{}{}:
		defer func() { <-s.fetch.filing }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	d, err := s.Hosting.Begin(ctx, -1, t)
	if err != nil {
		return nil, err
	}
	err = s.fetch.files.Download(ctx, in.URL, d, func(done, total int64) { s.Hosting.Progress(f, done, total) })
	if own, ok := errors.AsType[*payload.Error](err); ok {
		err = fault.Errorf(fault.Invalid, "url", "%s", own)
	}
	if err != nil {
		return nil, errors.Join(hosting.Refused(err), d.Remove())
	}
	return s.attach(ctx, t, d)
}

// Fetches returns the files that this process fetches or fetched last, the newest first.
func (s *Service) Fetches(ctx context.Context) ([]*hosting.Fetch, error) {
	if _, err := fault.Require(ctx, auth.Viewer); err != nil {
		return nil, err
	}
	seen, all := s.seen(ctx), []*hosting.Fetch{}
	for _, f := range s.Hosting.Fetches() {
		if seen.App(f.Application) != nil {
			all = append(all, f)
		}
	}
	return all, nil
}
