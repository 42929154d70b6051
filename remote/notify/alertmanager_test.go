package notify_test

import (
	"bufio"
	"encoding/json"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/coreroller/coreroller/remote/notify"
)

// startAlertmanager starts Debian's Alertmanager on a free port and returns its URL.
func startAlertmanager(t *testing.T) string {
	t.Helper()
	program, err := exec.LookPath("prometheus-alertmanager")
	if err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal("prometheus-alertmanager is missing: run scripts/install-deps.sh prometheus-alertmanager")
		}
		t.Skip("prometheus-alertmanager is missing: run scripts/install-deps.sh prometheus-alertmanager")
	}
	dir := t.TempDir()
	config := filepath.Join(dir, "alertmanager.yml")
	if err := os.WriteFile(config, []byte("route:\n  receiver: none\nreceivers:\n  - name: none\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := l.Addr().String()
	_ = l.Close()
	cmd := exec.CommandContext(t.Context(), program, "--config.file="+config, "--storage.path="+dir, "--web.listen-address="+address, "--cluster.listen-address=")
	out, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ready := make(chan bool, 1)
	go func() {
		lines := bufio.NewScanner(out)
		for lines.Scan() {
			if strings.Contains(lines.Text(), "Listening on") {
				ready <- true
			}
		}
		ready <- false
		_ = cmd.Wait()
	}()
	select {
	case ok := <-ready:
		if !ok {
			t.Fatal("Alertmanager ended")
		}
	case <-time.After(30 * time.Second):
		t.Fatal("Alertmanager did not start within 30 seconds")
	}
	return "http://" + address
}

func TestAlertmanagerShowsAnAlertUntilItEnds(t *testing.T) {
	t.Parallel()
	base := startAlertmanager(t)
	s := notify.New(notify.Options{To: loopback})
	to := notify.Target{Kind: notify.Alertmanager, URL: base + "/"}
	now := time.Now()
	alert := notify.Alert{
		Labels:      map[string]string{"alertname": "CoreRollerHalted", "severity": "critical", "application": "Flatcar", "group": "stable"},
		Annotations: map[string]string{"summary": "Halted", "description": "3 of 12 failed; next: resume"}, URL: "https://updates.example/apps/1", StartsAt: now.Add(-time.Hour),
	}
	if a := s.SendAlerts(t.Context(), to, []notify.Alert{alert}, now); !a.Delivered() {
		t.Fatalf("answer %+v", a)
	}
	firing := readAlerts(t, base)
	if len(firing) != 1 || firing[0].Labels["alertname"] != "CoreRollerHalted" || firing[0].GeneratorURL != "https://updates.example/apps/1" || firing[0].EndsAt.Sub(now) < 4*notify.AlertEvery {
		t.Fatalf("alerts %+v", firing)
	}
	alert.EndsAt = now
	if a := s.SendAlerts(t.Context(), to, []notify.Alert{alert}, now); !a.Delivered() {
		t.Fatalf("answer %+v", a)
	}
	if left := readAlerts(t, base); len(left) != 0 {
		t.Errorf("alerts after the end %+v", left)
	}
	if a := s.SendAlerts(t.Context(), to, []notify.Alert{{Labels: map[string]string{}}}, now); a.Class != notify.ClassStatus || a.Status != http.StatusBadRequest {
		t.Errorf("an alert without labels: %+v", a)
	}
}

type shownAlert struct {
	Labels       map[string]string
	GeneratorURL string
	EndsAt       time.Time
}

func readAlerts(t *testing.T, base string) (all []shownAlert) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, base+"/api/v2/alerts", http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	if err := json.NewDecoder(resp.Body).Decode(&all); err != nil {
		t.Fatal(err)
	}
	return all
}
