package client

import (
	"context"
	"crypto/x509"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/coreroller/coreroller/client/api"
)

func TestFindingsHaveLevelsAndFixes(t *testing.T) {
	now := time.Date(2026, 12, 1, 12, 0, 0, 0, time.UTC)
	certificate := func(left time.Duration) *x509.Certificate {
		return &x509.Certificate{NotAfter: now.Add(left), DNSNames: []string{"updates.example.com"}}
	}
	const day = 24 * time.Hour
	for _, c := range []struct {
		name string
		got  Finding
		want Level
		text string
	}{
		{"certificate", certificateFinding(certificate(85*day), now), Fine, "valid until 2027-02-24, 85 days"},
		{"certificate that ends", certificateFinding(certificate(20*day), now), Warning, "20 days"},
		{"same clock", clockFinding(now.Add(time.Second), now, now.Add(2*time.Second)), Fine, "agrees"},
		{"slow answer", clockFinding(now.Add(50*time.Second), now, now.Add(time.Minute)), Fine, "agrees"},
		{"clock ahead", clockFinding(now.Add(3*time.Minute), now, now), Warning, "3m0s ahead of"},
		{"clock behind", clockFinding(now.Add(-time.Hour), now, now), Warning, "1h0m0s behind"},
		{"database", databaseFindings("POSTGRESQL", healthOf{DatabaseLatency: "PT0.000612S", WaitingCheckInLimit: 100})[0], Fine, "postgresql, answers in 610µs"},
		{"slow database", databaseFindings("SQLITE", healthOf{DatabaseLatency: "PT1M2S", WaitingCheckInLimit: 100})[0], Warning, "PT1M2S"},
		{"full lane", databaseFindings("SQLITE", healthOf{DatabaseLatency: "PT0S", WaitingCheckIns: 60, WaitingCheckInLimit: 100})[1], Warning, "60 check-ins wait"},
		{"jobs", jobFindings(healthOf{})[0], Fine, "without errors"},
		{"failing job", jobFindings(healthOf{Jobs: []struct{ Name, LastError string }{{"a", ""}, {"end leases", "disk full"}}})[0], Failed, "end leases: disk full"},
	} {
		if c.got.Level != c.want || !strings.Contains(c.got.Text, c.text) || (c.got.Fix == "") != (c.want == Fine) {
			t.Errorf("%s: %+v", c.name, c.got)
		}
	}
}

func TestRemediesNameTheGroup(t *testing.T) {
	s := &session{Server: &api.Server{URL: "http://x"}}
	group, app := &named{ID: "g"}, &named{ID: "a"}
	for kind, want := range map[string]string{
		"HALTED":           "run coreroller rollback g --to VERSION, or coreroller resume g, or open http://x/apps/a/groups/g",
		"STALLED":          "open http://x/apps/a/groups/g",
		"DEFAULT_PASSWORD": "sign in as this user and change it: http://x/account/password",
	} {
		if got := s.remedy(attention{Kind: kind, Group: group, Application: app}); got != want {
			t.Errorf("%s: %s", kind, got)
		}
	}
	if got := s.remedy(attention{Kind: "HALTED"}); got != "open http://x/" {
		t.Error(got)
	}
}

func TestChecksThatCannotLookAreFindings(t *testing.T) {
	answer := func(f []Finding, err error) func(context.Context, *session) ([]Finding, error) {
		return func(context.Context, *session) ([]Finding, error) { return f, err }
	}
	good := check{"good", answer([]Finding{{Level: Fine, Text: "x"}}, nil)}
	broken := check{"broken", answer(nil, errors.New("no route"))}
	forbidden := check{"forbidden", answer(nil, &api.Problem{Code: api.Forbidden, Message: "needs the role admin"})}
	s := &session{Server: &api.Server{}}
	all := s.examine(t.Context(), []check{good, broken, forbidden, good})
	if len(all) != 4 || all[1] != (Finding{"broken", Failed, "no route", ""}) || all[2].Level != Note || !strings.Contains(all[2].Text, "not checked: needs the role") {
		t.Errorf("%+v", all)
	}
	if all := s.examine(t.Context(), []check{broken, good}); len(all) != 1 {
		t.Errorf("checks ran without a server: %+v", all)
	}
}
