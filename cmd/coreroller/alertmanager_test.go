package main

import (
	"bufio"
	"encoding/json"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/coreroller/coreroller/remote/notify"
)

// startAlertmanager starts Debian's Alertmanager on a free port and returns its URL.
func startAlertmanager(t *testing.T) string {
	t.Helper()
	program := lookFor(t, "prometheus-alertmanager", "prometheus-alertmanager")
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

// A halt is an alert of a real Alertmanager, which ends with the halt.
func TestAlertmanagerShowsAHaltUntilItEnds(t *testing.T) {
	base := startAlertmanager(t)
	p := startNotifying(t, Notify{PublicURL: "https://updates.example/"})
	k := newTestGroup(t, p.fleet, p.store, fastPolicy(1))
	k.promote(t)
	r := remoteUser(t, p, "admin")
	r.run(0, []string{"webhook", "create", "alerts", "--kind", "alertmanager", "--url", base, "--group", "production"}, "sends to "+base)
	r.run(0, []string{"halt", "production", "--reason", "kernel panics"})
	halts := func() []shownAlert {
		return slices.DeleteFunc(readAlerts(t, base), func(a shownAlert) bool { return a.Labels["alertname"] != "CoreRollerHalted" })
	}
	eventually(t, "the halt is firing", func() bool { return len(halts()) == 1 })
	a := halts()[0]
	if a.Labels["application"] != "OS" || a.Labels["group"] != trackName || a.Labels["severity"] != "critical" ||
		a.GeneratorURL != "https://updates.example/apps/"+k.app.String()+"/groups/"+k.group.String() || !strings.Contains(a.Annotations["description"], "kernel panics; next: ") {
		t.Errorf("alert %+v", a)
	}
	if left := time.Until(a.EndsAt); left < 4*notify.AlertEvery {
		t.Errorf("it ends in %s unless it is sent again, which is too soon", left)
	}
	r.run(0, []string{"resume", "production", "--reason", "repaired"})
	eventually(t, "the halt is resolved", func() bool { return len(halts()) == 0 })
}

// eventually waits until a condition holds.
func eventually(t *testing.T, what string, is func() bool) {
	t.Helper()
	look := time.NewTicker(20 * time.Millisecond)
	defer look.Stop()
	late := time.After(30 * time.Second)
	for !is() {
		select {
		case <-look.C:
		case <-late:
			t.Fatalf("30 seconds passed before %s", what)
		}
	}
}

type shownAlert struct {
	Labels       map[string]string
	Annotations  map[string]string
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
