package rest_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/pb33f/libopenapi"
	validator "github.com/pb33f/libopenapi-validator"
	"github.com/pb33f/libopenapi-validator/errors"

	"github.com/coreroller/coreroller/store/storetest"
)

// described checks a response against openapi.json: status, content type and body
// must match the operation. Paths without a route are not described.
func described(t testing.TB, r reply) {
	t.Helper()
	if strings.Contains(string(r.data), "there is no such route") || r.status == http.StatusMethodNotAllowed || r.request.URL.Path == "/api/nothing" {
		return // the recorded conversations contain it
	}
	v, err := validatorOf(r.request.URL.Path)
	if err != nil {
		t.Fatal(err)
	}
	resp := &http.Response{StatusCode: r.status, Header: r.header, Body: io.NopCloser(bytes.NewReader(r.data)), Request: r.request}
	v.mu.Lock() // the validator caches paths without a lock
	defer v.mu.Unlock()
	if ok, found := v.ValidateHttpResponse(r.request, resp); !ok {
		t.Errorf("%s %s: %d %.300s\n%s", r.request.Method, r.request.URL, r.status, r.data, sentences(found))
	}
	if h := r.header.Get("X-Authenticated-Username"); r.status < 300 && h == "" && r.request.URL.Path != "/nebraska/config" {
		t.Errorf("%s %s: X-Authenticated-Username is missing", r.request.Method, r.request.URL)
	}
}

func sentences(found []*errors.ValidationError) string {
	var b strings.Builder
	for _, f := range found {
		fmt.Fprintf(&b, "%s: %s\n", f.Message, f.Reason)
		for _, s := range f.SchemaValidationErrors {
			fmt.Fprintf(&b, "  %s at %s\n", s.Reason, s.FieldPath)
		}
	}
	return b.String()
}

// describedAPI returns the validator of openapi.json.
type describedAPI struct {
	validator.Validator
	mu sync.Mutex
}

var described31, describedNebraska = validatorFrom("openapi.json"), validatorFrom("nebraska/openapi.json")

// validatorOf returns the validator of the API that has a path.
func validatorOf(path string) (*describedAPI, error) {
	if strings.HasPrefix(path, "/nebraska/") {
		return describedNebraska()
	}
	return described31()
}

func validatorFrom(file string) func() (*describedAPI, error) {
	return sync.OnceValues(func() (*describedAPI, error) { return newValidator(file) })
}

func newValidator(file string) (*describedAPI, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	document, err := libopenapi.NewDocument(text)
	if err != nil {
		return nil, err
	}
	v, errs := validator.NewValidator(document)
	if len(errs) > 0 {
		return nil, fmt.Errorf("read the description: %v", errs)
	}
	return &describedAPI{Validator: v}, nil
}

func TestDescriptionIsValidAndHasEveryRoute(t *testing.T) {
	for file, routes := range map[string][]string{"openapi.json": mounted(t), "nebraska/openapi.json": mountedNebraska(t)} {
		compareRoutes(t, file, routes)
	}
}

func compareRoutes(t *testing.T, file string, routes []string) {
	t.Helper()
	v, err := newValidator(file)
	if err != nil {
		t.Fatal(err)
	}
	if ok, found := v.ValidateDocument(); !ok {
		t.Error(sentences(found))
	}
	var document struct {
		OpenAPI string
		Paths   map[string]map[string]json.RawMessage
	}
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, &document); err != nil || document.OpenAPI != "3.1.0" {
		t.Fatalf("%s %v", document.OpenAPI, err)
	}
	var described []string
	for path, operations := range document.Paths {
		for method := range operations {
			if method != "parameters" {
				described = append(described, strings.ToUpper(method)+" "+path)
			}
		}
	}
	slices.Sort(described)
	if !slices.Equal(described, routes) {
		t.Errorf("described\n%s\nmounted\n%s", strings.Join(described, "\n"), strings.Join(routes, "\n"))
	}
}

// mounted returns the routes in routes.go.
func mounted(t *testing.T) []string {
	t.Helper()
	source, err := os.ReadFile("routes.go")
	if err != nil {
		t.Fatal(err)
	}
	var routes []string
	for _, m := range regexp.MustCompile(`\("([A-Z]+ /api/[^"]*)"`).FindAllStringSubmatch(string(source), -1) {
		routes = append(routes, m[1])
	}
	slices.Sort(routes)
	return routes
}

