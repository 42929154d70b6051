package rollout

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "rewrite the expected answers in testdata")

// TestScripts runs testdata/*.txt. A line that starts with "> " is a command, the
// lines after it are its expected output, "#" starts a comment. Run with -update
// to rewrite the output, then review the difference. The commands are
// in script_commands_test.go.
func TestScripts(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("no scripts: %v", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			got := play(t, string(text))
			if got == string(text) {
				return
			}
			if *update {
				if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			t.Error(firstDifference(string(text), got))
		})
	}
}

// play returns the script with the current output of the engine. Every line "---"
// starts a new world.
func play(t *testing.T, text string) string {
	var out strings.Builder
	var s *script
	answered := false // lines are old answers until the next command, comment or blank line
	for line := range strings.Lines(text) {
		trimmed := strings.TrimSuffix(line, "\n")
		switch {
		case trimmed == "---":
			s, answered = nil, false
		case trimmed == "" || strings.HasPrefix(trimmed, "#"):
			answered = false
		case strings.HasPrefix(trimmed, "> "):
			if s == nil {
				s = &script{rig: newRig(t, acceptancePolicy())}
			}
			out.WriteString(line)
			out.WriteString(s.command(trimmed[2:]))
			answered = true
			continue
		case answered:
			continue
		}
		out.WriteString(line)
	}
	return out.String()
}

func firstDifference(want, got string) string {
	w, g := strings.Split(want, "\n"), strings.Split(got, "\n")
	command := ""
	for i := range g {
		if strings.HasPrefix(g[i], "> ") {
			command = g[i]
		}
		if i >= len(w) || w[i] != g[i] {
			expected := "(end)"
			if i < len(w) {
				expected = w[i]
			}
			return "line " + itoa(i+1) + ", after " + command + "\nwant: " + expected + "\ngot:  " + g[i]
		}
	}
	return "the script expects more output after " + command
}
