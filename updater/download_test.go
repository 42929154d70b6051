package updater

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// times runs one handler for the first n requests, then another.
func times(n int, first, then http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if n--; n >= 0 {
			first(w, r)
			return
		}
		then(w, r)
	}
}

// cutAt sends the beginning of the file and closes the connection.
func cutAt(n int) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", fmt.Sprint(len(newBytes)))
		_, _ = w.Write(newBytes[:n])
		_ = http.NewResponseController(w).Flush()
		panic(http.ErrAbortHandler)
	}
}

func status(code int, retryAfter string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Retry-After", retryAfter)
		w.WriteHeader(code)
	}
}

func body(data []byte) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(data) }
}

func TestDownloadSurvives(t *testing.T) {
	for _, c := range []struct {
		name   string
		file   http.HandlerFunc
		bases  []string
		part   string // before
		ranges []string
		wait   time.Duration // at least, in sum
	}{
		{"nothing", serveFile, nil, "", []string{""}, 0},
		{"a cut", times(1, cutAt(1000), serveFile), nil, "", []string{"", "bytes=1000-"}, 0},
		{"two cuts by a server without ranges", times(1, cutAt(1000), times(1, cutAt(2000), body(newBytes))), nil, "", []string{"", "bytes=1000-", "bytes=2000-"}, 0},
		{"many cuts that bring something each", times(1, cutAt(10), times(1, cutAt(20), times(1, cutAt(30), times(1, cutAt(40), times(1, cutAt(50), serveFile))))), nil, "",
			[]string{"", "bytes=10-", "bytes=20-", "bytes=30-", "bytes=40-", "bytes=50-"}, 0},
		{"503 with Retry-After", times(1, status(503, "70"), serveFile), nil, "", []string{"", ""}, 70 * time.Second},
		{"a redirect", serveFile, []string{"/moved/"}, "", []string{""}, 0},
		{"a dead first URL", serveFile, []string{"/none/", "/files/"}, "", []string{""}, 0},
		{"a part of another file", serveFile, nil, "something else", []string{"bytes=14-", ""}, 0},
		{"a part that is too long", serveFile, nil, string(newBytes) + "x", []string{""}, 0},
		{"a part that is complete", serveFile, nil, string(newBytes), nil, 0},
		{"a server that cannot continue", times(1, status(416, ""), serveFile), nil, "#!", []string{"bytes=2-", ""}, 0},
		{"another range than asked for", times(1, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Range", fmt.Sprintf("bytes 0-%d/%d", len(newBytes)-1, len(newBytes)))
			w.WriteHeader(http.StatusPartialContent)
			_, _ = w.Write(newBytes)
		}, serveFile), nil, "#!", []string{"bytes=2-", ""}, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newServer(t)
			s.file = c.file
			s.answer = func(w http.ResponseWriter, _ *appXML) { s.respond(w, "ok", s.offer(sums(newBytes), c.bases...)) }
			m := newMachine(t, s, false)
			u := m.open(t)
			var waited time.Duration
			u.sleep = func(ctx context.Context, d time.Duration) error { waited += d; return ctx.Err() }
			up := offered(t, u)
			if c.part != "" {
				m.write(t, up.payload()+partSuffix, c.part)
			}
			if err := up.Download(t.Context()); err != nil {
				t.Fatal(err)
			}
			if err := up.verify(up.payload()); err != nil {
				t.Error(err)
			}
			if !slices.Equal(s.ranges, c.ranges) || waited < c.wait {
				t.Errorf("requests with ranges %q, want %q; waited %s", s.ranges, c.ranges, waited)
			}
			s.expect(t, started, downloaded)
		})
	}
}

