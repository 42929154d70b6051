//go:build linux || darwin || freebsd

package storage

import (
	"os"
	"syscall"
)

// freeBytes returns the bytes that a user can still write to the disk of a directory.
func freeBytes(dir string) (int64, bool) {
	var st syscall.Statfs_t
	if err := syscall.Statfs(dir, &st); err != nil {
		return 0, false
	}
	return int64(st.Bavail) * int64(st.Bsize), true //nolint:gosec,unconvert // G115: the types differ between systems; disks are far smaller than 2^63 bytes
}

// lock locks an open file until it is closed, also for other processes.
func lock(f *os.File) bool {
	return syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) == nil
}
