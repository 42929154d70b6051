package graph

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"strings"

	"github.com/99designs/gqlgen/graphql"
	"github.com/99designs/gqlgen/graphql/errcode"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"github.com/coreroller/coreroller/auth"
	"github.com/coreroller/coreroller/fleet/fault"
	"github.com/coreroller/coreroller/graph/model"
	payloads "github.com/coreroller/coreroller/remote/payload"
)

// upload is the transport of requests with one file, by the GraphQL multipart request
// specification. Unlike gqlgen's, it does not keep the file in memory or in a temporary
// file: the resolver reads it from the connection.
type upload struct{}

// uploadField is the only field that takes a file.
const uploadField = "uploadPackageFile"

// maxMap limits the part that says which variable is the file.
const maxMap = 4 << 10

// isMultipart reports whether a request has a form with a file.
func isMultipart(r *http.Request) bool {
	kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	return err == nil && r.Method == http.MethodPost && kind == "multipart/form-data"
}

// Supports implements graphql.Transport.
func (upload) Supports(r *http.Request) bool { return r.Header.Get("Upgrade") == "" && isMultipart(r) }

type uploadKey struct{}

// uploads reports whether an operation reads a file from the connection, which may take any
// time.
func uploads(ctx context.Context) bool { return ctx.Value(uploadKey{}) != nil }

// Do implements graphql.Transport.
func (upload) Do(w http.ResponseWriter, r *http.Request, exec graphql.GraphExecutor) {
	w.Header().Set("Content-Type", "application/json")
	ctx := context.WithValue(r.Context(), uploadKey{}, true)
	var response *graphql.Response
	params, err := readForm(w, r)
	if err != nil {
		rejectRequest(w, http.StatusBadRequest, err.Error())
		return
	}
	op, refused := exec.CreateOperationContext(ctx, params)
	if refused != nil {
		if errcode.GetErrorKind(refused) == errcode.KindProtocol {
			w.WriteHeader(http.StatusUnprocessableEntity)
		}
		response = exec.DispatchError(graphql.WithOperationContext(ctx, op), refused)
	} else {
		next, ctx := exec.DispatchOperation(ctx, op)
		response = next(ctx)
	}
	_ = json.NewEncoder(w).Encode(response) // the client is gone
}

// readForm reads the parts before the file, which stays in the connection.
func readForm(w http.ResponseWriter, r *http.Request) (*graphql.RawParams, error) {
	r.Body = struct {
		io.Reader
		io.Closer
	}{payloads.Patient(w, r), r.Body}
	form, err := r.MultipartReader()
	if err != nil {
		return nil, errors.New("the form cannot be read")
	}
	params, where := &graphql.RawParams{Headers: r.Header}, map[string][]string{}
	for _, p := range []struct {
		name  string
		limit int64
		to    any
	}{{"operations", maxDocument, params}, {"map", maxMap, &where}} {
		part, err := form.NextPart()
		if err != nil || part.FormName() != p.name {
			return nil, fmt.Errorf("the form has no part %q at its place: operations come first, then map, then the file", p.name)
		}
		text, err := io.ReadAll(io.LimitReader(part, p.limit+1))
		if err != nil || int64(len(text)) > p.limit || json.Unmarshal(text, p.to) != nil {
			return nil, fmt.Errorf("the part %q is no JSON or too long", p.name)
		}
	}
	file, err := form.NextPart()
	if err != nil {
		return nil, errors.New("the form has no file")
	}
	paths := where[file.FormName()]
	if len(where) != 1 || len(paths) != 1 || !put(params.Variables, paths[0], &onlyFile{file, form}) {
		return nil, errors.New("the form must have one file, for one variable such as variables.input.file, which is null")
	}
	return params, nil
}

// put sets the variable at a path, which must be there, to a file.
func put(variables map[string]any, path string, file io.Reader) bool {
	names := strings.Split(path, ".")
	if len(names) < 2 || names[0] != "variables" {
		return false
	}
	at := variables
	for _, name := range names[1 : len(names)-1] {
		below, ok := at[name].(map[string]any)
		if !ok {
			return false
		}
		at = below
	}
	last := names[len(names)-1]
	if v, ok := at[last]; !ok || v != nil {
		return false
	}
	at[last] = file
	return true
}

// onlyFile reads a file, and fails if another part follows it.
type onlyFile struct {
	io.Reader
	form *multipart.Reader
}

// Read implements io.Reader.
func (f *onlyFile) Read(data []byte) (int, error) {
	n, err := f.Reader.Read(data)
	if err == io.EOF {
		if _, err := f.form.NextPart(); err == io.EOF {
			return n, io.EOF
		}
		return n, fault.Errorf(fault.Invalid, "file", "must be the end of the form")
	}
	if err != nil {
		return n, fault.Errorf(fault.Unavailable, "file", "the connection broke before the file was complete")
	}
	return n, nil
}

// mayUpload reports whether the caller may store any file, and sends an error response if
// not: the form is read before its operation is known.
func (h *Handler) mayUpload(w http.ResponseWriter, r *http.Request) bool {
	if !h.signedIn(w, r) {
		return false
	}
	_, err := auth.RequireVerb(r.Context(), uploadField)
	if err != nil {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusForbidden)
		encodeRefusal(w, model.ErrorCodeForbidden, err.Error())
	}
	return err == nil
}

// onlyUpload refuses other operations with a file, because no limit of time is on them.
func onlyUpload(op *graphql.OperationContext) *gqlerror.Error {
	if fields := rootFields(op); len(fields) == 1 && fields[0].Name == uploadField {
		return nil
	}
	return refusal(model.ErrorCodeInvalid, "a request with a file must have the field %s and no other one", uploadField)
}
