package payloads

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"strconv"
	"strings"

	"github.com/google/uuid"

	"github.com/coreroller/coreroller/fleet"
	"github.com/coreroller/coreroller/fleet/fault"
	"github.com/coreroller/coreroller/remote/payload"
)

// Prefix begins the URLs of uploads.
const Prefix = "/uploads/"

// Uploads takes files in parts by the core protocol of tus 1.0 with the extensions creation
// and termination: POST begins an upload, PATCH appends at an offset, HEAD returns the
// offset after a broken connection, DELETE cancels. The metadata are package (id), name
// and reason. The answer to the last part has the id of the stored file's package.
type Uploads struct {
	fleet *fleet.Service
	id    func(context.Context) string // of a request
	log   *slog.Logger
	mux   *http.ServeMux
}

const (
	tusVersion  = "1.0.0"
	contentType = "application/offset+octet-stream"
	maxMetadata = 8 << 10
)

// NewUploads returns the handler of everything below Prefix. The caller authenticates.
func NewUploads(f *fleet.Service, id func(context.Context) string, log *slog.Logger) *Uploads {
	u := &Uploads{fleet: f, id: id, log: log, mux: http.NewServeMux()}
	u.mux.HandleFunc("OPTIONS "+Prefix, u.options)
	u.mux.HandleFunc("POST "+Prefix+"{$}", u.create)
	u.mux.HandleFunc("HEAD "+Prefix+"{id}", u.offset)
	u.mux.HandleFunc("PATCH "+Prefix+"{id}", u.write)
	u.mux.HandleFunc("DELETE "+Prefix+"{id}", u.cancel)
	return u
}

// ServeHTTP implements http.Handler.
func (u *Uploads) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Tus-Resumable", tusVersion)
	h.Set("Cache-Control", "no-store")
	if r.Method != http.MethodOptions && r.Header.Get("Tus-Resumable") != tusVersion {
		h.Set("Tus-Version", tusVersion)
		u.send(w, http.StatusPreconditionFailed, problem{Code: "invalid", Field: "Tus-Resumable", Message: "must be " + tusVersion})
		return
	}
	u.mux.ServeHTTP(w, r)
}

func (u *Uploads) options(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Tus-Version", tusVersion)
	w.Header().Set("Tus-Extension", "creation,termination")
	w.WriteHeader(http.StatusNoContent)
}

func (u *Uploads) create(w http.ResponseWriter, r *http.Request) {
	metadata, err := readMetadata(r.Header.Get("Upload-Metadata"))
	if err != nil {
		u.refuse(w, r, err)
		return
	}
	size, err := strconv.ParseInt(r.Header.Get("Upload-Length"), 10, 64)
	if err != nil {
		u.refuse(w, r, fault.Errorf(fault.Invalid, "Upload-Length", "must be the number of bytes"))
		return
	}
	id, err := uuid.Parse(metadata["package"])
	if err != nil {
		u.refuse(w, r, fault.Errorf(fault.Invalid, "Upload-Metadata", "package must be the id of a package"))
		return
	}
	up, err := u.fleet.BeginUpload(r.Context(), fleet.BeginUpload{PackageID: id, Name: metadata["name"], Size: size, Reason: metadata["reason"]})
	if err != nil {
		u.refuse(w, r, err)
		return
	}
	w.Header().Set("Location", Prefix+up.ID)
	w.WriteHeader(http.StatusCreated)
}

// readMetadata reads names with values in base64, separated by commas.
func readMetadata(header string) (map[string]string, error) {
	all := map[string]string{}
	if len(header) > maxMetadata {
		return nil, fault.Errorf(fault.Invalid, "Upload-Metadata", "must be at most %d bytes", maxMetadata)
	}
	for pair := range strings.SplitSeq(header, ",") {
		name, value, _ := strings.Cut(strings.TrimSpace(pair), " ")
		text, err := base64.StdEncoding.DecodeString(value)
		if err != nil {
			return nil, fault.Errorf(fault.Invalid, "Upload-Metadata", "%q must be base64", name)
		}
		all[name] = string(text)
	}
	return all, nil
}