func TestDownloadFails(t *testing.T) {
	flipped := slices.Clone(newBytes)
	flipped[100]++
	for _, c := range []struct {
		name string
		file http.HandlerFunc
		full bool // the disk
		code int
		part bool // is kept to continue
	}{
		{"wrong content", body(flipped), false, codeDigest, false},
		{"too short", body(newBytes[1:]), false, codeSize, false},
		{"too long", body(append(slices.Clone(newBytes), 'x')), false, codeSize, false},
		{"endless", func(w http.ResponseWriter, _ *http.Request) {
			for {
				if _, err := w.Write(newBytes); err != nil {
					return
				}
			}
		}, false, codeSize, false},
		{"404", http.NotFound, false, codeTransfer, true},
		{"cut at the same byte each time", cutAt(1000), false, codeTransfer, true},
		{"503 for too long", status(503, "100000"), false, codeTransfer, true},
		{"full disk", serveFile, true, codeDisk, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newServer(t)
			s.file = c.file
			m := newMachine(t, s, false)
			u := m.open(t)
			up := offered(t, u)
			part := up.payload() + partSuffix
			if c.full {
				if err := os.Symlink("/dev/full", part); err != nil {
					t.Fatal(err)
				}
			}
			err := up.Download(t.Context())
			if err == nil || codeOf(err) != c.code {
				t.Fatalf("%v has the code %d, want %d", err, codeOf(err), c.code)
			}
			if _, err := os.Lstat(up.payload()); !errors.Is(err, os.ErrNotExist) {
				t.Errorf("a file has the final name: %v", err)
			}
			if _, err := os.Lstat(part); (err == nil) != c.part {
				t.Errorf("the part: %v, kept %t expected", err, c.part)
			}
			s.expect(t, started, fmt.Sprintf("3/0 %d 1.0.0", c.code))
			if err := up.Install(t.Context()); err == nil {
				t.Error("installed without a download")
			}
			if got, _ := os.ReadFile(m.o.File); string(got) != oldBytes {
				t.Error("the old version is gone")
			}
		})
	}
}

// The end of the context is no failure. The next process continues the download.
func TestStoppedDownloadIsContinuedByTheNextProcess(t *testing.T) {
	s := newServer(t)
	s.file = times(1, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Length", fmt.Sprint(len(newBytes)))
		_, _ = w.Write(newBytes[:1000])
		_ = http.NewResponseController(w).Flush()
		<-r.Context().Done() // a slow body
	}, serveFile)
	m := newMachine(t, s, false)
	ctx, cancel := context.WithCancel(t.Context())
	u := m.open(t)
	up := offered(t, u)
	go func() {
		for sizeOf(up.payload()+partSuffix) < 1000 {
			time.Sleep(time.Millisecond)
		}
		cancel()
	}()
	if err := up.Download(ctx); !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	s.expect(t, started)
	stop(t, u)

	if err := m.open(t).Once(t.Context()); err != nil {
		t.Fatal(err)
	}
	m.expect(t, string(newBytes))
	if want := []string{"", "bytes=1000-"}; !slices.Equal(s.ranges, want) {
		t.Errorf("ranges %q, want %q", s.ranges, want)
	}
}

func TestStalledTransferIsContinued(t *testing.T) {
	s := newServer(t)
	s.file = times(1, func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }, serveFile)
	m := newMachine(t, s, false)
	m.o.StallTimeout = 100 * time.Millisecond
	if err := m.open(t).Once(t.Context()); err != nil {
		t.Fatal(err)
	}
	m.expect(t, string(newBytes))
}

func TestUnknownSizeIsLimited(t *testing.T) {
	s := newServer(t)
	_, digests, _ := strings.Cut(sums(newBytes), " ")
	s.answer = func(w http.ResponseWriter, _ *appXML) { s.respond(w, "ok", s.offer(digests)) }
	m := newMachine(t, s, false)
	m.o.MaxSize = 1000
	u := m.open(t)
	if err := offered(t, u).Download(t.Context()); codeOf(err) != codeSize {
		t.Errorf("%v", err)
	}
	stop(t, u)
	m.o.MaxSize = 0
	u = m.open(t)
	if err := offered(t, u).Download(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestDownloadRemovesOlderOnes(t *testing.T) {
	s := newServer(t)
	m := newMachine(t, s, false)
	u := m.open(t)
	for _, name := range []string{"payload-aa", "payload-bb.part"} {
		m.write(t, filepath.Join(m.o.Dir, name), "of a version that was withdrawn")
	}
	if err := u.Once(t.Context()); err != nil {
		t.Fatal(err)
	}
	m.expect(t, string(newBytes))
}
