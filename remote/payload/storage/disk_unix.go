//go:build linux || darwin || freebsd

package storage

import (
	"os"
	"syscall"
)

// Space returns the bytes that a user can still write to the disk of a directory, and its
// size; false if they are not known.
func Space(dir string) (free, total int64, known bool) {
	var st syscall.Statfs_t
	if err := syscall.Statfs(dir, &st); err != nil {
		return 0, 0, false
	}
	block := int64(st.Bsize)                                        //nolint:unconvert // the type differs between systems
	return int64(st.Bavail) * block, int64(st.Blocks) * block, true //nolint:gosec // G115: the types differ between systems; disks are far smaller than 2^63 bytes
}

// lock locks an open file until it is closed, also for other processes.
func lock(f *os.File) bool {
	return syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) == nil
}
