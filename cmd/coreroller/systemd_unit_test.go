package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/goccy/go-yaml"

	"github.com/coreroller/coreroller/store"
)

const packagingFiles = "../../scripts/packaging/"

// systemd accepts the unit without a warning, and counts how much a compromised server
// could reach: 0.0 nothing, 10.0 all. A web server without settings has 9.6.
func TestSystemdUnitIsHardened(t *testing.T) {
	text, err := os.ReadFile(packagingFiles + "systemd/coreroller.service")
	if err != nil {
		t.Fatal(err)
	}
	// The program and its manual are not installed here; debian/test.sh checks the installed unit.
	unit := strings.Replace(string(text), "ExecStart=/usr/bin/coreroller", "ExecStart=/bin/true", 1)
	file := filepath.Join(t.TempDir(), "coreroller.service")
	analyze := func(unit string, args ...string) (string, error) {
		t.Helper()
		if err := os.WriteFile(file, []byte(unit), 0o600); err != nil {
			t.Fatal(err)
		}
		out, err := exec.CommandContext(t.Context(), "systemd-analyze", append(args, file)...).CombinedOutput()
		return string(out), err
	}
	if out, err := analyze(unit, "verify", "--man=no"); err != nil || out != "" {
		t.Errorf("verify: %v\n%s", err, out)
	}
	if out, err := analyze(unit, "security", "--offline=true", "--no-pager", "--threshold=13"); err != nil {
		t.Errorf("exposure above 1.3: %v\n%s", err, out)
	}
	for _, line := range []string{"ProtectSystem=strict", "PrivateUsers=yes", "SystemCallFilter=@system-service"} {
		if _, err := analyze(strings.Replace(unit, line+"\n", "", 1), "security", "--offline=true", "--no-pager", "--threshold=13"); err == nil {
			t.Errorf("without %s the exposure is the same", line)
		}
	}
	if out, err := analyze(unit+"Nonsense=yes\n", "verify", "--man=no"); err == nil && out == "" {
		t.Error("verify accepts an unknown setting")
	}
}

// Service managers kill a server later than it needs to stop with the default flags: the delay,
// requests in flight, and a last commit that the database does not answer.
func TestServiceManagersWaitForTheStop(t *testing.T) {
	need := defaultStopWithin + store.DefaultAnswerWithin
	read := func(name string) []byte {
		t.Helper()
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
	duration := func(text string) time.Duration {
		t.Helper()
		d, err := time.ParseDuration(text)
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	_, line, _ := strings.Cut(string(read(packagingFiles+"systemd/coreroller.service")), "\nTimeoutStopSec=")
	line, _, _ = strings.Cut(line, "\n")
	if d := duration(line); d < need+5*time.Second {
		t.Errorf("systemd kills the server after %s, which needs %s", d, need)
	}

	var compose struct {
		Server struct {
			StopGracePeriod string            `yaml:"stop_grace_period"`
			Environment     map[string]string `yaml:"environment"`
		} `yaml:"x-server"`
	}
	if err := yaml.Unmarshal(read("../../docker-compose.yml"), &compose); err != nil {
		t.Fatal(err)
	}
	delay := duration(compose.Server.Environment["COREROLLER_STOP_DELAY"])
	if d := duration(compose.Server.StopGracePeriod); delay <= 4*time.Second || d < delay+need+5*time.Second {
		t.Errorf("compose kills the server after %s, which needs %s and %s", d, delay, need)
	}

	var chart struct {
		StopDelay   int `yaml:"stopDelaySeconds"`
		GracePeriod int `yaml:"terminationGracePeriodSeconds"`
	}
	if err := yaml.Unmarshal(read(packagingFiles+"helm/coreroller/values.yaml"), &chart); err != nil {
		t.Fatal(err)
	}
	if d := time.Duration(chart.GracePeriod-chart.StopDelay) * time.Second; chart.StopDelay == 0 || d < need+5*time.Second {
		t.Errorf("the chart's pods are killed %s after the delay, and need %s", d, need)
	}
}
