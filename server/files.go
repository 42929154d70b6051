package server

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/base64"
	"io"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"slices"
	"strings"
	"sync"
	"time"
)

// files serves the built dashboard. Names below assets/ contain a hash of the
// content, so browsers cache them forever. Pages are revalidated each time,
// which costs a 304.
type files struct {
	fs fs.FS

	mu    sync.Mutex
	cache map[string]*file // filled on first use; bounded, because the files are embedded
}

// file is one file in the form in which it is sent.
type file struct {
	content     []byte
	gzipped     []byte // nil if gzip does not make it smaller
	contentType string
	etag        string
}

func newFiles(f fs.FS) *files { return &files{fs: f, cache: map[string]*file{}} }

// minGzipSize is the size in bytes below which gzip saves too little.
const minGzipSize = 1024

// get returns a file by its path, or nil.
func (f *files) get(name string) *file {
	f.mu.Lock()
	defer f.mu.Unlock()
	if c, ok := f.cache[name]; ok {
		return c
	}
	content, err := fs.ReadFile(f.fs, name)
	if err != nil || strings.HasPrefix(path.Base(name), ".") {
		return nil
	}
	sum := sha256.Sum256(content)
	c := &file{content: content, contentType: contentType(name), etag: base64.RawURLEncoding.EncodeToString(sum[:12])}
	if len(content) >= minGzipSize && compressible(c.contentType) {
		var b bytes.Buffer
		z, _ := gzip.NewWriterLevel(&b, gzip.BestCompression) // fails only for an invalid level
		_, err := z.Write(content)
		if err == nil && z.Close() == nil && b.Len() < len(content) {
			c.gzipped = b.Bytes()
		}
	}
	f.cache[name] = c
	return c
}

// contentType knows the types of the dashboard's files, because the operating
// system's table may be missing or wrong.
func contentType(name string) string {
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
	if t := mime.TypeByExtension(path.Ext(name)); t != "" {
		return t
	}
	return "application/octet-stream"
}

func compressible(contentType string) bool {
	return strings.HasPrefix(contentType, "text/") || contentType == "application/json" || contentType == "image/svg+xml"
}

// send writes the file as the response.
func (c *file) send(w http.ResponseWriter, r *http.Request, policy, caching string) {
	h := w.Header()
	setSecurityHeaders(h, policy)
	h.Set("Content-Type", c.contentType)
	h.Set("Cache-Control", caching)
	h.Set("Vary", "Accept-Encoding")
	content, etag := c.content, c.etag
	if c.gzipped != nil && acceptsGzip(r) {
		content, etag = c.gzipped, etag+"-gz"
		h.Set("Content-Encoding", "gzip")
	}
	h.Set("ETag", `"`+etag+`"`)
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(content))
}

func acceptsGzip(r *http.Request) bool {
	// Clients cannot use a range of the compressed form.
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
	cacheForever = "public, max-age=31536000, immutable"
	revalidate   = "no-cache"
)

// assets serves the files below /assets/. A missing file is 404, so that an
// outdated page gets an error instead of HTML in place of a script.
func (f *files) assets() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c := f.get(strings.TrimPrefix(path.Clean(r.URL.Path), "/"))
		if c == nil {
			notFound(w, r)
			return
		}
		c.send(w, r, dashboardPolicy, cacheForever)
	})
}

// page serves one page.
func (f *files) page(name, policy string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c := f.get(name)
		if c == nil {
			http.Error(w, "this server was built without the dashboard: run `make build`", http.StatusNotFound)
			return
		}
		c.send(w, r, policy, revalidate)
	})
}

// dashboard serves the other files by name, and the index page for the URLs that a
// browser opens, because the dashboard has its own router. Programs get 404 for an
// unknown URL, not a page.
func (f *files) dashboard() http.Handler {
	index := f.page("index.html", dashboardPolicy)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		name := strings.TrimPrefix(path.Clean(r.URL.Path), "/")
		c := f.get(name)
		reads := r.Method == http.MethodGet || r.Method == http.MethodHead
		switch {
		case !reads && (name == "" || c != nil || slices.Contains(readOnly, name)):
			w.Header().Set("Allow", "GET, HEAD")
			http.Error(w, "method not allowed: use GET or HEAD", http.StatusMethodNotAllowed)
		case !reads:
			notFound(w, r)
		case c != nil && path.Ext(name) != ".html":
			c.send(w, r, dashboardPolicy, revalidate)
		case c == nil && path.Ext(name) != "" && !strings.Contains(name, "/"):
			notFound(w, r) // a file at the root, such as /robots.txt
		case r.URL.Path == "/" || name == "index.html" || opensPage(r):
			index.ServeHTTP(w, r)
		default:
			notFound(w, r)
		}
	})
}

// documentation serves the pages of the documentation: /docs/connect is the file
// docs/connect.html.
func (f *files) documentation() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		name := strings.TrimPrefix(path.Clean(r.URL.Path), "/")
		switch {
		case name == "docs":
			name = "docs/index.html"
		case path.Ext(name) == "":
			name += ".html"
		}
		c := f.get(name)
		if c == nil {
			notFound(w, r)
			return
		}
		c.send(w, r, dashboardPolicy, revalidate)
	})
}

// services are the first parts of the URLs of services, which have no pages below them.
var services = []string{"v1", "omaha", "api", "nebraska", "graphql", "export", "healthz", "health", "readyz", "ready", "livez", "live", "metrics", "assets", "docs"}

// readOnly are the paths that exist for GET and HEAD only, besides those of files.
var readOnly = []string{"healthz", "health", "readyz", "ready", "livez", "live", "metrics", "playground", "export/activity", "export/audit"}

// opensPage reports whether a browser opens the URL: only then it accepts HTML by name.
func opensPage(r *http.Request) bool {
	first, _, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	return !slices.Contains(services, first) && strings.Contains(r.Header.Get("Accept"), "text/html")
}

// notFound answers in the format that the caller asks for.
func notFound(w http.ResponseWriter, r *http.Request) {
	if !strings.Contains(r.Header.Get("Accept"), "json") {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(http.StatusNotFound)
	_, _ = io.WriteString(w, `{"code":"NOT_FOUND","field":"","message":"there is nothing at this address"}`+"\n")
}