func (u *Uploads) offset(w http.ResponseWriter, r *http.Request) {
	up, err := u.fleet.Upload(r.Context(), r.PathValue("id"))
	if err != nil {
		u.refuse(w, r, err)
		return
	}
	setOffset(w, up)
	w.WriteHeader(http.StatusOK)
}

func setOffset(w http.ResponseWriter, up *fleet.Upload) {
	w.Header().Set("Upload-Offset", strconv.FormatInt(up.Offset, 10))
	w.Header().Set("Upload-Length", strconv.FormatInt(up.Size, 10))
}

func (u *Uploads) write(w http.ResponseWriter, r *http.Request) {
	if r.Header.Get("Content-Type") != contentType {
		u.send(w, http.StatusUnsupportedMediaType, problem{Code: "invalid", Field: "Content-Type", Message: "must be " + contentType})
		return
	}
	offset, err := strconv.ParseInt(r.Header.Get("Upload-Offset"), 10, 64)
	if err != nil {
		u.refuse(w, r, fault.Errorf(fault.Invalid, "Upload-Offset", "must be a number of bytes"))
		return
	}
	// What arrived is kept even if the client is gone, and the last part is verified then.
	body := &part{Reader: payload.Patient(w, r)}
	up, err := u.fleet.ContinueUpload(context.WithoutCancel(r.Context()), r.PathValue("id"), offset, body)
	if err != nil {
		if !body.broken { // else the client is gone, and continues later
			u.refuse(w, r, err)
		}
		return
	}
	setOffset(w, up)
	if up.Package != nil {
		u.send(w, http.StatusOK, stored{PackageID: up.Package.ID, URL: up.Package.URL})
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

// part is the body of a request. It notes whether the connection broke.
type part struct {
	io.Reader
	broken bool
}

// Read implements io.Reader.
func (p *part) Read(data []byte) (int, error) {
	n, err := p.Reader.Read(data)
	p.broken = err != nil && err != io.EOF
	return n, err
}

// stored is the answer to the last part.
type stored struct {
	PackageID uuid.UUID `json:"packageId"`
	URL       string    `json:"url"` // of the package
}

func (u *Uploads) cancel(w http.ResponseWriter, r *http.Request) {
	if err := u.fleet.CancelUpload(r.Context(), r.PathValue("id")); err != nil {
		u.refuse(w, r, err)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

// problem is the response body of an error, as in the REST API.
type problem struct {
	Code    string `json:"code"`
	Field   string `json:"field"`
	Message string `json:"message"`
}

// Refusal answers requests without valid credentials.
func (u *Uploads) Refusal(w http.ResponseWriter, _ *http.Request, status int, code, message string) {
	u.send(w, status, problem{Code: strings.ToLower(code), Message: message})
}

func (u *Uploads) refuse(w http.ResponseWriter, r *http.Request, err error) {
	all := fault.All(err)
	if len(all) == 0 {
		u.log.ErrorContext(r.Context(), "upload failed", "request", u.id(r.Context()), "err", err)
		u.send(w, http.StatusInternalServerError, problem{Code: "internal", Message: "internal error, request id " + u.id(r.Context())})
		return
	}
	u.send(w, statusOf(all[0]), problem{Code: string(all[0].Code), Field: all[0].Field, Message: all[0].Message})
}

func statusOf(e *fault.Error) int {
	switch e.Code {
	case fault.NotFound:
		return http.StatusNotFound
	case fault.Conflict:
		if e.Field == "file" { // the quota
			return http.StatusRequestEntityTooLarge
		}
		return http.StatusConflict
	case fault.Forbidden, fault.ApprovalRequired:
		return http.StatusForbidden
	case fault.Unauthenticated:
		return http.StatusUnauthorized
	case fault.Unavailable:
		if e.Field == "file" { // the disk
			return http.StatusInsufficientStorage
		}
		return http.StatusServiceUnavailable
	case fault.RateLimited:
		return http.StatusTooManyRequests
	case fault.Invalid:
	}
	return http.StatusBadRequest
}

func (u *Uploads) send(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v) // the client is gone
}
