package payloads_test

import (
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/coreroller/coreroller/fleet"
	"github.com/coreroller/coreroller/server/payloads"
	"github.com/coreroller/coreroller/store/storetest"
)

// pattern is a large file that is not in memory: a block of random bytes, repeated. Its length
// is prime, so that a wrong position shows.
type pattern struct {
	block []byte
	size  int64
}

func newPattern(size int64) *pattern {
	p := &pattern{block: make([]byte, 1_048_573), size: size}
	_, _ = rand.NewChaCha8([32]byte{7}).Read(p.block)
	return p
}

// ReadAt implements io.ReaderAt.
func (p *pattern) ReadAt(data []byte, at int64) (n int, err error) {
	for n < len(data) {
		if at >= p.size {
			return n, io.EOF
		}
		end := min(int64(len(data)-n), p.size-at)
		m := copy(data[n:n+int(end)], p.block[at%int64(len(p.block)):])
		n, at = n+m, at+int64(m)
	}
	return n, nil
}

// Clients that break and resume their downloads get every byte right, and the memory of the
// process does not grow with the file. The full size is 1 GiB to 50 clients.
func TestResumedDownloadsAreRight(t *testing.T) {
	size, clients, breaks := int64(storetest.Size(8<<20, 1<<30)), storetest.Size(10, 50), 4
	s := newSite(t, payloads.Limits{}, nil)
	file := newPattern(size)
	up, err := s.BeginUpload(s.ctx, fleet.BeginUpload{PackageID: s.pkg, Name: "agent.tar", Size: size})
	s.ok(err)
	for _, part := range [][2]int64{{0, size / 3}, {size / 3, size}} {
		_, err = s.ContinueUpload(s.ctx, up.ID, part[0], io.NewSectionReader(file, part[0], part[1]-part[0]))
		s.ok(err)
	}
	before, highest := heap(), atomic.Uint64{}
	look := func() {
		now := heap()
		for old := highest.Load(); now > old && !highest.CompareAndSwap(old, now); old = highest.Load() {
		}
	}
	var all sync.WaitGroup
	failed := make(chan error, clients)
	for i := range clients {
		all.Go(func() { failed <- s.resume(file, rand.New(rand.NewPCG(uint64(i), 1)), breaks, look) })
	}
	all.Wait()
	close(failed)
	for err := range failed {
		if err != nil {
			t.Error(err)
		}
	}
	if grown := int64(highest.Load()) - int64(before); grown > 48<<20 {
		t.Errorf("the heap grew by %d MiB for a file of %d MiB", grown>>20, size>>20)
	}
	t.Logf("%d MiB to %d clients; heap %d MiB, at most %d MiB", size>>20, clients, before>>20, highest.Load()>>20)
	s.ok(s.Hosting.FlushDownloads(t.Context()))
	row, err := s.View.Package(s.ctx, s.pkg, nil)
	s.ok(err)
	stored, err := s.View.PackageStored(s.ctx, row)
	s.ok(err)
	// More, if a connection broke when the end was in its buffers already.
	if int(stored[0].Downloads) < clients {
		t.Errorf("%d downloads of %d clients are counted", stored[0].Downloads, clients)
	}
}

func heap() uint64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapInuse
}

// resume downloads the file, breaks the connection some times, and compares every byte.
func (s *site) resume(file *pattern, random *rand.Rand, breaks int, look func()) error {
	var at int64
	var tag string
	got, want := make([]byte, 64<<10), make([]byte, 64<<10)
	for at < file.size {
		req, err := http.NewRequest(http.MethodGet, s.http.URL+s.file(), http.NoBody)
		if err != nil {
			return err
		}
		if at > 0 {
			req.Header.Set("Range", fmt.Sprintf("bytes=%d-", at))
			req.Header.Set("If-Range", tag)
		}
		resp, err := s.http.Client().Do(req)
		if err != nil {
			return err
		}
		if resp.StatusCode == http.StatusOK && at > 0 || resp.ContentLength != file.size-at {
			return fmt.Errorf("at %d: %s with %d bytes", at, resp.Status, resp.ContentLength)
		}
		tag = resp.Header.Get("ETag")
		end := file.size
		if breaks > 0 {
			end = at + random.Int64N(file.size/int64(breaks)/2) + 1
			breaks--
		}
		for at < end {
			n, err := io.ReadFull(resp.Body, got[:min(int64(len(got)), end-at)])
			if err != nil {
				return fmt.Errorf("at %d: %w", at, err)
			}
			if _, err := file.ReadAt(want[:n], at); err != nil || !bytes.Equal(got[:n], want[:n]) {
				return fmt.Errorf("wrong bytes at %d: %w", at, err)
			}
			at += int64(n)
		}
		look()
		_ = resp.Body.Close() // before the end it breaks the connection
	}
	return nil
}
