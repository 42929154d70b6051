package sqlite

import (
	"errors"
	"fmt"
	"os"

	lite "modernc.org/sqlite"
	code "modernc.org/sqlite/lib"
)

// Lost is why a database must not be used until its server starts again.
type Lost string

func (e Lost) Error() string { return string(e) }

// Public is the text for clients.
func (e Lost) Public() string { return string(e) }

const (
	// ErrGone is returned after the file of a database was deleted or replaced while it was
	// open: what is committed would be lost with the process.
	ErrGone Lost = "the file of the database was deleted or replaced while the server used it: restore it, then start the server again"
	// ErrDamaged is returned after SQLite found that the file of a database is damaged.
	ErrDamaged Lost = "the file of the database is damaged: stop the server, look at it with coreroller doctor local, and restore a backup"
)

// remember keeps which file is open.
func (d *DB) remember(path string) (err error) {
	d.path = path
	if d.file, err = os.Stat(path); err != nil {
		return fmt.Errorf("look at the file: %w", err)
	}
	return nil
}

// Check returns ErrGone if the path leads to another file than the one that is open. After
// it, or Damaged, it always returns the same error.
func (d *DB) Check() error {
	if err := d.Lost(); err != nil {
		return err
	}
	now, err := os.Stat(d.path)
	if err == nil && os.SameFile(d.file, now) {
		return nil
	}
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("look at the file of the database: %w", err)
	}
	d.lost.Store(ErrGone)
	return ErrGone
}

// Damaged ends the use of the database, because an error showed that its file is damaged.
func (d *DB) Damaged() { d.lost.CompareAndSwap(nil, ErrDamaged) }

// Lost returns what Check or Damaged found, without looking.
func (d *DB) Lost() error {
	if err, ok := d.lost.Load().(Lost); ok {
		return err
	}
	return nil
}

// IsDamaged reports whether an error of SQLite means that the file is damaged, or is no
// database.
func IsDamaged(err error) bool {
	e, ok := errors.AsType[*lite.Error](err)
	return ok && (e.Code()&0xff == code.SQLITE_CORRUPT || e.Code()&0xff == code.SQLITE_NOTADB)
}

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
