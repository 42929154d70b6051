//go:build !linux && !darwin && !freebsd

package storage

import "os"

// Space knows nothing on this system.
func Space(string) (free, total int64, known bool) { return 0, 0, false }

// lock locks nothing on this system: two writers of one draft are noticed by its digests.
func lock(*os.File) bool { return true }
