package server

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/coreroller/coreroller/fleet"
	"github.com/coreroller/coreroller/fleet/upkeep"
	"github.com/coreroller/coreroller/store"
)

func TestMirrorsAreMeasured(t *testing.T) {
	now := time.Date(2026, 3, 2, 10, 0, 0, 0, time.UTC)
	success := now.Add(-90 * time.Minute)
	m := newMetrics()
	m.measureMirrors(func() []fleet.MirrorState {
		return []fleet.MirrorState{
			{Upstream: "u", Channel: "c", Track: `of "hq"`, Arch: "arm64", LastSuccess: &success, Failures: 3},
			{Upstream: "u", Channel: "d", Track: "new", Arch: "amd64"},
		}
	}, func() time.Time { return now })
	w := httptest.NewRecorder()
	m.handler().ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/metrics", http.NoBody))
	for _, want := range []string{
		`coreroller_mirror_last_success_age_seconds{arch="arm64",channel="c",track="of \"hq\"",upstream="u"} 5400`,
		`coreroller_mirror_failures{arch="arm64",channel="c",track="of \"hq\"",upstream="u"} 3`,
		`coreroller_mirror_failures{arch="amd64",channel="d",track="new",upstream="u"} 0`,
	} {
		if !strings.Contains(w.Body.String(), want+"\n") {
			t.Errorf("no line %s in\n%s", want, w.Body)
		}
	}
	if strings.Contains(w.Body.String(), `age_seconds{arch="amd64"`) {
		t.Error("a mirror that never succeeded has an age")
	}
}

func TestDeletionsAreMeasured(t *testing.T) {
	m, one := newMetrics(), upkeep.Retained{Period: store.Period{Name: "history"}, Deleted: 5000, Behind: time.Hour}
	m.countDeletions(func() []upkeep.Retained { return []upkeep.Retained{one} })
	one.Deleted, one.Behind = 5003, 0
	w := httptest.NewRecorder()
	m.handler().ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/metrics", http.NoBody))
	for _, want := range []string{`coreroller_retention_deleted_rows_total{records="history"} 5003`, `coreroller_retention_behind_seconds{records="history"} 0`} {
		if !strings.Contains(w.Body.String(), want+"\n") {
			t.Errorf("no line %s in\n%s", want, w.Body)
		}
	}
}
