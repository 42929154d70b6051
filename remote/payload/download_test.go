package payload_test

import (
	"bytes"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/coreroller/coreroller/remote/payload"
)

// memory is a sink that can fail.
type memory struct {
	bytes.Buffer
	restarts int
	fail     error
}

func (m *memory) Write(data []byte) (int, error) {
	if m.fail != nil {
		return 0, m.fail
	}
	return m.Buffer.Write(data)
}

func (m *memory) Restart() error {
	m.restarts++
	m.Reset()
	return nil
}

// breaking serves a file and breaks the connection after each part of it.
func breaking(t *testing.T, file []byte, part int, tag func(request int64) string) (*httptest.Server, *atomic.Int64) {
	t.Helper()
	var requests atomic.Int64
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("ETag", tag(requests.Add(1)))
		http.ServeContent(&cut{w, part}, r, "", time.Time{}, bytes.NewReader(file))
	}))
	t.Cleanup(s.Close)
	return s, &requests
}

// cut aborts the connection after some bytes.
type cut struct {
	http.ResponseWriter
	left int
}

func (c *cut) Write(data []byte) (int, error) {
	n, err := c.ResponseWriter.Write(data[:min(len(data), c.left)])
	if c.left -= n; c.left == 0 {
		_ = http.NewResponseController(c.ResponseWriter).Flush()
		panic(http.ErrAbortHandler)
	}
	return n, err
}

func limits() payload.Limits {
	return payload.Limits{Size: 1 << 20, Total: 20 * time.Second, Stall: 10 * time.Second, Tries: 3, Pause: time.Millisecond}
}

func TestDownloadContinuesAfterBrokenConnections(t *testing.T) {
	file := []byte(strings.Repeat("0123456789", 10_000))
	s, requests := breaking(t, file, 30_000, func(int64) string { return `"a"` })
	sink, last := &memory{}, int64(0)
	err := payload.NewFetcher(loopback(), limits()).Download(t.Context(), s.URL, sink, func(done, total int64) {
		if done <= last || total != int64(len(file)) {
			t.Errorf("progress %d of %d after %d", done, total, last)
		}
		last = done
	})
	if err != nil || !bytes.Equal(sink.Bytes(), file) || sink.restarts != 0 || requests.Load() != 4 {
		t.Errorf("%v: %d bytes, %d restarts, %d requests", err, sink.Len(), sink.restarts, requests.Load())
	}
}

func TestDownloadStartsAgainWhenTheFileChanged(t *testing.T) {
	file := []byte(strings.Repeat("x", 50_000))
	s, _ := breaking(t, file, 50_001, func(int64) string { return `"b"` })
	first := true
	changed := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !first {
			http.Redirect(w, r, s.URL, http.StatusFound)
			return
		}
		first = false
		w.Header().Set("ETag", `"a"`)
		w.Header().Set("Content-Length", "60000")
		_, _ = w.Write([]byte(strings.Repeat("y", 20_000)))
	}))
	defer changed.Close()
	sink := &memory{}
	err := payload.NewFetcher(loopback(), limits()).Download(t.Context(), changed.URL, sink, nil)
	if err != nil || !bytes.Equal(sink.Bytes(), file) || sink.restarts != 1 {
		t.Errorf("%v: %d bytes, %d restarts", err, sink.Len(), sink.restarts)
	}
}

func TestDownloadGivesUp(t *testing.T) {
	var requests atomic.Int64
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		requests.Add(1)
		switch r.URL.Path {
		case "/busy":
			w.WriteHeader(http.StatusServiceUnavailable)
		case "/large":
			w.Header().Set("Content-Length", "2000000")
			w.WriteHeader(http.StatusOK)
		case "/empty":
		case "/hello":
			_, _ = w.Write([]byte("hello\n"))
		default:
			http.NotFound(w, r)
		}
	}))
	defer s.Close()
	for path, c := range map[string]struct {
		requests int64
		want     string
	}{
		"/busy": {3, "answered 503"}, "/missing": {1, "answered 404"}, "/large": {1, "larger than"}, "/empty": {1, "is empty"},
	} {
		requests.Store(0)
		err := payload.NewFetcher(loopback(), limits()).Download(t.Context(), s.URL+path, &memory{}, nil)
		if err == nil || !strings.Contains(err.Error(), c.want) || requests.Load() != c.requests {
			t.Errorf("%s: %v after %d requests", path, err, requests.Load())
		}
	}
	full := errors.New("the disk is full")
	if err := payload.NewFetcher(loopback(), limits()).Download(t.Context(), s.URL+"/hello", &memory{fail: full}, nil); !errors.Is(err, full) {
		t.Errorf("a full disk: %v", err)
	}
	if err := payload.NewFetcher(payload.Sources{Public: true}, limits()).Download(t.Context(), s.URL+"/hello", &memory{}, nil); err == nil || !strings.Contains(err.Error(), "may not fetch") {
		t.Errorf("a private address: %v", err)
	}
}

func TestDigestContinues(t *testing.T) {
	one := payload.NewDigest()
	_, _ = one.Write([]byte("hel"))
	state, err := one.MarshalBinary()
	two := payload.NewDigest()
	if err != nil || two.UnmarshalBinary(state) != nil || two.Size() != 3 {
		t.Fatal(err, two.Size())
	}
	_, _ = two.Write([]byte("lo\n"))
	if two.Facts() != hello {
		t.Errorf("%+v", two.Facts())
	}
	if two.UnmarshalBinary([]byte("{")) == nil {
		t.Error("a broken state was accepted")
	}
}
