package main

import (
	"encoding/json"
	"os"
	"regexp"
	"strings"
	"testing"
)

// panel is a panel of the dashboard for Grafana.
type panel struct {
	ID         int
	Type       string
	Title      string
	GridPos    struct{ X, Y, W, H int }
	Datasource struct{ UID string }
	Targets    []struct{ Expr, LegendFormat string }
}

func readPanels(t *testing.T) []panel {
	t.Helper()
	text, err := os.ReadFile("../../docs/monitoring/dashboard.json")
	if err != nil {
		t.Fatal(err)
	}
	var dashboard struct{ Panels []panel }
	if err := json.Unmarshal(text, &dashboard); err != nil {
		t.Fatal(err)
	}
	if len(dashboard.Panels) < 20 {
		t.Fatalf("%d panels", len(dashboard.Panels))
	}
	return dashboard.Panels
}

// Panels do not overlap, and have titles and ids of their own.
func TestPanelsOfTheDashboardAreApart(t *testing.T) {
	ids, cells := map[int]string{}, map[[2]int]string{}
	for _, p := range readPanels(t) {
		if p.Title == "" || ids[p.ID] != "" || p.Type != "row" && (p.Datasource.UID != "${datasource}" || len(p.Targets) == 0) {
			t.Errorf("panel %+v, the same id as %q", p, ids[p.ID])
		}
		ids[p.ID] = p.Title
		for x := p.GridPos.X; x < p.GridPos.X+p.GridPos.W; x++ {
			for y := p.GridPos.Y; y < p.GridPos.Y+p.GridPos.H; y++ {
				if other := cells[[2]int{x, y}]; other != "" || x >= 24 {
					t.Fatalf("%q is over %q, or too wide", p.Title, other)
				}
				cells[[2]int{x, y}] = p.Title
			}
		}
	}
}

// mayBeEmpty are panels without data while nothing is wrong, or while what they are about
// is not used, with the job that has the data in the test of the alerts.
var mayBeEmpty = map[string]string{
	"Failing jobs": "coreroller-cut", "Messages": "coreroller-faulty", "Reboot slots": "coreroller-faulty", "Age of mirrors": "",
	"Updated share": "coreroller-faulty", "Failed updates": "coreroller-faulty", "Updates in flight": "coreroller-faulty",
}

// checkPanels sends the expressions of all panels to Prometheus, as Grafana does. Each has
// data, and each label of a legend is one of the series.
func checkPanels(t *testing.T, m *prometheus) {
	t.Helper()
	label := regexp.MustCompile(`\{\{(\w+)\}\}`)
	for _, p := range readPanels(t) {
		job, ok := mayBeEmpty[p.Title]
		if !ok {
			job = "coreroller-healthy"
		}
		for _, target := range p.Targets {
			expression := strings.NewReplacer("$job", job, "$__rate_interval", "1m").Replace(target.Expr)
			if job != "" {
				expression = "last_over_time((" + expression + ")[1m:1s])" // a fault may be over
			}
			series := m.query(expression)
			if len(series) == 0 && job != "" {
				t.Errorf("the panel %q has no data: %s", p.Title, expression)
			}
			for _, name := range label.FindAllStringSubmatch(target.LegendFormat, -1) {
				if len(series) > 0 && series[0][name[1]] == "" {
					t.Errorf("the panel %q has no label %s: %v", p.Title, name[1], series[0])
				}
			}
		}
	}
}
