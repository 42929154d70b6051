package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// cost is what was spent until now: CPU time of this process (server and load)
// and of PostgreSQL's processes, and bytes of its write-ahead log. Unlike
// requests per second it says the same when other programs take the cores.
type cost struct {
	cpu, database time.Duration
	wal           int64
}

func (c cost) minus(d cost) cost { return cost{c.cpu - d.cpu, c.database - d.database, c.wal - d.wal} }

// spent looks; what cannot be known on this system or database stays zero.
func (s *site) spent(ctx context.Context) (c cost) {
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) == nil {
		c.cpu = time.Duration(u.Utime.Nano() + u.Stime.Nano())
	}
	if s.watch == nil {
		return c
	}
	var folder string
	err := s.watch.QueryRowContext(ctx, "SELECT current_setting('data_directory'), pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0')::bigint").Scan(&folder, &c.wal)
	if err == nil {
		c.database = processes(folder)
	}
	return c
}

// processes is the CPU time of the server of a data folder and its children,
// those that ended included.
func processes(folder string) (sum time.Duration) {
	file, _ := os.ReadFile(filepath.Join(folder, "postmaster.pid"))
	postmaster, _, _ := strings.Cut(string(file), "\n")
	all, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, path := range all {
		stat, _ := os.ReadFile(path)
		// The name in parentheses may hold anything.
		fields := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:]))
		if len(fields) < 15 {
			continue // it ended
		}
		own := filepath.Base(filepath.Dir(path)) == postmaster
		if !own && fields[1] != postmaster {
			continue
		}
		for i, field := range fields[11:15] { // utime, stime and those of ended children
			if ticks, err := strconv.ParseInt(field, 10, 64); err == nil && (own || i < 2) {
				sum += time.Duration(ticks) * (time.Second / 100)
			}
		}
	}
	return sum
}
