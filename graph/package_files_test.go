package graph_test

import (
	"bytes"
	"io"
	"mime/multipart"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/coreroller/coreroller/auth"
	"github.com/coreroller/coreroller/ent/db"
	"github.com/coreroller/coreroller/fleet"
	"github.com/coreroller/coreroller/fleet/account"
	"github.com/coreroller/coreroller/fleet/catalog"
	"github.com/coreroller/coreroller/remote/payload/storage"
	"github.com/coreroller/coreroller/server"
	"github.com/coreroller/coreroller/store/storetest"
)

// storingSite is a site that stores files.
func storingSite(t *testing.T) *site {
	t.Helper()
	dir := t.TempDir()
	files, err := storage.NewDirectory(filepath.Join(dir, "files"))
	if err != nil {
		t.Fatal(err)
	}
	staging, err := storage.NewStaging(filepath.Join(dir, "incoming"), storage.DefaultReserve)
	if err != nil {
		t.Fatal(err)
	}
	return newSite(t, storetest.SQLite(t), func(o *fleet.Options) {
		o.Hosting = fleet.Hosting{Storage: files, Staging: staging, URL: server.MachinesURL}
	})
}

// hostedPackage makes a package whose file is not stored yet.
func (s *site) hostedPackage(t *testing.T) *db.Release {
	t.Helper()
	p, err := s.CreatePackage(s.ctx, fleet.CreatePackage{ApplicationID: s.app, Type: catalog.PackageOther, Version: "7.0.0", URL: "https://example.com/", Filename: "agent.tar"})
	return must(s, p, err)
}

const uploadDocument = `mutation($input: UploadPackageFileInput!) { uploadPackageFile(input: $input) {
  package { url hosted sourceUrl size sha256 stored { name payload size storedBy downloads } } userErrors { code field message } } }`

// part is a part of a form.
type part struct {
	name string
	body io.Reader
}

// form sends a multipart request as a user.
func (s *site) form(t *testing.T, user string, parts ...part) (status int, body string) {
	t.Helper()
	text := &bytes.Buffer{}
	w := multipart.NewWriter(text)
	for _, p := range parts {
		field, err := w.CreateFormField(p.name)
		s.must(err)
		if _, err := io.Copy(field, p.body); err != nil {
			t.Fatal(err)
		}
	}
	s.must(w.Close())
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.http.URL+"/graphql", iotest.HalfReader(text))
	s.must(err)
	req.Header.Set("Content-Type", w.FormDataContentType())
	if user != "" {
		req.SetBasicAuth(user, password)
	}
	resp, err := s.http.Client().Do(req)
	s.must(err)
	defer func() { _ = resp.Body.Close() }()
	answer, err := io.ReadAll(resp.Body)
	s.must(err)
	return resp.StatusCode, string(answer)
}

func operations(t *testing.T, document string, input vars) part {
	t.Helper()
	return part{"operations", strings.NewReader(marshal(t, vars{"query": document, "variables": vars{"input": input}}))}
}

