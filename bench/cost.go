package main

import (
	"context"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/procfs"

	"github.com/coreroller/coreroller/simulate/load"
)

// cost is the resources used since the start: CPU time of this process (server
// and load generator), CPU time of PostgreSQL, and bytes of its write-ahead log.
// Unlike requests per second it does not depend on other programs.
type cost struct {
	cpu, database time.Duration
	wal           int64
}

func (c cost) minus(d cost) cost { return cost{c.cpu - d.cpu, c.database - d.database, c.wal - d.wal} }

// cost returns the cost until now. Values that this system or database does not
// report are zero.
func (s *testServer) cost(ctx context.Context) (c cost) {
	c.cpu = load.CPUTime()
	if s.postgres == nil {
		return c
	}
	var dataDir string
	err := s.postgres.QueryRowContext(ctx, "SELECT current_setting('data_directory'), pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0')::bigint").Scan(&dataDir, &c.wal)
	if err == nil {
		c.database = postgresCPUTime(dataDir)
	}
	return c
}

// postgresCPUTime is the CPU time of the PostgreSQL server of a data directory and
// of its child processes, including those that ended.
func postgresCPUTime(dataDir string) time.Duration {
	file, _ := os.ReadFile(filepath.Join(dataDir, "postmaster.pid")) //nolint:gosec // G304: the directory of the benchmark
	line, _, _ := strings.Cut(string(file), "\n")
	postmaster, err := strconv.Atoi(line)
	if err != nil {
		return 0
	}
	ticks := 0
	all, _ := procfs.AllProcs()
	for _, p := range all {
		stat, _ := p.Stat() // zero if the process has ended meanwhile
		switch postmaster {
		case stat.PID:
			ticks += int(stat.UTime+stat.STime) + stat.CUTime + stat.CSTime
		case stat.PPID:
			ticks += int(stat.UTime + stat.STime)
		}
	}
	return time.Duration(ticks) * 10 * time.Millisecond // Linux counts in 10 ms
}
