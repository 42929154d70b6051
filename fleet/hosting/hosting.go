// Package hosting knows the files of packages that this server stores and serves to
// machines: which they are, how much room they use, who downloads them, and what is stored
// for no package. The verbs of package fleet decide who may change them.
package hosting

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/coreroller/coreroller/ent/db"
	"github.com/coreroller/coreroller/ent/db/storedfile"
	"github.com/coreroller/coreroller/fleet/fault"
	"github.com/coreroller/coreroller/remote/payload/storage"
	"github.com/coreroller/coreroller/store"
)

const (
	// newContent is the age below which a clean-up keeps content that no package names:
	// another process may be about to name it.
	newContent = time.Hour
	// warnAt is the percentage of the quota above which operators are warned.
	warnAt = 90
	// usageLife is the maximum age of the cached warning, because computing it lists the whole
	// storage.
	usageLife = time.Minute
)

// Options are what a Service needs. Now must return UTC microseconds.
type Options struct {
	Store   *store.Store
	Storage storage.Storage  // nil: nothing can be stored
	Staging *storage.Staging // of Storage
	Quota   int64            // bytes; 0: none
	Caps    Caps
	Now     func() time.Time
}

// Caps are the limits of the downloads of one process, for those who read Usage; 0: none.
type Caps struct {
	MaxRate          int64 // bytes per second of all clients
	MaxRatePerClient int64 // bytes per second of one address
	MaxDownloads     int   // at the same time
}

// Service is safe for concurrent use.
type Service struct {
	store   *store.Store
	storage storage.Storage
	staging *storage.Staging
	quota   int64
	caps    Caps
	now     func() time.Time

	// naming is held for reading while a content is stored and named, and for writing
	// while contents without a name are deleted.
	naming    sync.RWMutex
	beginning sync.Mutex // held while room for an upload is found

	downloads downloads
	fetches   fetches

	mu      sync.Mutex
	warning string    // see Warning
	warned  time.Time // when it was computed
}

// New makes a Service.
func New(o Options) *Service {
	return &Service{
		store: o.Store, storage: o.Storage, staging: o.Staging, quota: o.Quota, caps: o.Caps, now: o.Now,
		downloads: downloads{running: map[*Download]struct{}{}, ended: newCounts()},
	}
}

// Ready returns an error if nothing can be stored.
func (s *Service) Ready() error {
	if s.storage == nil {
		return fault.Errorf(fault.Unavailable, "", "this server stores no payloads")
	}
	return nil
}

// Begin makes room for a file of a length, -1 if it is not known, and returns its draft.
func (s *Service) Begin(ctx context.Context, length int64, note any) (*storage.Draft, error) {
	if err := s.Ready(); err != nil {
		return nil, err
	}
	s.beginning.Lock() // so that two uploads do not find the same room
	defer s.beginning.Unlock()
	var left int64
	if s.quota > 0 {
		used, err := s.Usage(ctx)
		if err != nil {
			return nil, err
		}
		if left = s.quota - used.Stored - used.Arriving; left <= 0 || length > left {
			return nil, fault.Errorf(fault.Conflict, "file", "the quota for payloads (%d bytes) leaves %d bytes: clean up the storage, or let the server use more by --payload-quota", s.quota, max(left, 0))
		}
	}
	d, err := s.staging.Create(s.now(), length, note)
	if err != nil {
		return nil, Refused(err)
	}
	if s.quota > 0 && length < 0 {
		d.Limit(left, fault.Errorf(fault.Conflict, "file", "the file is larger than what the quota for payloads leaves (%d bytes)", left))
	}
	return d, nil
}

// Refused turns the expected errors of a draft into those for the caller.
func Refused(err error) error {
	full, isFull := errors.AsType[*storage.FullError](err)
	switch {
	case isFull:
		return fault.Errorf(fault.Unavailable, "file", "%s", full)
	case errors.Is(err, storage.ErrMissing):
		return fault.Errorf(fault.NotFound, "id", "there is no such upload: it is complete, was cancelled or has expired")
	case errors.Is(err, storage.ErrBusy):
		return fault.Errorf(fault.Conflict, "id", "another request writes this upload now")
	case errors.Is(err, storage.ErrTooLong):
		return fault.Errorf(fault.Invalid, "file", "there are more bytes than announced")
	}
	return err
}

// Upload opens the draft of an upload.
func (s *Service) Upload(id string) (*storage.Draft, error) {
	if err := s.Ready(); err != nil {
		return nil, err
	}
	d, err := s.staging.Open(id)
	return d, Refused(err)
}

// UploadState returns what is known about an upload.
func (s *Service) UploadState(id string) (*storage.State, error) {
	if err := s.Ready(); err != nil {
		return nil, err
	}
	state, err := s.staging.State(id)
	return state, Refused(err)
}

