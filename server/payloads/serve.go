// Package payloads serves the stored files of packages to machines, within limits, and takes
// uploads in parts from people and scripts. It knows HTTP, not which file may be stored.
package payloads

import (
	"errors"
	"log/slog"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/google/uuid"

	"github.com/coreroller/coreroller/fleet/fault"
	"github.com/coreroller/coreroller/fleet/hosting"
	"github.com/coreroller/coreroller/remote/payload/storage"
)

// Pattern is that of the files.
const Pattern = "GET /payloads/{package}/{name...}"

// Files serves GET and HEAD of /payloads/<package>/<name>, without credentials.
type Files struct {
	hosting *hosting.Service
	caps    *caps
	address func(*http.Request) string
	log     *slog.Logger
}

// NewFiles returns the handler. address returns the address of a client.
func NewFiles(h *hosting.Service, limits Limits, address func(*http.Request) string, log *slog.Logger) *Files {
	return &Files{hosting: h, caps: newCaps(limits), address: address, log: log}
}

// Open is the number of downloads in progress.
func (f *Files) Open() int {
	f.caps.mu.Lock()
	defer f.caps.mu.Unlock()
	return f.caps.open
}

// ServeHTTP implements http.Handler.
func (f *Files) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("X-Content-Type-Options", "nosniff")
	client := f.address(r)
	transfer, ok := f.caps.enter(client)
	if !ok {
		// The file comes later: machines ask again after the time.
		w.Header().Set("Retry-After", strconv.Itoa(retryAfter))
		http.Error(w, "too many downloads at the same time; try again later", http.StatusServiceUnavailable)
		return
	}
	defer transfer.leave()
	id, err := uuid.Parse(r.PathValue("package"))
	if err != nil || id.String() != r.PathValue("package") {
		http.Error(w, "there is no such file", http.StatusNotFound)
		return
	}
	file, elsewhere, err := f.hosting.Find(r.Context(), id, r.PathValue("name"))
	switch {
	case fault.CodeOf(err) == fault.NotFound:
		http.Error(w, "there is no such file", http.StatusNotFound)
		return
	case err != nil:
		f.fail(w, r, err)
		return
	case elsewhere != "":
		// Not http.Redirect, which would change the URL: names are appended as they are.
		w.Header().Set("Location", elsewhere)
		w.Header().Set("Cache-Control", "no-store")
		w.WriteHeader(http.StatusFound)
		return
	}
	f.send(w, r, file, transfer, client)
}

// send sends a file, or the part of it that was asked for.
func (f *Files) send(w http.ResponseWriter, r *http.Request, file *hosting.File, t *transfer, client string) {
	content, err := f.hosting.Open(r.Context(), file)
	if err != nil {
		f.fail(w, r, err)
		return
	}
	defer func() { _ = content.Close() }()
	h := w.Header()
	h.Set("Content-Type", "application/octet-stream")
	h.Set("ETag", `"`+file.Sha256+`"`)
	// A page of another origin cannot run it, and a browser saves it.
	h.Set("Content-Disposition", "attachment; filename*=UTF-8''"+url.PathEscape(file.Name))
	h.Set("Cache-Control", "public, max-age=31536000, no-transform")
	if strings.Contains(r.Header.Get("Range"), ",") {
		// Several parts at once would be a multipart answer, which no client of updates
		// reads: the whole file is right, too (RFC 9110, section 14.2).
		r = r.Clone(r.Context())
		r.Header.Del("Range")
	}
	d := f.hosting.Start(file, client)
	out := &limited{ResponseWriter: w, transfer: t, download: d, ctx: r.Context()}
	defer func() { d.End(r.Method == http.MethodGet && out.ended(file.Size)) }()
	http.ServeContent(out, r, "", file.StoredAt, content)
}

func (f *Files) fail(w http.ResponseWriter, r *http.Request, err error) {
	if r.Context().Err() != nil {
		return // the client is gone
	}
	if errors.Is(err, storage.ErrMissing) {
		f.log.ErrorContext(r.Context(), "the content of a stored file is lost", "path", r.URL.Path)
		http.Error(w, "the content of this file is lost", http.StatusInternalServerError)
		return
	}
	f.log.ErrorContext(r.Context(), "could not serve a file", "path", r.URL.Path, "err", err)
	w.Header().Set("Retry-After", strconv.Itoa(retryAfter))
	http.Error(w, "the file cannot be read now; try again later", http.StatusServiceUnavailable)
}
