package payloads_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"go.uber.org/goleak"

	"github.com/coreroller/coreroller/auth"
	"github.com/coreroller/coreroller/fleet"
	"github.com/coreroller/coreroller/fleet/account"
	"github.com/coreroller/coreroller/fleet/catalog"
	"github.com/coreroller/coreroller/omaha"
	"github.com/coreroller/coreroller/remote/payload/storage"
	"github.com/coreroller/coreroller/server"
	"github.com/coreroller/coreroller/server/payloads"
	"github.com/coreroller/coreroller/store"
	"github.com/coreroller/coreroller/store/storetest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// site is a complete server that stores files, with one package whose payload is "agent.tar".
type site struct {
	*fleet.Service
	t    testing.TB
	ctx  context.Context // of a signed-in user
	http *httptest.Server
	dir  string
	pkg  uuid.UUID
}

const password = "correct horse"

func newSite(t testing.TB, limits payloads.Limits, keep storage.Storage) *site {
	t.Helper()
	s := &site{t: t, dir: t.TempDir()}
	s.ctx = auth.With(t.Context(), auth.Principal{Name: "olga", TeamID: catalog.DefaultTeamID(), Role: auth.Owner, Credential: auth.CredentialCommand})
	st, err := store.Open(t.Context(), store.Options{URL: storetest.SQLite(t)})
	s.ok(err)
	t.Cleanup(func() { _ = st.Close() })
	if keep == nil {
		keep, err = storage.NewDirectory(filepath.Join(s.dir, "files"))
		s.ok(err)
	}
	staging, err := storage.NewStaging(filepath.Join(s.dir, "incoming"), storage.DefaultReserve)
	s.ok(err)
	s.Service, err = fleet.New(t.Context(), fleet.Options{Store: st, Now: time.Now, Hosting: fleet.Hosting{
		Storage: keep, Staging: staging, URL: func(ctx context.Context) string {
			if url := server.MachinesURL(ctx); url != "" {
				return url
			}
			return s.http.URL // a verb that is called by the test
		},
	}})
	s.ok(err)
	t.Cleanup(s.Service.Close)
	s.ok(s.Preinstall(s.ctx))
	for name, role := range map[string]auth.Role{"ana": auth.Publisher, "bob": auth.Operator} {
		_, err = s.Accounts.CreateUser(s.ctx, account.CreateUser{Username: name, Password: password, Role: role})
		s.ok(err)
	}
	handler := server.New(server.Options{
		Fleet: s.Service, Store: st, Omaha: omaha.NewHandler(s.Machines, omaha.Options{Now: time.Now}), Now: time.Now, Version: "test", Payloads: limits,
	})
	s.http = httptest.NewServer(handler)
	t.Cleanup(func() {
		handler.Close()
		s.http.CloseClientConnections()
		s.http.Close()
	})
	app, err := s.CreateApplication(s.ctx, fleet.CreateApplication{Name: "agent"})
	s.ok(err)
	row, err := s.CreatePackage(s.ctx, fleet.CreatePackage{ApplicationID: app.ID, Type: catalog.PackageOther, Version: "2.0.0", URL: "https://example.com/2/", Filename: "agent.tar"})
	s.ok(err)
	s.pkg = row.ID
	return s
}

func (s *site) ok(err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
	}
}

// answer is a response whose body is closed after the test.
type answer struct{ *http.Response }

// send sends a request as a user, "" for none.
func (s *site) send(user, method, path, body string, headers ...string) answer {
	s.t.Helper()
	req, err := http.NewRequestWithContext(s.t.Context(), method, s.http.URL+path, strings.NewReader(body))
	s.ok(err)
	for i := 0; i < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	if user != "" {
		req.SetBasicAuth(user, password)
	}
	client := &http.Client{Transport: s.http.Client().Transport, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	resp, err := client.Do(req)
	s.ok(err)
	s.t.Cleanup(func() { _ = resp.Body.Close() })
	return answer{resp}
}

func (s *site) text(resp answer) string {
	s.t.Helper()
	text, err := io.ReadAll(resp.Body)
	s.ok(err)
	return string(text)
}

const tus = "Tus-Resumable"

// upload stores the payload by one upload in two parts.
func (s *site) upload(content string) {
	s.t.Helper()
	at := s.begin(len(content))
	half := len(content) / 2
	for _, part := range [][2]int{{0, half}, {half, len(content)}} {
		if resp := s.part("ana", at, part[0], content[part[0]:part[1]]); resp.StatusCode >= 300 {
			s.t.Fatal(resp.Status, s.text(resp))
		}
	}
}

// file is the path of the payload.
func (s *site) file() string { return "/payloads/" + s.pkg.String() + "/agent.tar" }
