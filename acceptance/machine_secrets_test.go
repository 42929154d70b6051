package acceptance

import (
	"bytes"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/coreroller/coreroller/ent/db"
	"github.com/coreroller/coreroller/fleet"
	"github.com/coreroller/coreroller/fleet/catalog"
	"github.com/coreroller/coreroller/fleet/fault"
	"github.com/coreroller/coreroller/fleet/quota"
	"github.com/coreroller/coreroller/omaha"
	"github.com/coreroller/coreroller/rollout"
)

// secret makes a secret of the application, or of a group.
func (s *site) secret(name string, change func(in *fleet.CreateMachineSecret)) (string, *db.MachineSecret) {
	s.t.Helper()
	in := fleet.CreateMachineSecret{ApplicationID: &s.app, Name: name, Purpose: catalog.PurposeIdentify}
	change(&in)
	made, err := s.CreateMachineSecret(s.ctx, in)
	s.ok(err)
	return made.Text, made.Secret
}

func ofApplication(*fleet.CreateMachineSecret) {}

func ofGroup(id uuid.UUID) func(*fleet.CreateMachineSecret) {
	return func(in *fleet.CreateMachineSecret) { in.ApplicationID, in.GroupID = nil, &id }
}

func enrolls(in *fleet.CreateMachineSecret) { in.Purpose = catalog.PurposeEnroll }

func (s *site) require(group uuid.UUID, is bool) {
	s.t.Helper()
	_, err := s.UpdateGroup(s.ctx, fleet.UpdateGroup{ID: group, RequireSecret: &is})
	s.ok(err)
}

// sends posts a check of a machine with a secret in the path and returns the status.
func (s *site) sends(secret, machine, version string) *answer {
	s.t.Helper()
	return s.post("/v1/update/"+secret, document(s.checking(machine, version)))
}

func (s *site) served(secret, machine string) {
	s.t.Helper()
	if a := s.sends(secret, machine, "2.0.0"); a.code != http.StatusOK || a.Apps[0].Status != "ok" {
		s.t.Errorf("%q is answered %d %+v, want an answer", secret, a.code, a.Apps)
	}
}

func (s *site) forbidden(secret, reason string) {
	s.t.Helper()
	before := s.Machines.RefusedRequests()["machine_secret_"+reason]
	if a := s.sends(secret, "m", "2.0.0"); a.code != http.StatusForbidden {
		s.t.Errorf("%q is answered %d, want 403", secret, a.code)
	}
	if n := s.Machines.RefusedRequests()["machine_secret_"+reason]; n != before+1 {
		s.t.Errorf("%d requests refused as %s, want %d", n, reason, before+1)
	}
}

func TestRequestsNeedARightSecretWhereOneIsRequired(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		yes := true
		_, err := s.UpdateGroup(s.ctx, fleet.UpdateGroup{ID: s.group, RequireSecret: &yes})
		s.refusedField(err, fault.Conflict, "requireSecret")
		s.served("crm_unknown", "m") // none is required
		end := s.clock.Now().Add(time.Hour)
		first, row := s.secret("first", ofApplication)
		short, _ := s.secret("short", func(in *fleet.CreateMachineSecret) { in.ExpiresAt = &end })
		other := s.newGroup("H", "h", casePolicy())
		foreign, _ := s.secret("foreign", ofGroup(other))
		own, _ := s.secret("own", ofGroup(s.group))
		s.served("", "m")
		s.require(s.group, true)
		s.forbidden("", "missing")
		s.forbidden("crm_unknown", "unknown")
		s.forbidden(foreign, "unknown")
		for _, right := range []string{first, short, own, own + "/"} {
			s.served(right, "m")
		}
		second, _ := s.secret("second", ofApplication) // both are right while machines change
		s.served(first, "m")
		s.served(second, "m")
		_, err = s.RevokeMachineSecret(s.ctx, fleet.RevokeMachineSecret{ID: row.ID})
		s.ok(err)
		s.forbidden(first, "revoked")
		s.served(second, "m")
		s.advance(time.Hour)
		s.forbidden(short, "expired")
		s.require(s.group, false)
		s.served("", "m")
		s.served(first, "m")

		_, err = s.UpdateApplication(s.ctx, fleet.UpdateApplication{ID: s.app, RequireSecret: &yes})
		s.ok(err)
		s.forbidden("", "missing")
		s.served(second, "m")
		rows := s.refusedRows()
		for _, r := range rows {
			if r.App != s.app.String() || r.Track != "t" {
				t.Errorf("refused %+v, want what it named", r)
			}
		}
		if a := s.post("/v1/update/wrong", document(s.checking("m", "2.0.0"))); a.code != http.StatusNotFound {
			t.Errorf("another path is answered %d", a.code)
		}
	})
}

