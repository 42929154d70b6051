//go:build !linux && !darwin && !freebsd

package storage

import "os"

// freeBytes knows nothing on this system.
func freeBytes(string) (int64, bool) { return 0, false }

// lock locks nothing on this system: two writers of one draft are noticed by its digests.
func lock(*os.File) bool { return true }
