package hosting

import (
	"slices"
	"sync"
	"time"

	"github.com/google/uuid"
)

// maxFetches limits the fetches that a process remembers.
const maxFetches = 100

// Fetch is a file that this process fetches for a package, or fetched last.
type Fetch struct {
	Application uuid.UUID
	PackageID   uuid.UUID
	Name        string
	URL         string
	By          string
	StartedAt   time.Time
	EndedAt     *time.Time // nil: it runs
	Received    int64      // bytes
	Total       *int64     // bytes; nil: not known
	Error       string     // "": none
}

// fetches are those of this process, the newest last.
type fetches struct {
	mu  sync.Mutex
	all []*Fetch
}

// BeginFetch remembers a fetch. It replaces an ended one of the same file, and returns false
// while one runs.
func (s *Service) BeginFetch(f Fetch) (*Fetch, bool) {
	s.fetches.mu.Lock()
	defer s.fetches.mu.Unlock()
	for i, other := range s.fetches.all {
		if other.PackageID == f.PackageID && other.Name == f.Name {
			if other.EndedAt == nil {
				return nil, false
			}
			s.fetches.all = slices.Delete(s.fetches.all, i, i+1)
			break
		}
	}
	f.StartedAt = s.now()
	s.fetches.all = append(s.fetches.all, &f)
	for i, other := range s.fetches.all {
		if len(s.fetches.all) > maxFetches && other.EndedAt != nil {
			s.fetches.all = slices.Delete(s.fetches.all, i, i+1)
			break
		}
	}
	return &f, true
}

// Progress notes what was received of a fetch.
func (s *Service) Progress(f *Fetch, received, total int64) {
	s.fetches.mu.Lock()
	defer s.fetches.mu.Unlock()
	if f.Received = received; total > 0 {
		f.Total = &total
	}
}

// EndFetch notes the result of a fetch; message is "" when it succeeded.
func (s *Service) EndFetch(f *Fetch, message string) {
	s.fetches.mu.Lock()
	defer s.fetches.mu.Unlock()
	now := s.now()
	f.EndedAt, f.Error = &now, message
}

// Fetches returns copies of the fetches of this process, the newest first.
func (s *Service) Fetches() []*Fetch {
	s.fetches.mu.Lock()
	defer s.fetches.mu.Unlock()
	all := make([]*Fetch, 0, len(s.fetches.all))
	for _, f := range slices.Backward(s.fetches.all) {
		one := *f
		all = append(all, &one)
	}
	return all
}
