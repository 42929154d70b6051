package hosting

import (
	"bytes"
	"cmp"
	"context"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/uuid"

	"github.com/coreroller/coreroller/ent/db/storedfile"
	"github.com/coreroller/coreroller/store"
)

// Download is a transfer to a client that runs in this process.
type Download struct {
	File    *File
	Address string // of the client
	Started time.Time
	sent    atomic.Int64
	service *Service
}

// Sent is the number of bytes sent so far.
func (d *Download) Sent() int64 { return d.sent.Load() }

// Rate is the average number of bytes per second so far.
func (d *Download) Rate(now time.Time) int64 {
	took := max(now.Sub(d.Started), time.Millisecond)
	return int64(float64(d.Sent()) / took.Seconds())
}

// Add counts bytes that were sent.
func (d *Download) Add(n int) { d.sent.Add(int64(n)) }

// End removes the download from the list. It is counted if the end of the file was sent:
// a machine that resumes counts once.
func (d *Download) End(complete bool) {
	all := &d.service.downloads
	all.mu.Lock()
	defer all.mu.Unlock()
	delete(all.running, d)
	if complete {
		all.ended[d.File.ID]++
	}
}

// downloads are those of this process.
type downloads struct {
	mu      sync.Mutex
	running map[*Download]struct{}
	ended   map[uuid.UUID]int64 // by stored file, not yet written
}

func newCounts() map[uuid.UUID]int64 { return map[uuid.UUID]int64{} }

// Start begins a download. End must be called.
func (s *Service) Start(f *File, address string) *Download {
	d := &Download{File: f, Address: address, Started: s.now(), service: s}
	s.downloads.mu.Lock()
	defer s.downloads.mu.Unlock()
	s.downloads.running[d] = struct{}{}
	return d
}

// Running returns the downloads of this process, the oldest first.
func (s *Service) Running() []*Download {
	s.downloads.mu.Lock()
	defer s.downloads.mu.Unlock()
	return slices.SortedFunc(maps.Keys(s.downloads.running), func(a, b *Download) int {
		return cmp.Or(a.Started.Compare(b.Started), cmp.Compare(a.Address, b.Address))
	})
}

// FlushDownloads writes how often files were downloaded. After an error the counts are kept.
func (s *Service) FlushDownloads(ctx context.Context) error {
	s.downloads.mu.Lock()
	counts := s.downloads.ended
	s.downloads.ended = newCounts()
	s.downloads.mu.Unlock()
	if len(counts) == 0 {
		return nil
	}
	err := s.store.Write(ctx, s.now(), func(tx *store.Tx) error {
		// In one order, so that two processes do not wait for each other.
		for _, id := range slices.SortedFunc(maps.Keys(counts), func(a, b uuid.UUID) int { return bytes.Compare(a[:], b[:]) }) {
			if _, err := tx.Client().StoredFile.Update().Where(storedfile.ID(id)).AddDownloads(counts[id]).Save(ctx); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		s.downloads.mu.Lock()
		defer s.downloads.mu.Unlock()
		for id, n := range counts {
			s.downloads.ended[id] += n
		}
	}
	return err
}
