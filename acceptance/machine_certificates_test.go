package acceptance

import (
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/coreroller/coreroller/fleet"
	"github.com/coreroller/coreroller/fleet/fault"
	"github.com/coreroller/coreroller/rollout"
)

// named is a client certificate with a common name, as crypto/tls verified it. The real
// handshake is tested in cmd/coreroller.
func (s *site) named(name string) *x509.Certificate {
	return &x509.Certificate{Subject: pkix.Name{CommonName: name}, NotAfter: s.clock.Now().Add(24 * time.Hour)}
}

// shows posts requests over a connection with a client certificate; nil: without one.
func (s *site) shows(c *x509.Certificate, path string, apps ...request) *answer {
	s.t.Helper()
	r := httptest.NewRequest(http.MethodPost, path, strings.NewReader(document(apps...)))
	r.TLS = &tls.ConnectionState{}
	if c != nil {
		r.TLS.PeerCertificates = []*x509.Certificate{c}
		r.TLS.VerifiedChains = [][]*x509.Certificate{r.TLS.PeerCertificates}
	}
	a, err := serve(s.handler, r)
	s.ok(err)
	return a
}

func (s *site) certified(c *x509.Certificate, machine string) {
	s.t.Helper()
	if a := s.shows(c, "/v1/update/", s.checking(machine, "2.0.0")); a.code != http.StatusOK || a.Apps[0].Status != "ok" {
		s.t.Errorf("%s is answered %d %+v, want an answer", machine, a.code, a.Apps)
	}
}

func (s *site) uncertified(c *x509.Certificate, reason string, app request) {
	s.t.Helper()
	before, machines := s.Machines.RefusedRequests()["certificate_"+reason], s.numbers().Total
	if a := s.shows(c, "/v1/update/", app); a.code != http.StatusForbidden || !strings.Contains(a.body, "client certificate") {
		s.t.Errorf("answered %d %s, want 403", a.code, a.body)
	}
	if n := s.Machines.RefusedRequests()["certificate_"+reason]; n != before+1 {
		s.t.Errorf("%d requests refused as %s, want %d", n, reason, before+1)
	}
	if n := s.numbers().Total; n != machines {
		s.t.Errorf("%d machines in the group, want %d", n, machines)
	}
}

func (s *site) requireCertificate(group uuid.UUID, is bool) {
	s.t.Helper()
	_, err := s.UpdateGroup(s.ctx, fleet.UpdateGroup{ID: group, RequireCertificate: &is})
	s.ok(err)
}

func TestRequestsNeedACertificateOfTheirMachineWhereOneIsRequired(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		s.certified(nil, "m") // none is required
		s.requireCertificate(s.group, true)
		own := s.named("m")
		s.certified(own, "m")
		dns, uri := s.named("x"), s.named("x")
		dns.DNSNames, uri.URIs = []string{"y", "m"}, []*url.URL{{Scheme: "urn", Opaque: "program:1"}}
		s.certified(dns, "m")
		s.certified(uri, "urn:program:1")
		for _, machine := range []string{"n", "M", "", " m2"} {
			s.uncertified(own, "other", s.checking(machine, "1.0.0", "3/0 10"))
		}
		s.uncertified(s.named(""), "other", s.checking("", "1.0.0"))
		s.uncertified(nil, "missing", s.checking("m", "1.0.0"))
		unverified := httptest.NewRequest(http.MethodPost, "/v1/update/", strings.NewReader(document(s.checking("m", "2.0.0"))))
		unverified.TLS = &tls.ConnectionState{PeerCertificates: []*x509.Certificate{own}}
		unverified.Header.Set("X-Forwarded-Client-Cert", `Subject="CN=m"`)
		if a, err := serve(s.handler, unverified); err != nil || a.code != http.StatusForbidden {
			t.Errorf("a certificate that nothing verified: %+v %v", a, err)
		}
		for _, r := range s.refusedRows() {
			if r.App != s.app.String() || r.Track != "t" {
				t.Errorf("refused %+v, want what it named", r)
			}
		}
		s.advance(25 * time.Hour) // the connection outlives its certificate
		s.uncertified(own, "expired", s.checking("m", "2.0.0"))
		s.requireCertificate(s.group, false)
		s.certified(nil, "m")

		yes := true
		_, err := s.UpdateApplication(s.ctx, fleet.UpdateApplication{ID: s.app, RequireCertificate: &yes})
		s.ok(err)
		s.uncertified(nil, "missing", s.checking("m", "2.0.0"))
		s.certified(s.named("m"), "m")
	})
}

