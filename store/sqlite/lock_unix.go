//go:build unix

package sqlite

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"syscall"
)

// ErrInUse is returned by Lock while another server uses the database.
var ErrInUse = errors.New("another server uses this database")

// Lock marks the database at path as used by a server, until release or the end of the
// process, however it ends. It fails with ErrInUse while another process has the lock.
func Lock(path string) (release func() error, err error) {
	name := path + ".lock"
	f, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE, 0o600) //nolint:gosec // G304: beside the database
	if err != nil {
		return nil, fmt.Errorf("lock the database: %w", err)
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		owner, _ := io.ReadAll(io.LimitReader(f, 20))
		_ = f.Close()
		if !errors.Is(err, syscall.EWOULDBLOCK) {
			return nil, fmt.Errorf("lock %s: %w", name, err)
		}
		return nil, fmt.Errorf("%w: process %s; it holds %s", ErrInUse, strings.TrimSpace(string(owner)), name)
	}
	if err := f.Truncate(0); err == nil {
		_, err = f.WriteAt(fmt.Appendf(nil, "%d\n", os.Getpid()), 0)
		if err != nil {
			return nil, errors.Join(fmt.Errorf("lock the database: %w", err), f.Close())
		}
	}
	// The file stays: deleting it would let two processes lock two files of the same name.
	return f.Close, nil
}
