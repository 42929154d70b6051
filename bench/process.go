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

// The GraphQL queries of this package.
const (
	cachedMachinesQuery = "{ serverHealth { cachedMachines } }"
	machineCountQuery   = "query($id: ID!) { group(id: $id) { numbers { total } } }"
)

// process is the real program as a separate process, so that its memory and CPU
// time can be measured.
type process struct {
	cmd     *exec.Cmd
	url     string
	address string // host:port
}

// build builds the program in a directory and returns the path of the binary.
func build(ctx context.Context, dir string) (string, error) {
	binary := filepath.Join(dir, "coreroller")
	out, err := exec.CommandContext(ctx, "go", "build", "-o", binary, "./cmd/coreroller").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("go build: %w\n%s", err, out)
	}
	return binary, nil
}

// firstUser is the name and password of the first user of a new database.
const firstUser = "admin"

// startProcess starts the program and returns when the server has loaded the
// machines.
func startProcess(ctx context.Context, binary, databaseURL string, machines int) (*process, error) {
	args := []string{"serve", "--listen", "127.0.0.1:0", "--log-level", "error"}
	if store.IsPostgres(databaseURL) {
		args = append(args, "--database-url", databaseURL)
	} else {
		args = append(args, "--data-dir", filepath.Dir(databaseURL))
	}
	p := &process{cmd: exec.CommandContext(ctx, binary, args...)}
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
		return nil, errors.Join(fmt.Errorf("unexpected output of the program: %q (%w)", line, err), p.stop())
	}
	p.url, p.address = found[1], found[2]
	for loaded := 0; loaded < machines; time.Sleep(100 * time.Millisecond) {
		var health struct{ ServerHealth struct{ CachedMachines int } }
		if err := p.query(ctx, cachedMachinesQuery, nil, &health); err != nil {
			return nil, errors.Join(err, p.stop())
		}
		loaded = health.ServerHealth.CachedMachines
	}
	return p, nil
}

// query sends a GraphQL query as the first user.
func (p *process) query(ctx context.Context, document string, variables map[string]any, data any) error {
	body, err := json.Marshal(map[string]any{"query": document, "variables": variables})
	if err != nil {
		return err
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, p.url+"/graphql", bytes.NewReader(body))
	if err != nil {
		return err
	}
	r.Header.Set("Content-Type", "application/json")
	r.SetBasicAuth(firstUser, firstUser)
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

// status returns a value of /proc/PID/status in kB, or 0 on other systems than
// Linux.
func (p *process) status(name string) int {
	text, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.cmd.Process.Pid))
	for line := range strings.SplitSeq(string(text), "\n") {
		if value, found := strings.CutPrefix(line, name+":"); found {
			n, _ := strconv.Atoi(strings.TrimSuffix(strings.TrimSpace(value), " kB"))
			return n
		}
	}
	return 0
}

// memory returns the server's memory in MiB now, and its peak since resetPeak.
func (p *process) memory() (now, peak int) { return p.status("VmRSS") >> 10, p.status("VmHWM") >> 10 }

// resetPeak resets the peak of the server's memory.
func (p *process) resetPeak() {
	_ = os.WriteFile(fmt.Sprintf("/proc/%d/clear_refs", p.cmd.Process.Pid), []byte("5"), 0) // other systems keep the peak since the start
}

// cpuTime is the CPU time that the server has used.
func (p *process) cpuTime() time.Duration {
	text, _ := os.ReadFile(fmt.Sprintf("/proc/%d/stat", p.cmd.Process.Pid))
	_, rest, _ := strings.Cut(string(text), ") ")
	fields := strings.Fields(rest)
	if len(fields) < 13 {
		return 0
	}
	user, _ := strconv.Atoi(fields[11])
	system, _ := strconv.Atoi(fields[12])
	return time.Duration(user+system) * 10 * time.Millisecond // Linux counts in 10 ms
}

func (p *process) stop() error {
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		return err
	}
	return p.cmd.Wait()
}
