package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/coreroller/coreroller/store"
)

// program is the real server as a process of its own, so that its memory and
// time are its own.
type program struct {
	cmd     *exec.Cmd
	url     string
	address string // host:port
}

// build builds the program into a folder.
func build(ctx context.Context, dir string) (string, error) {
	binary := filepath.Join(dir, "coreroller")
	out, err := exec.CommandContext(ctx, "go", "build", "-o", binary, "./cmd/coreroller").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("go build: %w\n%s", err, out)
	}
	return binary, nil
}

// first is the user of a new database, with the same password.
const first = "admin"

// startProgram returns when the server answers and knows so many machines.
func startProgram(ctx context.Context, binary, databaseURL string, machines int) (*program, error) {
	args := []string{"serve", "--listen", "127.0.0.1:0", "--log-level", "error"}
	if store.IsPostgres(databaseURL) {
		args = append(args, "--database-url", databaseURL)
	} else {
		args = append(args, "--data-dir", filepath.Dir(databaseURL))
	}
	p := &program{cmd: exec.CommandContext(ctx, binary, args...)}
	p.cmd.Stderr = os.Stderr
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := p.cmd.Start(); err != nil {
		return nil, err
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	found := regexp.MustCompile(`dashboard (http://(\S+))/ `).FindStringSubmatch(line)
	if found == nil {
		return nil, errors.Join(fmt.Errorf("the program says %q (%w)", line, err), p.stop())
	}
	p.url, p.address = found[1], found[2]
	for known := 0; known < machines; time.Sleep(100 * time.Millisecond) {
		var health struct{ ServerHealth struct{ KnownMachines int } }
		if err := p.ask(ctx, "{ serverHealth { knownMachines } }", nil, &health); err != nil {
			return nil, errors.Join(err, p.stop())
		}
		known = health.ServerHealth.KnownMachines
	}
	return p, nil
}

// ask sends a query as the first user.
func (p *program) ask(ctx context.Context, document string, variables map[string]any, data any) error {
	body, err := json.Marshal(map[string]any{"query": document, "variables": variables})
	if err != nil {
		return err
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, p.url+"/graphql", bytes.NewReader(body))
	if err != nil {
		return err
	}
	r.Header.Set("Content-Type", "application/json")
	r.SetBasicAuth(first, first)
	w, err := http.DefaultClient.Do(r)
	if err != nil {
		return err
	}
	defer w.Body.Close()
	answer := struct {
		Data   any
		Errors []struct{ Message string }
	}{Data: data}
	if err := json.NewDecoder(w.Body).Decode(&answer); err != nil {
		return err
	}
	if len(answer.Errors) > 0 {
		return errors.New(answer.Errors[0].Message)
	}
	return nil
}

// status reads a line of the process's status, in kB; Linux only, else 0.
func (p *program) status(name string) int {
	text, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.cmd.Process.Pid))
	for line := range strings.SplitSeq(string(text), "\n") {
		if value, found := strings.CutPrefix(line, name+":"); found {
			n, _ := strconv.Atoi(strings.TrimSuffix(strings.TrimSpace(value), " kB"))
			return n
		}
	}
	return 0
}

// memory is what the server takes now, and the most since forget, in MiB.
func (p *program) memory() (now, peak int) { return p.status("VmRSS") >> 10, p.status("VmHWM") >> 10 }

// forget begins a new peak.
func (p *program) forget() {
	_ = os.WriteFile(fmt.Sprintf("/proc/%d/clear_refs", p.cmd.Process.Pid), []byte("5"), 0) // elsewhere the peak is that of its life
}

// used is how much of the processors the server has used.
func (p *program) used() time.Duration {
	text, _ := os.ReadFile(fmt.Sprintf("/proc/%d/stat", p.cmd.Process.Pid))
	_, rest, _ := strings.Cut(string(text), ") ")
	fields := strings.Fields(rest)
	if len(fields) < 13 {
		return 0
	}
	user, _ := strconv.Atoi(fields[11])
	system, _ := strconv.Atoi(fields[12])
	return time.Duration(user+system) * 10 * time.Millisecond // Linux counts hundredths
}

func (p *program) stop() error {
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		return err
	}
	return p.cmd.Wait()
}
