// Package packaging checks the files that install CoreRoller with the libraries and
// programs of the systems that read them. It is a module of its own, because these
// libraries must not become modules of the server.
package packaging

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// systemd accepts the unit without a warning, and counts how much a compromised server
// could reach: 0.0 nothing, 10.0 all. A web server without settings has 9.6.
func TestSystemdUnitIsHardened(t *testing.T) {
	text, err := os.ReadFile("systemd/coreroller.service")
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
