package main

import (
	"bufio"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// shell is a terminal of a reader of the documentation.
type shell struct {
	t   *testing.T
	in  io.Writer
	out *bufio.Reader
}

// startShell starts bash in a folder. It ends at the first command that fails.
func startShell(t *testing.T, folder string) *shell {
	t.Helper()
	bash := exec.CommandContext(t.Context(), "bash", "-eu")
	bash.Dir, bash.Env = folder, []string{"PATH=" + os.Getenv("PATH"), "HOME=" + folder}
	in, err := bash.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := bash.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	bash.Stderr = bash.Stdout
	if err := bash.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = in.Close()
		_ = bash.Wait()
	})
	return &shell{t, in, bufio.NewReader(out)}
}

// run pastes text and returns what it prints.
func (s *shell) run(text string) string {
	s.t.Helper()
	const end = "== end ==\n"
	if _, err := io.WriteString(s.in, text+"\necho; echo '"+strings.TrimSpace(end)+"'\n"); err != nil {
		s.t.Fatal(err)
	}
	var out strings.Builder
	for {
		line, err := s.out.ReadString('\n')
		if line == end {
			return out.String()
		}
		out.WriteString(line)
		if err != nil {
			s.t.Fatalf("%s\nfailed: %s", text, &out)
		}
	}
}

// The blocks of docs/tutorial.md work in order, with the server and the machines in other
// terminals, and print what the page shows.
func TestTutorialWorks(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("../../docs/tutorial.md")
	if err != nil {
		t.Fatal(err)
	}
	folder := t.TempDir()
	binary := filepath.Join(folder, "bin", "coreroller")
	if err := os.Mkdir(filepath.Dir(binary), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(buildProgram(t), binary); err != nil {
		t.Fatal(err)
	}
	server := startChild(t, binary, []string{"serve", "--listen", "127.0.0.1:0", "--data-dir", filepath.Join(folder, "data")})
	terminal, printed := startShell(t, folder), ""
	for _, block := range regexp.MustCompile("(?s)```(sh|text)\n(.*?)```").FindAllStringSubmatch(string(page), -1) {
		text := strings.ReplaceAll(block[2], "http://localhost:8000", server.url)
		switch {
		case block[1] == "text":
			for line := range strings.Lines(text) {
				if !strings.Contains(withoutTimes(printed), strings.TrimSpace(withoutTimes(line))) {
					t.Errorf("the page shows %q, the program printed\n%s", line, printed)
				}
			}
		case strings.HasPrefix(text, "make run"): // the server above
		case strings.HasPrefix(text, "bin/coreroller simulate"):
			terminal.run(strings.TrimSpace(text) + " >machines.log 2>&1 &")
			defer terminal.run("kill %1")
			await(t, "the machines have registered", func() bool {
				return strings.Contains(terminal.run("bin/coreroller groups --app com.example.shop"), "30 of 30")
			})
		default:
			printed = terminal.run(text)
		}
	}
}

// withoutTimes makes outputs of two runs comparable.
func withoutTimes(text string) string {
	return regexp.MustCompile(`[ \t]+`).ReplaceAllString(regexp.MustCompile(`\b\d+s\b`).ReplaceAllString(text, "Ns"), " ")
}
