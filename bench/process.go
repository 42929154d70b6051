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
	"syscall"
	"time"

	"github.com/prometheus/procfs"

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
	out, err := exec.CommandContext(ctx, "go", "build", "-o", binary, "./cmd/coreroller").CombinedOutput() //nolint:gosec // G204: the path of a temporary directory
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
	args := []string{"serve", "--listen", "127.0.0.1:0", "--log-level", "error",
		"--new-machines-per-address", "0", "--new-machines-per-group", "0"} // the load has one address
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

// memory returns the server's memory in MiB now, and its peak since resetPeak. Both
// are 0 on other systems than Linux.
func (p *process) memory() (now, peak uint64) {
	proc, _ := procfs.NewProc(p.cmd.Process.Pid)
	status, _ := proc.NewStatus()
	return status.VmRSS >> 20, status.VmHWM >> 20
}

// resetPeak resets the peak of the server's memory.
func (p *process) resetPeak() {
	_ = os.WriteFile(fmt.Sprintf("/proc/%d/clear_refs", p.cmd.Process.Pid), []byte("5"), 0) // other systems keep the peak since the start
}

// cpuTime is the CPU time that the server has used, or 0 on other systems than
// Linux.
func (p *process) cpuTime() time.Duration {
	proc, _ := procfs.NewProc(p.cmd.Process.Pid)
	stat, _ := proc.Stat()
	return time.Duration(stat.CPUTime() * float64(time.Second))
}

func (p *process) stop() error {
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		return err
	}
	return p.cmd.Wait()
}