// A client that knows the id of a machine cannot report for it, nor take it out of its
// group, with the certificate of another machine. Moving it does not change that.
func TestHostile_CertificateOfAnotherMachineReportsNothing(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		other := s.newGroup("H", "h", casePolicy())
		s.requireCertificate(s.group, true)
		own, rogue := s.named("m"), s.named("rogue")
		if a := s.shows(own, "/v1/update/", s.checking("m", "1.0.0")); a.Apps[0].Check.Status != "ok" {
			t.Fatalf("answered %+v, want an update", a.Apps)
		}
		s.uncertified(rogue, "other", s.checking("m", "1.0.0", "3/0 10"))
		leave := s.checking("m", "1.0.0", "3/0 10")
		leave.track = "h"
		s.uncertified(rogue, "other", leave)
		s.rolloutIs(rollout.RolloutActive)
		if g := s.instance("m").GroupID; *g != s.group {
			t.Error("the machine left its group")
		}
		_, err := s.MoveInstance(s.ctx, fleet.MoveInstance{ID: s.instanceID("m"), GroupID: &other})
		s.ok(err)
		s.uncertified(rogue, "other", s.checking("m", "1.0.0"))
		s.certified(own, "m")

		s.requireCertificate(other, true) // of a group that the request does not name
		enter := s.checking("n", "1.0.0")
		s.certified(s.named("n"), "n")
		_, err = s.MoveInstance(s.ctx, fleet.MoveInstance{ID: s.instanceID("n"), GroupID: &other})
		s.ok(err)
		s.requireCertificate(s.group, false)
		s.uncertified(nil, "missing", enter)
	}, withPolicy(func(p *rollout.Policy) { p.SafeMode = true }))
}

// A group can require both proofs. One of several applications of a request can be
// refused alone.
func TestSecretAndCertificateCanBothBeRequired(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		text, _ := s.secret("own", ofGroup(s.group))
		s.require(s.group, true)
		s.requireCertificate(s.group, true)
		s.newGroup("H", "h", casePolicy())
		app, free := s.checking("m", "2.0.0"), s.checking("n", "2.0.0")
		free.track = "h"
		for _, c := range []struct {
			path   string
			cert   *x509.Certificate
			status string
		}{
			{"/v1/update/" + text, s.named("m"), "ok"},
			{"/v1/update/" + text, nil, "error-certificate"},
			{"/v1/update/", s.named("m"), "error-secret"},
		} {
			if a := s.shows(c.cert, c.path, app, free); a.code != http.StatusOK || a.Apps[0].Status != c.status || a.Apps[1].Status != "ok" {
				t.Errorf("%s: answered %d %+v", c.status, a.code, a.Apps)
			}
		}
	})
}

// After the commit no server grants anything without a certificate, and none stores what
// such a request reports.
func TestRequiredCertificateHoldsOnEveryServer(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		s.certified(nil, "m")
		s.on(1).certified(nil, "m")
		s.requireCertificate(s.group, true)
		s.on(1).uncertified(nil, "missing", s.checking("m", "1.0.0"))
		s.on(1).uncertified(nil, "missing", s.checking("n", "1.0.0"))
		s.on(1).certified(s.named("m"), "m")
	}, servers(2))
}

// No click cuts off all machines of a server that asks for no certificates.
func TestCertificateIsRequiredOnlyIfTheServerAsksForIt(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		f, err := fleet.New(s.ctx, fleet.Options{Store: s.store, Now: s.clock.Now})
		s.ok(err)
		defer f.Close()
		yes := true
		_, err = f.UpdateGroup(s.ctx, fleet.UpdateGroup{ID: s.group, RequireCertificate: &yes})
		s.refusedField(err, fault.Conflict, "requireCertificate")
		_, err = f.UpdateApplication(s.ctx, fleet.UpdateApplication{ID: s.app, RequireCertificate: &yes})
		s.refusedField(err, fault.Conflict, "requireCertificate")
	})
}
