package sqlite

import (
	"errors"
	"fmt"
	"os"

	lite "modernc.org/sqlite"
	code "modernc.org/sqlite/lib"
)

// ErrGone is returned after the file of a database was deleted or replaced while it was
// open: what is committed would be lost with the process.
var ErrGone = errors.New("the file of the database was deleted or replaced while the server used it: restore it, then start the server again")

// remember keeps which file is open.
func (d *DB) remember(path string) (err error) {
	d.path = path
	if d.file, err = os.Stat(path); err != nil {
		return fmt.Errorf("look at the file: %w", err)
	}
	return nil
}

// Check returns ErrGone if the path leads to another file than the one that is open, and
// always from then on.
func (d *DB) Check() error {
	if !d.gone.Load() {
		now, err := os.Stat(d.path)
		if err == nil && os.SameFile(d.file, now) {
			return nil
		}
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			return fmt.Errorf("look at the file of the database: %w", err)
		}
		d.gone.Store(true)
	}
	return ErrGone
}

// Gone reports what Check found, without looking.
func (d *DB) Gone() bool { return d.gone.Load() }

// IsUnusable reports whether an error of SQLite means that nothing can be written or read
// now: the disk is full or broken, or the file is busy, read-only, or cannot be opened. A damaged
// file is another fault: waiting does not help.
func IsUnusable(err error) bool {
	e, ok := errors.AsType[*lite.Error](err)
	if !ok {
		return false
	}
	switch e.Code() & 0xff {
	case code.SQLITE_FULL, code.SQLITE_IOERR, code.SQLITE_BUSY, code.SQLITE_READONLY, code.SQLITE_CANTOPEN:
		return true
	}
	return false
}

// IsFull reports whether an error of SQLite means that the disk is full.
func IsFull(err error) bool {
	e, ok := errors.AsType[*lite.Error](err)
	return ok && e.Code()&0xff == code.SQLITE_FULL
}
