package server

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/coreroller/coreroller/fleet/notice"
	"github.com/coreroller/coreroller/fleet/quota"
	"github.com/coreroller/coreroller/fleet/upkeep"
)

func TestEachMetricIsDocumentedWithItsLabels(t *testing.T) {
	m := newMetrics()
	m.measureConnections(nil)
	m.measureDatabase(nil, nil)
	m.measureLoad(nil)
	m.measureJobs(nil, nil)
	m.measureAttention(nil, nil)
	m.measureClock(func() float64 { return 0 })
	m.measureMirrors(nil, nil)
	m.measureDisks(nil)
	m.measureSlots(nil)
	m.measureRollouts(nil, nil)
	m.measureStreams(nil)
	m.show("")
	m.countCheckIns(nil)
	m.measureQueues(nil, nil)
	m.measurePools(nil)
	m.measureDownloads(nil)
	m.countDeletions(func() []upkeep.Retained { return make([]upkeep.Retained, 1) })
	m.countRefusals(&quota.Refusals{})
	m.countRefusedRequests(func() map[string]int64 { return map[string]int64{"wrong_path": 0} })
	m.countMessages(func(notice.Count) int64 { return 0 })

	descriptions := make(chan *prometheus.Desc)
	go func() { m.registry.Describe(descriptions); close(descriptions) }()
	has := map[string]string{} // labels by name
	parts := regexp.MustCompile(`^Desc\{fqName: "(coreroller_\w+)", help: ".*", constLabels: \{(.*)\}, variableLabels: \{(.*)\}\}$`)
	for d := range descriptions {
		if p := parts.FindStringSubmatch(d.String()); p != nil {
			labels := strings.FieldsFunc(regexp.MustCompile(`="[^"]*"`).ReplaceAllString(p[2], "")+","+p[3], func(r rune) bool { return r == ',' })
			slices.Sort(labels)
			has[p[1]] = strings.Join(labels, ", ")
		}
	}

	page, err := os.ReadFile("../docs/metrics.md")
	if err != nil {
		t.Fatal(err)
	}
	documented := map[string]string{}
	for _, row := range regexp.MustCompile("(?m)^\\| `(coreroller_\\w+)` \\| (?:counter|gauge|histogram) \\| ([^|]*)\\|").FindAllStringSubmatch(string(page), -1) {
		documented[row[1]] = strings.TrimSpace(strings.ReplaceAll(row[2], "`", ""))
	}
	for name, labels := range has {
		if got, ok := documented[name]; !ok || got != labels {
			t.Errorf("docs/metrics.md has %s with the labels %q (%t), the server has %q", name, got, ok, labels)
		}
	}
	for name := range documented {
		if _, ok := has[name]; !ok {
			t.Errorf("docs/metrics.md has %s, the server does not", name)
		}
	}

	// A metric that this test does not register shows in the source.
	files, err := filepath.Glob("metrics*.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		source, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range regexp.MustCompile(`"(coreroller_\w+[a-z])"`).FindAllStringSubmatch(string(source), -1) {
			if _, ok := has[name[1]]; !ok && !strings.HasSuffix(file, "_test.go") {
				t.Errorf("%s has %s, which this test does not register", file, name[1])
			}
		}
	}
}
