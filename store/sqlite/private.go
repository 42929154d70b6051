package sqlite

import (
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
)

// MakePrivate creates the file at path if it is missing, and lets no other user read it,
// its log or its directory: they contain password hashes. SQLite gives its other files
// the mode of the first. A directory that all users share, such as /tmp, stays as it is.
func MakePrivate(path string, log *slog.Logger) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600) //nolint:gosec // G304: the operator names the file
	if err != nil {
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	var changed []string
	for _, name := range []string{filepath.Dir(path), path, path + "-wal", path + "-shm"} {
		info, err := os.Stat(name)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return err
		}
		if Private(info) {
			continue
		}
		if err := os.Chmod(name, info.Mode().Perm()&0o700); err != nil {
			log.Warn("other users can read the database: change the owner and mode of its directory", "error", err)
			continue
		}
		changed = append(changed, name)
	}
	if changed != nil {
		log.Info("other users could read the database; they no longer can", "changed", changed)
	}
	return nil
}

// Private reports whether other users have no access to a file or directory, or should
// have it, because all users share the directory.
func Private(info fs.FileInfo) bool {
	return info.Mode().Perm()&0o077 == 0 || info.Mode()&fs.ModeSticky != 0
}