// A program sends its secret in a header. One of several applications of a request can
// be refused alone.
func TestSecretInAHeaderAndSeveralApplications(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		text, _ := s.secret("header", ofGroup(s.group))
		s.require(s.group, true)
		s.newGroup("H", "h", casePolicy())
		free := s.checking("n", "2.0.0")
		free.track = "h"
		send := func(header string) *answer {
			r := httptest.NewRequest(http.MethodPost, "/omaha", strings.NewReader(document(s.checking("m", "2.0.0"), free)))
			r.Header.Set("Authorization", header)
			a, err := serve(s.handler, r)
			s.ok(err)
			return a
		}
		for header, want := range map[string]string{"Bearer " + text: "ok", "bearer " + text: "ok", "Bearer crm_other": "error-secret", "Basic " + text: "error-secret"} {
			if a := send(header); a.code != http.StatusOK || a.Apps[0].Status != want || a.Apps[0].Check.Status != "noupdate" || a.Apps[1].Status != "ok" {
				t.Errorf("%.12s is answered %d %+v, want %s and ok", header, a.code, a.Apps, want)
			}
		}
		if n := s.numbers().Total; n != 1 {
			t.Errorf("%d machines in the group, want 1", n)
		}
	})
}

// A client without the secret of a group can neither take its machines out of it by
// naming another group, nor report for them. A person can move them.
func TestNamingAnotherGroupNeedsTheSecretOfTheFirst(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		text, _ := s.secret("own", ofGroup(s.group))
		other := s.newGroup("H", "h", casePolicy())
		s.require(s.group, true)
		s.served(text, "m")
		leave := s.checking("m", "2.0.0")
		leave.track = "h"
		if a := s.post("/v1/update/", document(leave)); a.code != http.StatusForbidden {
			t.Errorf("a machine of a protected group is answered %d without its secret", a.code)
		}
		if g := s.instance("m").GroupID; *g != s.group {
			t.Error("the machine left its group")
		}
		_, err := s.MoveInstance(s.ctx, fleet.MoveInstance{ID: s.instanceID("m"), GroupID: &other})
		s.ok(err)
		s.served(text, "m")
		if g := s.instance("m").GroupID; *g != other {
			t.Error("the machine was not moved")
		}
		if a := s.post("/v1/update/"+text, document(leave)); a.code != http.StatusOK {
			t.Errorf("the moved machine is answered %d", a.code)
		}
	})
}

// After the commit of a revocation no request with the secret is served, on any server.
func TestRevocationHoldsOnEveryServer(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		text, row := s.secret("first", ofApplication)
		s.require(s.group, true)
		other := s.on(1)
		_, err := s.RevokeMachineSecret(s.ctx, fleet.RevokeMachineSecret{ID: row.ID})
		s.ok(err)
		if a := other.sends(text, "m", "1.0.0"); a.code != http.StatusForbidden {
			t.Errorf("another server answers %d", a.code)
		}
	}, servers(2))
}

func TestSecretIsKeptAsAHashAndItsUseWritten(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		text, row := s.secret("first", ofApplication)
		if !strings.HasPrefix(text, "crm_") || len(text) != 30 || row.LastFour != text[26:] || row.LastUsedAt != nil {
			t.Errorf("secret %q is %+v", text, row)
		}
		_, err := s.CreateMachineSecret(s.ctx, fleet.CreateMachineSecret{ApplicationID: &s.app, Name: "first", Purpose: catalog.PurposeIdentify})
		s.refusedField(err, fault.Conflict, "name")
		past := s.clock.Now()
		_, err = s.CreateMachineSecret(s.ctx, fleet.CreateMachineSecret{ApplicationID: &s.app, Name: "x", Purpose: catalog.PurposeIdentify, ExpiresAt: &past})
		s.refusedField(err, fault.Invalid, "expiresAt")
		first := s.clock.Now()
		used := func(want time.Time) {
			t.Helper()
			s.served(text, "m")
			s.work()
			rows, err := s.View.ApplicationSecrets(s.ctx, s.app)
			s.ok(err)
			if len(rows) != 1 || rows[0].LastUsedAt == nil || !rows[0].LastUsedAt.Equal(want) {
				t.Errorf("secrets %+v, want used at %s", rows, want)
			}
		}
		used(first)
		s.advance(59 * time.Second)
		used(first)
		s.advance(time.Second)
		used(s.clock.Now())
	})
}