func TestUploadPackageFile(t *testing.T) {
	s := storingSite(t)
	p := s.hostedPackage(t)
	input := vars{"packageId": p.ID, "name": "agent.tar", "file": nil, "reason": "built"}
	which := func() part { return part{"map", strings.NewReader(`{"0": ["variables.input.file"]}`)} }
	status, body := s.form(t, "ana", operations(t, uploadDocument, input), which(), part{"0", strings.NewReader("hello\n")})
	for _, want := range []string{
		`"userErrors":[]`, `"hosted":true`, `"sourceUrl":"https://example.com/"`, `"url":"` + s.http.URL + `/payloads/` + p.ID.String() + `/"`, `"size":6`,
		`"sha256":"5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03"`, `{"name":"agent.tar","payload":true,"size":6,"storedBy":"ana","downloads":0}`,
	} {
		if status != http.StatusOK || !strings.Contains(body, want) {
			t.Errorf("%d: want %s in %s", status, want, body)
		}
	}
	resp, err := s.http.Client().Get(s.http.URL + "/payloads/" + p.ID.String() + "/agent.tar")
	s.must(err)
	text, _ := io.ReadAll(resp.Body)
	_ = resp.Body.Close()
	if string(text) != "hello\n" {
		t.Errorf("served %d %q", resp.StatusCode, text)
	}

	status, body = s.form(t, "ana", operations(t, uploadDocument, input), which(), part{"0", strings.NewReader("hullo\n")})
	if status != http.StatusOK || !strings.Contains(body, `"field":"file"`) || !strings.Contains(body, "SHA-256: expected 5891b5b5") {
		t.Errorf("another file: %d %s", status, body)
	}
	// In JSON there is no file.
	want(t, s.ana(t).get(uploadDocument, vars{"input": input}), "userErrors.0.field", "file", "package", nil)
	other := vars{"packageId": p.ID, "name": "agent.tar", "file": "text"}
	if r := s.ana(t).ask(uploadDocument, vars{"input": other}); len(r.Errors) == 0 || r.Errors[0].Extensions.Code != "INVALID" {
		t.Errorf("a text as file: %+v", r)
	}
	want(t, s.ana(t).get(`{ storage { location stored arriving quota files unusedFiles } }`, nil),
		"stored", 6, "files", 1, "unusedFiles", 0, "arriving", 0)
	if r := s.ana(t).ask(`{ fetches { name } downloads { name } }`, nil); string(r.Data) != `{"fetches":[],"downloads":[]}` {
		t.Errorf("%s %+v", r.Data, r.Errors)
	}
	want(t, s.ana(t).get(`mutation { cleanUpStorage(input: {dryRun: true}) { files { sha256 } userErrors { code } } }`, nil), "files", []any{})
}

func TestWrongFormsAreRefused(t *testing.T) {
	s := storingSite(t)
	p := s.hostedPackage(t)
	input := vars{"packageId": p.ID, "name": "agent.tar", "file": nil}
	op := func() part { return operations(t, uploadDocument, input) }
	which := func(text string) part { return part{"map", strings.NewReader(text)} }
	file := func() part { return part{"0", strings.NewReader("hello\n")} }
	good := `{"0": ["variables.input.file"]}`
	for name, c := range map[string]struct {
		parts []part
		want  string
	}{
		"no parts":           {nil, "operations"},
		"no map":             {[]part{op(), file()}, "map"},
		"no file":            {[]part{op(), which(good)}, "has no file"},
		"file first":         {[]part{file(), op(), which(good)}, "operations"},
		"two variables":      {[]part{op(), which(`{"0": ["variables.input.file", "variables.input.name"]}`), file()}, "one file"},
		"two files":          {[]part{op(), which(good), file(), {"1", strings.NewReader("x")}}, "must be the end of the form"},
		"other variable":     {[]part{op(), which(`{"0": ["variables.input.name"]}`), file()}, "one file"},
		"unknown variable":   {[]part{op(), which(`{"0": ["variables.input.x"]}`), file()}, "one file"},
		"list":               {[]part{op(), which(`{"0": ["variables.input.0.file"]}`), file()}, "one file"},
		"no variable":        {[]part{op(), which(`{"0": ["query"]}`), file()}, "one file"},
		"long map":           {[]part{op(), which(`"` + strings.Repeat("x", 5000) + `"`), file()}, "map"},
		"long operations":    {[]part{{"operations", strings.NewReader(strings.Repeat("x", 2<<20))}, which(good), file()}, "operations"},
		"another operation":  {[]part{operations(t, `query($input: UploadPackageFileInput) { me { username } }`, input), which(good), file()}, "never used"},
		"one operation more": {[]part{operations(t, strings.Replace(uploadDocument, "{ uploadPackageFile", "{ signOut { userErrors { code } } uploadPackageFile", 1), input), which(good), file()}, "no other one"},
	} {
		if status, body := s.form(t, "ana", c.parts...); !strings.Contains(body, c.want) || !strings.Contains(body, "errors") && !strings.Contains(body, "INVALID") {
			t.Errorf("%s: %d %s", name, status, body)
		}
	}
	s.must(second(s.Accounts.CreateUser(s.ctx, account.CreateUser{Username: "bob", Password: password, Role: auth.Operator})))
	for user, status := range map[string]int{"": http.StatusUnauthorized, "bob": http.StatusForbidden} {
		if got, body := s.form(t, user, op(), which(good), file()); got != status {
			t.Errorf("%q: %d %s", user, got, body)
		}
	}
	if row, err := s.View.Package(s.ctx, p.ID, nil); err != nil || row.Hosted {
		t.Errorf("something was stored: %+v %v", row, err)
	}
}
