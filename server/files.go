package server

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/base64"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"strings"
	"sync"
	"time"
)

// files serves the built dashboard. Names below assets/ hold a hash of their
// content, so they may be kept for ever; pages are asked for again each time,
// which costs a 304.
type files struct {
	fs fs.FS

	mu   sync.Mutex
	kept map[string]*file // as they are served, made when first asked for
}

// file is one file, ready to be sent.
type file struct {
	content []byte
	zipped  []byte // nil when it would not be smaller
	kind    string
	etag    string
}

func newFiles(f fs.FS) *files { return &files{fs: f, kept: map[string]*file{}} }

// smallest is the size from which on compressing is worth the header, in bytes.
const smallest = 1024

// get is a file by its path, nil when there is none. The files are embedded, so
// what is kept is bounded by what was built.
func (f *files) get(name string) *file {
	f.mu.Lock()
	defer f.mu.Unlock()
	if k, ok := f.kept[name]; ok {
		return k
	}
	content, err := fs.ReadFile(f.fs, name)
	if err != nil || strings.HasPrefix(path.Base(name), ".") {
		return nil
	}
	sum := sha256.Sum256(content)
	k := &file{content: content, kind: kindOf(name), etag: base64.RawURLEncoding.EncodeToString(sum[:12])}
	if len(content) >= smallest && compressible(k.kind) {
		var b bytes.Buffer
		z, _ := gzip.NewWriterLevel(&b, gzip.BestCompression) // the level is one that exists
		_, err := z.Write(content)
		if err == nil && z.Close() == nil && b.Len() < len(content) {
			k.zipped = b.Bytes()
		}
	}
	f.kept[name] = k
	return k
}

// kindOf does not ask the machine's own table of types, which may be missing or
// say what it likes.
func kindOf(name string) string {
	switch path.Ext(name) {
	case ".html":
		return "text/html; charset=utf-8"
	case ".js":
		return "text/javascript; charset=utf-8"
	case ".css":
		return "text/css; charset=utf-8"
	case ".svg":
		return "image/svg+xml"
	case ".json", ".map":
		return "application/json"
	case ".woff2":
		return "font/woff2"
	case ".txt":
		return "text/plain; charset=utf-8"
	}
	if kind := mime.TypeByExtension(path.Ext(name)); kind != "" {
		return kind
	}
	return "application/octet-stream"
}

func compressible(kind string) bool {
	return strings.HasPrefix(kind, "text/") || kind == "application/json" || kind == "image/svg+xml"
}

// send answers with a file.
func (k *file) send(w http.ResponseWriter, r *http.Request, policy, caching string) {
	h := w.Header()
	secured(h, policy)
	h.Set("Content-Type", k.kind)
	h.Set("Cache-Control", caching)
	h.Set("Vary", "Accept-Encoding")
	content, etag := k.content, k.etag
	if k.zipped != nil && acceptsGzip(r) {
		content, etag = k.zipped, etag+"-gz"
		h.Set("Content-Encoding", "gzip")
	}
	h.Set("ETag", `"`+etag+`"`)
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(content))
}

func acceptsGzip(r *http.Request) bool {
	// A range of the compressed form would be of no use to anybody.
	if r.Header.Get("Range") != "" {
		return false
	}
	for part := range strings.SplitSeq(r.Header.Get("Accept-Encoding"), ",") {
		name, weight, _ := strings.Cut(strings.TrimSpace(part), ";")
		if name == "gzip" && strings.ReplaceAll(weight, " ", "") != "q=0" {
			return true
		}
	}
	return false
}

const (
	forEver = "public, max-age=31536000, immutable"
	askMe   = "no-cache"
)

// assets serves what lies below /assets/; what is not there is not found, so
// that a stale page gets an error and not a page in place of a script.
func (f *files) assets() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		k := f.get(strings.TrimPrefix(path.Clean(r.URL.Path), "/"))
		if k == nil {
			http.NotFound(w, r)
			return
		}
		k.send(w, r, dashboardPolicy, forEver)
	})
}

// page serves one page.
func (f *files) page(name, policy string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		k := f.get(name)
		if k == nil {
			http.Error(w, "this server was built without the dashboard: run `make build`", http.StatusNotFound)
			return
		}
		k.send(w, r, policy, askMe)
	})
}

// dashboard serves the other files by their names and, for every address that
// is none, the page, which knows the rest.
func (f *files) dashboard() http.Handler {
	index := f.page("index.html", dashboardPolicy)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			w.Header().Set("Allow", "GET, HEAD")
			http.Error(w, "there is nothing to change here", http.StatusMethodNotAllowed)
			return
		}
		name := strings.TrimPrefix(path.Clean(r.URL.Path), "/")
		k := f.get(name)
		switch {
		case k != nil && path.Ext(name) != ".html":
			k.send(w, r, dashboardPolicy, askMe)
		case k == nil && path.Ext(name) != "" && !strings.Contains(name, "/"):
			http.NotFound(w, r) // a file at the root, such as /robots.txt
		default:
			index.ServeHTTP(w, r)
		}
	})
}
