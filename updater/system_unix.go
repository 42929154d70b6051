//go:build linux || darwin || freebsd || netbsd || openbsd || dragonfly

package updater

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
)

// replaceable reports whether a running executable can be replaced.
const replaceable = true

// Exec replaces this process by the program that is now in place of its executable, with
// the arguments and environment of os.Args and os.Environ. The process id stays. It
// returns only with an error.
func Exec(args, environ []string) error {
	executable, err := os.Executable()
	if err != nil {
		return err
	}
	return fmt.Errorf("exec %s: %w", executable, syscall.Exec(executable, args, environ)) //nolint:gosec // G204: the program itself
}

// lock makes this process the only user of a directory until it ends or calls the
// returned function.
func lock(dir string) (unlock func() error, err error) {
	f, err := os.OpenFile(filepath.Join(dir, "lock"), os.O_RDWR|os.O_CREATE, 0o600) //nolint:gosec // G304: the caller names the directory
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		_ = f.Close()
		if errors.Is(err, syscall.EWOULDBLOCK) {
			return nil, fmt.Errorf("another updater uses %s", dir)
		}
		return nil, err
	}
	return f.Close, nil
}

// syncDir waits until the names in a directory are on disk.
func syncDir(dir string) error {
	d, err := os.Open(dir) //nolint:gosec // G304: the caller names the directory
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