// Keep stores a complete draft and then runs name, which names its content in the
// database. The draft ends in any case.
func (s *Service) Keep(ctx context.Context, d *storage.Draft, name func() error) (err error) {
	s.naming.RLock()
	defer s.naming.RUnlock()
	if err := d.Keep(ctx, s.storage); err != nil {
		return Refused(errors.Join(fmt.Errorf("store the file: %w", err), d.Remove()))
	}
	s.forgetWarning()
	return name()
}

// ExpireUploads deletes uploads that rest.
func (s *Service) ExpireUploads(context.Context) error {
	if s.storage == nil {
		return nil
	}
	return s.staging.Expire(s.now().Add(-s.store.Keep(store.KeepUploads)))
}

// Usage is the room that files use.
type Usage struct {
	Location    string // where they are
	Stored      int64  // bytes of all contents
	Arriving    int64  // bytes of uploads and fetches that are not complete
	Quota       int64  // bytes; 0: none
	Free        *int64 // bytes that there is room for; nil: not known
	Files       int    // contents that a package names
	UnusedFiles int
	UnusedBytes int64
	Caps
}

// Usage reads the storage.
func (s *Service) Usage(ctx context.Context) (*Usage, error) {
	if err := s.Ready(); err != nil {
		return nil, err
	}
	contents, err := s.storage.List(ctx)
	if err != nil {
		return nil, fmt.Errorf("list the stored files: %w", err)
	}
	used, err := s.used(ctx)
	if err != nil {
		return nil, err
	}
	u := &Usage{Location: s.storage.String(), Quota: s.quota, Caps: s.caps}
	for _, c := range contents {
		u.Stored += c.Size
		if used[c.SHA256] {
			u.Files++
		} else {
			u.UnusedFiles++
			u.UnusedBytes += c.Size
		}
	}
	drafts, err := s.staging.List()
	if err != nil {
		return nil, err
	}
	for _, d := range drafts {
		u.Arriving += max(d.Length, d.Offset)
	}
	if free, known := s.storage.Free(); known {
		u.Free = &free
	}
	return u, nil
}

// used returns the contents that packages name. It must not miss those that the caller may
// not read.
func (s *Service) used(ctx context.Context) (map[string]bool, error) {
	var rows []*db.StoredFile
	err := s.store.View(ctx, s.now(), func(tx *store.Tx) (err error) {
		rows, err = tx.Client().StoredFile.Query().Select(storedfile.FieldSha256).All(ctx)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read the stored files: %w", err)
	}
	used := make(map[string]bool, len(rows))
	for _, row := range rows {
		used[row.Sha256] = true
	}
	return used, nil
}

// Warning is a sentence for operators when the quota is nearly used up, else "". It may be
// a minute old.
func (s *Service) Warning(ctx context.Context) (string, error) {
	if s.quota == 0 || s.storage == nil {
		return "", nil
	}
	now := s.now()
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.warned.IsZero() && now.Sub(s.warned).Abs() < usageLife {
		return s.warning, nil
	}
	used, err := s.Usage(ctx)
	if err != nil {
		return "", err
	}
	s.warning, s.warned = "", now
	if percent := (used.Stored + used.Arriving) * 100 / s.quota; percent >= warnAt {
		s.warning = fmt.Sprintf("payloads use %d %% of their quota: above it uploads are refused", percent)
	}
	return s.warning, nil
}

func (s *Service) forgetWarning() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.warned = time.Time{}
}

// Unused is a stored content that no package names.
type Unused struct {
	storage.Content
	Deleted bool // false in a dry run, and for new ones, which a package may be about to name
}

// CleanUp finds the contents that no package names, and deletes them unless it is a dry run.
func (s *Service) CleanUp(ctx context.Context, dryRun bool) ([]*Unused, error) {
	if err := s.Ready(); err != nil {
		return nil, err
	}
	s.naming.Lock()
	defer s.naming.Unlock()
	contents, err := s.storage.List(ctx) // before the names: what is named later is in used
	if err != nil {
		return nil, fmt.Errorf("list the stored files: %w", err)
	}
	used, err := s.used(ctx)
	if err != nil {
		return nil, err
	}
	all := []*Unused{}
	for _, c := range contents {
		if used[c.SHA256] {
			continue
		}
		one := &Unused{Content: c}
		if !dryRun && s.now().Sub(c.Since) > newContent {
			if err := s.storage.Delete(ctx, c.SHA256); err != nil {
				return nil, fmt.Errorf("delete the file %s: %w", c.SHA256, err)
			}
			one.Deleted = true
		}
		all = append(all, one)
	}
	s.forgetWarning()
	return all, nil
}