// The log has no secret, not even of requests that are refused.
func TestSecretIsInNoLog(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		text, row := s.secret("first", ofApplication)
		s.require(s.group, true)
		var log bytes.Buffer
		settings := slog.New(slog.NewJSONHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
		f, err := fleet.New(s.ctx, fleet.Options{Store: s.store, Now: s.clock.Now, Log: settings})
		s.ok(err)
		defer f.Close()
		mux := http.NewServeMux()
		omaha.NewHandler(f.Machines, omaha.Options{Now: s.clock.Now, Log: settings}).Mount(mux)
		send := func(path, body string) {
			_, err := serve(mux, httptest.NewRequest(http.MethodPost, path, strings.NewReader(body)))
			s.ok(err)
		}
		send("/v1/update/"+text, document(s.checking("m", "2.0.0")))
		send("/v1/update/"+text+"/more", document(s.checking("m", "2.0.0")))
		send("/v1/update/"+text, "no request")
		_, err = f.RevokeMachineSecret(s.ctx, fleet.RevokeMachineSecret{ID: row.ID})
		s.ok(err)
		send("/v1/update/"+text, document(s.checking("m", "2.0.0")))
		s.ok(f.Machines.FlushRefused(s.ctx))
		for _, r := range s.refusedRows() {
			fmt.Fprintf(&log, "%+v\n", r)
		}
		if !strings.Contains(log.String(), "machine_secret_revoked") || !strings.Contains(log.String(), "unreadable") {
			t.Errorf("the log has no refused request: %s", log.String())
		}
		if strings.Contains(log.String(), text) || strings.Contains(log.String(), text[4:]) {
			t.Errorf("the log has the secret: %s", log.String())
		}
	})
}

// A secret for enrolment enrolls machines that send it, also one that was held before.
func TestSecretEnrollsMachines(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		text, row := s.secret("racks", enrolls)
		identify, _ := s.secret("own", ofApplication)
		s.holds("m", "1.0.0", "not_enrolled")
		s.holds("m", "1.0.0", "not_enrolled") // from the cache
		if a := s.sends(identify, "m", "1.0.0"); a.Apps[0].Check.Info != "not_enrolled" {
			t.Errorf("answered %+v", a.Apps)
		}
		for _, m := range []string{"m", "new"} {
			if a := s.sends(text, m, "1.0.0"); a.Apps[0].Check.Status != "ok" {
				t.Errorf("%s is answered %+v, want an update", m, a.Apps)
			}
			if !s.instance(m).Enrolled {
				t.Errorf("%s is not enrolled", m)
			}
		}
		if h := s.history("new"); len(h) == 0 || !strings.Contains(h[len(h)-1].Detail+h[0].Detail, `enrolled by the secret "racks"`) {
			t.Errorf("history %+v", h)
		}
		_, err := s.RevokeMachineSecret(s.ctx, fleet.RevokeMachineSecret{ID: row.ID})
		s.ok(err)
		if a := s.sends(text, "late", "1.0.0"); a.Apps[0].Check.Info != "not_enrolled" {
			t.Errorf("a revoked secret: %+v", a.Apps)
		}
	}, withPolicy(func(p *rollout.Policy) { p.EnrolledOnly = true }))
}

// One host that makes up machines takes no slot, is in no evidence and halts nothing in
// a group with enrolled machines only. Quotas bound what it makes the server store.
func TestHostile_MadeUpMachinesCountNotWhereOnlyEnrolledOnesUpdate(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		s.enroll("own")
		for i := range 12 {
			m := fmt.Sprint("made-up ", i)
			s.check(m, "1.0.0", "13/1", "3/0 10")
			s.check(m, "1.0.0", "3/0 44")
		}
		if n := s.numbers().Total; n != 10 {
			t.Errorf("%d machines, want the ten of the quota", n)
		}
		r := s.rolloutOf(s.group)
		if r.State != rollout.RolloutActive || r.Evidence != (rollout.Counts{}) || r.Newcomers.Evidence != (rollout.Counts{}) {
			t.Errorf("rollout %+v", r)
		}
		s.inFlight(0)
		s.advance(2 * time.Minute)
		s.grants("own", "1.0.0", "2.0.0")
		s.updates("own", "1.0.0", "2.0.0")
		s.rolloutIs(rollout.RolloutCompleted)
		s.recount()
	}, withPolicy(func(p *rollout.Policy) {
		p.EnrolledOnly, p.SafeMode, p.HaltFailureShare, p.HaltMinAttempts = true, true, 0.2, 1
	}), quotas(quota.Quotas{NewMachinesPerAddress: 10}))
}

// What it does not prevent: in a group for all machines, without known ones, a host that
// makes up machines halts the rollout.
func TestHostile_MadeUpMachinesHaltAGroupOfUnknownMachines(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		s.grants("made-up", "1.0.0", "2.0.0")
		s.reports("made-up", "1.0.0", "13/1", "3/0 10")
		s.rolloutIs(rollout.RolloutHalted)
	}, withPolicy(func(p *rollout.Policy) { p.SafeMode = true }))
}

// A client that knows the id of an enrolled machine acts as that machine, unless the
// group also requires a secret.
func TestHostile_IdOfAnEnrolledMachineNeedsASecretToo(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		s.enroll("own")
		text, _ := s.secret("own", ofApplication)
		s.grants("own", "1.0.0", "2.0.0") // by any client
		s.require(s.group, true)
		if a := s.post("/v1/update/", document(s.checking("own", "1.0.0", "3/0 10"))); a.code != http.StatusForbidden {
			t.Errorf("answered %d", a.code)
		}
		s.rolloutIs(rollout.RolloutActive)
		s.served(text, "own")
	}, withPolicy(func(p *rollout.Policy) { p.EnrolledOnly, p.SafeMode = true, true }))
}
