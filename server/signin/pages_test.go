package signin_test

import (
	"bytes"
	"crypto/tls"
	"encoding/pem"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/oauth2-proxy/mockoidc"

	"github.com/coreroller/coreroller/auth"
	"github.com/coreroller/coreroller/server/signin"
)

// tlsProvider is a provider with a page that ends sessions and a certificate of its own.
func tlsProvider(t *testing.T) (*mockoidc.MockOIDC, *signin.OIDC) {
	t.Helper()
	certified := httptest.NewTLSServer(http.NotFoundHandler()) // for its certificate
	t.Cleanup(certified.Close)
	m, err := mockoidc.NewServer(nil)
	if err != nil {
		t.Fatal(err)
	}
	err = m.AddMiddleware(func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path != mockoidc.DiscoveryEndpoint {
				next.ServeHTTP(w, r)
				return
			}
			answer := httptest.NewRecorder()
			next.ServeHTTP(answer, r)
			w.Header().Set("Content-Type", "application/json")
			_, _ = w.Write(bytes.Replace(answer.Body.Bytes(), []byte("{"), []byte(`{"end_session_endpoint":"https://id.example.com/end?ui=en",`), 1))
		})
	})
	if err != nil {
		t.Fatal(err)
	}
	config := &tls.Config{Certificates: certified.TLS.Certificates, MinVersion: tls.VersionTLS12}
	plain, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	if err := m.Start(tls.NewListener(plain, config), config); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = m.Shutdown() })
	return m, &signin.OIDC{
		IssuerURL: m.Issuer(), ClientID: m.ClientID, ClientSecret: m.ClientSecret, Rules: []signin.Rule{{Value: "ops", Role: auth.Operator}},
		IssuerCA: pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: certified.Certificate().Raw}),
	}
}

func TestSignOutNamesThePageThatEndsTheSessionAtTheProvider(t *testing.T) {
	m, o := tlsProvider(t)
	b := newSite(t, o, nil).browser()
	m.QueueUser(ana("ops"))
	at, _, _ := b.open("/auth/oidc/start?to=/")
	// The browser of the test does not know the certificate of the provider.
	trusting := &http.Client{
		Transport:     &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	defer trusting.CloseIdleConnections()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, at, http.NoBody)
	b.must(err)
	resp, err := trusting.Do(req)
	b.must(err)
	_ = resp.Body.Close()
	if to := b.finish(resp.Header.Get("Location")); to != "/" {
		t.Fatalf("leads to %q", to)
	}
	signOut := func() (string, bool) {
		var out struct {
			Data struct {
				SignOut struct {
					SessionEnded bool
					ProviderURL  *string
				}
			}
		}
		b.graphql("mutation { signOut { sessionEnded providerUrl } }", &out)
		if page := out.Data.SignOut.ProviderURL; page != nil {
			return *page, out.Data.SignOut.SessionEnded
		}
		return "", out.Data.SignOut.SessionEnded
	}
	page, ended := signOut()
	u, err := url.Parse(page)
	b.must(err)
	q := u.Query()
	if !ended || u.Host != "id.example.com" || q.Get("ui") != "en" || q.Get("client_id") != m.ClientID || strings.Count(q.Get("id_token_hint"), ".") != 2 {
		t.Errorf("page %q", page)
	}
	b.signInWithPassword()
	if page, ended := signOut(); page != "" || !ended {
		t.Errorf("with a password: page %q", page)
	}
}

func TestUnknownCertificateIsAFaultOfTheProvider(t *testing.T) {
	_, o := tlsProvider(t)
	o.IssuerCA = nil
	if to := newSite(t, o, nil).browser().signIn("oidc", "/"); to != "/?sign-in=unavailable" {
		t.Errorf("leads to %q", to)
	}
}

func TestServerInfoListsTheProviders(t *testing.T) {
	_, o := provider(t)
	_, g := newGitHub(t)
	b := newSite(t, o, g).browser()
	var out struct {
		Data struct {
			ServerInfo struct{ SignIns []struct{ Name, Path string } }
		}
	}
	b.graphql("{ serverInfo { signIns { name path } } }", &out)
	all := out.Data.ServerInfo.SignIns
	if len(all) != 2 || all[0].Name != "Example" || all[0].Path != "/auth/oidc/start" || all[1].Name != "GitHub" || all[1].Path != "/auth/github/start" {
		t.Errorf("%+v", all)
	}
}

// Behind a proxy with TLS the cookies are for TLS only, and the provider gets the https address.
func TestSignInBehindAProxy(t *testing.T) {
	_, o := provider(t)
	s := newSite(t, o, nil)
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.http.URL+"/auth/oidc/start?to=/", http.NoBody)
	s.must(err)
	req.Host = "coreroller.example.com"
	req.Header.Set("X-Forwarded-Proto", "https")
	resp, err := s.browser().client.Do(req)
	s.must(err)
	_ = resp.Body.Close()
	if cookie := resp.Header.Get("Set-Cookie"); !strings.Contains(cookie, "; Secure") {
		t.Errorf("cookie %q", cookie)
	}
	if at := resp.Header.Get("Location"); !strings.Contains(at, url.QueryEscape("https://coreroller.example.com/auth/oidc/callback")) {
		t.Errorf("leads to %q", at)
	}
}

func TestUnknownProvidersHaveNoPage(t *testing.T) {
	_, o := provider(t)
	b := newSite(t, o, nil).browser()
	for _, path := range []string{"/auth/github/start", "/auth/", "/auth/oidc", "/auth/oidc/other"} {
		if _, status, _ := b.open(path); status != http.StatusNotFound {
			t.Errorf("%s: status %d", path, status)
		}
	}
}
