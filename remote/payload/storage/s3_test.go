package storage

import (
	"bytes"
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/johannesboyne/gofakes3"
	"github.com/johannesboyne/gofakes3/backend/s3mem"
)

// fakeS3 is a server of S3 with the bucket "payloads". before runs before each request.
func fakeS3(t *testing.T, before func(w http.ResponseWriter, r *http.Request) http.ResponseWriter) (Bucket, *s3mem.Backend) {
	t.Helper()
	backend := s3mem.New()
	if err := backend.CreateBucket("payloads"); err != nil {
		t.Fatal(err)
	}
	handler := gofakes3.New(backend).Server()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { handler.ServeHTTP(before(w, r), r) }))
	t.Cleanup(server.Close)
	transport := &http.Transport{}
	t.Cleanup(transport.CloseIdleConnections)
	return Bucket{Address: server.URL + "/payloads/files", Region: "us-east-1", AccessKey: "key", SecretKey: "secret", Transport: transport}, backend
}

func plain(w http.ResponseWriter, _ *http.Request) http.ResponseWriter { return w }

func TestS3(t *testing.T) {
	bucket, _ := fakeS3(t, plain)
	s := must(NewS3(t.Context(), bucket))(t)
	checkStorage(t, s)
	if _, known := s.Free(); known || !strings.HasSuffix(s.String(), "/payloads/files") {
		t.Errorf("%s", s)
	}
	for _, address := range []string{"", "payloads", "ftp://x/payloads", strings.TrimSuffix(bucket.Address, "/payloads/files"), strings.Replace(bucket.Address, "payloads", "others", 1), "http://key:secret@x/payloads"} {
		wrong := bucket
		wrong.Address = address
		if _, err := NewS3(t.Context(), wrong); err == nil || strings.Contains(err.Error(), "secret") {
			t.Errorf("%q: %v", address, err)
		}
	}
}

// broken aborts the connection after some bytes of the answer.
type broken struct {
	http.ResponseWriter
	left int
}

func (b *broken) Write(data []byte) (int, error) {
	n, err := b.ResponseWriter.Write(data[:min(len(data), b.left)])
	if b.left -= n; b.left == 0 {
		_ = http.NewResponseController(b.ResponseWriter).Flush()
		panic(http.ErrAbortHandler)
	}
	return n, err
}

// A file of several parts arrives although one part and every read break.
func TestS3WithBrokenConnections(t *testing.T) {
	content := make([]byte, 2*partSize+1000)
	seed := rand.NewChaCha8([32]byte{1})
	_, _ = seed.Read(content)
	var parts, failed, reads atomic.Int64
	var once sync.Once
	bucket, _ := fakeS3(t, func(w http.ResponseWriter, r *http.Request) http.ResponseWriter {
		switch {
		case r.Method == http.MethodPut && r.URL.Query().Get("partNumber") != "":
			parts.Add(1)
			once.Do(func() {
				failed.Add(1)
				_, _ = io.CopyN(io.Discard, r.Body, 1000)
				panic(http.ErrAbortHandler)
			})
		case r.Method == http.MethodGet && strings.Count(r.URL.Path, "/") > 2:
			reads.Add(1)
			return &broken{w, 10 << 20}
		}
		return w
	})
	s := must(NewS3(t.Context(), bucket))(t)
	staging := newStaging(t)
	d := must(staging.Create(at, int64(len(content)), nil))(t)
	must(d.Write(content))(t)
	facts := d.Facts()
	if err := d.Keep(t.Context(), s); err != nil {
		t.Fatal(err)
	}
	if parts.Load() < 4 || failed.Load() != 1 {
		t.Errorf("%d parts, %d failed", parts.Load(), failed.Load())
	}
	r := must(s.Open(t.Context(), facts.SHA256, facts.Size))(t)
	defer func() { _ = r.Close() }()
	if got := must(io.ReadAll(r))(t); !bytes.Equal(got, content) || reads.Load() < 4 {
		t.Errorf("%d bytes of %d by %d reads", len(got), len(content), reads.Load())
	}
	const from = partSize + 7
	must(r.Seek(from, io.SeekStart))(t)
	piece := make([]byte, 100)
	if must(io.ReadFull(r, piece))(t); !bytes.Equal(piece, content[from:from+100]) {
		t.Error("another position has other bytes")
	}
}

func TestS3ThatFailsLeavesTheDraft(t *testing.T) {
	refuse := false
	bucket, _ := fakeS3(t, func(w http.ResponseWriter, _ *http.Request) http.ResponseWriter {
		if refuse {
			panic(http.ErrAbortHandler)
		}
		return w
	})
	s := must(NewS3(t.Context(), bucket))(t)
	d := must(newStaging(t).Create(at, 6, nil))(t)
	must(io.WriteString(d, "hello\n"))(t)
	refuse = true
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := d.Keep(ctx, s); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
	refuse = false
	if err := d.Keep(t.Context(), s); err != nil {
		t.Errorf("the second try: %v", err)
	}
}
