package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

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
func postgresCPUTime(dataDir string) (sum time.Duration) {
	file, _ := os.ReadFile(filepath.Join(dataDir, "postmaster.pid"))
	postmaster, _, _ := strings.Cut(string(file), "\n")
	all, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, path := range all {
		stat, _ := os.ReadFile(path)
		// The process name in parentheses may contain blanks.
		fields := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:]))
		if len(fields) < 15 {
			continue // the process ended meanwhile
		}
		parent := filepath.Base(filepath.Dir(path)) == postmaster
		if !parent && fields[1] != postmaster {
			continue
		}
		for i, field := range fields[11:15] { // utime, stime, and the same of ended children
			if ticks, err := strconv.ParseInt(field, 10, 64); err == nil && (parent || i < 2) {
				sum += time.Duration(ticks) * (time.Second / 100)
			}
		}
	}
	return sum
}
