package server

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/coreroller/coreroller/fleet"
)

func TestRebootSlotsAreMeasured(t *testing.T) {
	var failure error
	m := newMetrics()
	m.measureSlots(func(context.Context) ([]fleet.RebootUse, error) {
		return []fleet.RebootUse{{Application: "a", Group: "g", Limit: 5, Held: 2, Overdue: 1}}, failure
	})
	scrape := func() string {
		w := httptest.NewRecorder()
		m.handler().ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/metrics", http.NoBody))
		if w.Code != http.StatusOK {
			t.Errorf("status %d", w.Code)
		}
		return w.Body.String()
	}
	text := scrape()
	for name, value := range map[string]string{"limit": "5", "held": "2", "overdue": "1"} {
		if want := `coreroller_reboot_slots_` + name + `{application="a",group="g"} ` + value + "\n"; !strings.Contains(text, want) {
			t.Errorf("no line %s in\n%s", want, text)
		}
	}
	failure = errors.New("no connection")
	if text := scrape(); strings.Contains(text, "coreroller_reboot_slots_held{") || !strings.Contains(text, "go_goroutines") {
		t.Errorf("without a database:\n%s", text)
	}
}
