package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// prometheus is a real one with the alert rules of docs/monitoring. It reads the metrics
// each second, and each alert fires after a second instead of its minutes.
type prometheus struct {
	t    *testing.T
	base string
}

// metricsToken is what the server asks for that has a token.
const metricsToken = "0123456789abcdef"

// lookFor returns a program of Debian's packages.
func lookFor(t *testing.T, program, debian string) string {
	t.Helper()
	path, err := exec.LookPath(program)
	if err != nil {
		missing := program + " is missing: run scripts/install-deps.sh " + debian
		if os.Getenv("CI") != "" {
			t.Fatal(missing)
		}
		t.Skip(missing)
	}
	return path
}

// startPrometheus reads the metrics of the targets, each under the name of a job.
func startPrometheus(t *testing.T, targets map[string]string) *prometheus {
	t.Helper()
	program, dir := lookFor(t, "prometheus", "prometheus"), t.TempDir()
	rules, err := os.ReadFile(alertRules)
	if err != nil {
		t.Fatal(err)
	}
	config := "global:\n  scrape_interval: 1s\n  scrape_timeout: 1s\n  evaluation_interval: 500ms\nrule_files: [alerts.yml]\nscrape_configs:\n"
	for job, target := range targets {
		config += fmt.Sprintf("  - job_name: %s\n    static_configs: [{ targets: [%q] }]\n    authorization: { credentials: %s }\n", job, target, metricsToken)
	}
	for name, text := range map[string]string{
		"prometheus.yml": config, "alerts.yml": regexp.MustCompile(`(?m)^( +for:) .*$`).ReplaceAllString(string(rules), "$1 1s"),
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	address := freeAddress(t)
	log, err := os.Create(filepath.Join(dir, "log"))
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), program, "--config.file="+filepath.Join(dir, "prometheus.yml"), "--storage.tsdb.path="+filepath.Join(dir, "data"), "--web.listen-address="+address)
	cmd.Stderr = log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() { _ = cmd.Wait(); close(ended) }()
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		<-ended
		_ = log.Close()
		if text, err := os.ReadFile(log.Name()); t.Failed() && err == nil {
			t.Logf("%s", text)
		}
	})
	p := &prometheus{t, "http://" + address}
	eventually(t, "Prometheus is ready", func() bool {
		r, err := http.Get(p.base + "/-/ready")
		if err != nil {
			return false
		}
		_ = r.Body.Close()
		return r.StatusCode == http.StatusOK
	})
	return p
}

func (p *prometheus) get(path string, values url.Values, to any) {
	p.t.Helper()
	r, err := http.Get(p.base + path + "?" + values.Encode())
	if err != nil {
		p.t.Fatal(err)
	}
	defer func() { _ = r.Body.Close() }()
	var answer struct {
		Status, Error string
		Data          json.RawMessage
	}
	if err := json.NewDecoder(r.Body).Decode(&answer); err != nil || answer.Status != "success" {
		p.t.Fatalf("%s %s: %v %s", path, values, err, answer.Error)
	}
	if err := json.Unmarshal(answer.Data, to); err != nil {
		p.t.Fatal(err)
	}
}

// query returns the labels of the series of an expression.
func (p *prometheus) query(expression string) (series []map[string]string) {
	p.t.Helper()
	var answer struct {
		Result []struct{ Metric map[string]string }
	}
	p.get("/api/v1/query", url.Values{"query": {expression}}, &answer)
	for _, one := range answer.Result {
		series = append(series, one.Metric)
	}
	return series
}

// fired returns the alerts that have fired, by name and job, since the start.
func (p *prometheus) fired() map[string]bool {
	p.t.Helper()
	all := map[string]bool{}
	for _, labels := range p.query(`count by (alertname, job) (max_over_time(ALERTS{alertstate="firing"}[1h]))`) {
		all[labels["alertname"]+" of "+labels["job"]] = true
	}
	return all
}

// rule is an alert as Prometheus has read it.
type rule struct {
	Name        string
	Query       string
	Health      string
	LastError   string
	Annotations map[string]string
	Labels      map[string]string
}

func (p *prometheus) rules() (all []rule) {
	p.t.Helper()
	var answer struct{ Groups []struct{ Rules []rule } }
	p.get("/api/v1/rules", nil, &answer)
	for _, g := range answer.Groups {
		all = append(all, g.Rules...)
	}
	return all
}

// metricsOf is the address of the metrics of a server.
func metricsOf(p *Program) string {
	one := p.part("listen-metrics")
	if one == nil {
		one = p.part("listen")
	}
	return strings.TrimPrefix(p.urlOf(one), "http://")
}