// mountedNebraska returns the routes of Nebraska's shapes.
func mountedNebraska(t *testing.T) []string {
	t.Helper()
	source, err := os.ReadFile("nebraska/handler.go")
	if err != nil {
		t.Fatal(err)
	}
	routes := []string{"GET /nebraska/config"}
	for _, m := range regexp.MustCompile(`\("([A-Z]+) (/api/[^"]*)"`).FindAllStringSubmatch(string(source), -1) {
		routes = append(routes, m[1]+" /nebraska"+m[2])
	}
	slices.Sort(routes)
	return routes
}

// Every route succeeds in at least one conversation.
func TestEveryRouteHasAConversation(t *testing.T) {
	for folder, routes := range map[string][]string{"testdata/": mounted(t), "testdata/nebraska/": mountedNebraska(t)} {
		askedAll(t, folder, routes)
	}
}

func askedAll(t *testing.T, folder string, routes []string) {
	t.Helper()
	var all strings.Builder
	files, err := os.ReadDir(folder)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if text, err := os.ReadFile(folder + f.Name()); err == nil {
			all.Write(text)
		}
	}
	for _, route := range routes {
		if strings.HasSuffix(route, "/api/openapi.json") { // TestDescriptionIsServed
			continue
		}
		pattern := regexp.MustCompile(`\{[a-z]+\}`).ReplaceAllString(regexp.QuoteMeta(route), `x`)
		pattern = regexp.MustCompile(`\\\{[a-z]+\\\}`).ReplaceAllString(pattern, `[^/ ?]+`)
		asked := regexp.MustCompile(`(?m)^>>> ` + pattern + `(\?.*)?\n(?:[^<>\n].*\n)*<<< 20[04]`)
		if !asked.MatchString(all.String()) {
			t.Errorf("%s succeeds in no conversation", route)
		}
	}
}

// The validator rejects responses that do not match.
func TestUndescribedResponsesAreRejected(t *testing.T) {
	v, err := described31()
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		path, kind, body string
		status           int
	}{
		"as described":    {"/api/activity", "application/json", `[]`, 200},
		"another type":    {"/api/activity", "text/html", `<p>`, 200},
		"no array":        {"/api/activity", "application/json", `{}`, 200},
		"unknown field":   {"/api/apps/x", "application/json", `{"code":"invalid","field":"","message":"m","more":1}`, 400},
		"missing field":   {"/api/apps/x", "application/json", `{"code":"invalid"}`, 400},
		"unknown status":  {"/api/activity", "application/json", `{}`, 418},
		"wrong null":      {"/api/activity", "application/json", `[{"created_ts":null,"class":1,"severity":1,"version":"","application_name":"","group_name":null,"channel_name":null,"instance_id":null}]`, 200},
		"no such history": {"/api/apps/x/groups/y/instances/m/status_history", "application/json", `[{"status":9,"version":"","created_ts":"2026-03-02T10:00:00Z"}]`, 200},
	} {
		req, _ := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://x"+c.path, http.NoBody)
		resp := &http.Response{StatusCode: c.status, Header: http.Header{"Content-Type": {c.kind}}, Body: io.NopCloser(strings.NewReader(c.body))}
		v.mu.Lock()
		ok, _ := v.ValidateHttpResponse(req, resp)
		v.mu.Unlock()
		if ok != (name == "as described") {
			t.Errorf("%s: %v", name, ok)
		}
	}
}

func TestDescriptionIsServed(t *testing.T) {
	s := newSite(t, storetest.SQLite(t))
	for path, file := range map[string]string{"/api/openapi.json": "openapi.json", "/nebraska/api/openapi.json": "nebraska/openapi.json"} {
		r := s.ask("admin:admin", http.MethodGet, path, http.NoBody)
		want, err := os.ReadFile(file)
		if err != nil || r.status != http.StatusOK || !bytes.Equal(r.data, want) {
			t.Errorf("%s: %d %v", path, r.status, err)
		}
	}
}
