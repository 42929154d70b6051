package updater

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// ErrRestart reports that another version of this program is in place now. Call Exec, or
// exit so that the supervisor starts the program again.
var ErrRestart = errors.New("updater: another version is in place: restart the program")

// ErrOnTrial reports that the version in place is not confirmed yet: call Confirm, or Run,
// which waits for the end of the trial.
var ErrOnTrial = errors.New("updater: the version in place is on trial")

// StatusError is an HTTP status other than success.
type StatusError struct {
	URL        string
	Status     int
	RetryAfter time.Duration // 0 if the server sent none
}

func (e *StatusError) Error() string { return fmt.Sprintf("%s answered HTTP %d", e.URL, e.Status) }

// temporary reports whether the same request may succeed soon.
func (e *StatusError) temporary() bool {
	return e.Status >= 500 || e.Status == 429 || e.Status == 408
}

// RefusedError is an answer of the server by which it does not serve the machine, such as
// error-unknownApplication.
type RefusedError struct{ Status string }

func (e *RefusedError) Error() string { return "the server refuses the machine: " + e.Status }

// SizeError is a file that has not the announced size.
type SizeError struct{ Got, Want int64 }

func (e *SizeError) Error() string {
	return fmt.Sprintf("the file has %d bytes or more, want %d", e.Got, e.Want)
}

// DigestError is a file whose content is not the announced one.
type DigestError struct{ Got, Want string }

func (e *DigestError) Error() string {
	return fmt.Sprintf("the file has the digest %s, want %s", e.Got, e.Want)
}

// DiskError is a failure to store a file, for instance on a full disk.
type DiskError struct{ Err error }

func (e *DiskError) Error() string { return "store the file: " + e.Err.Error() }

// Unwrap returns the cause.
func (e *DiskError) Unwrap() error { return e.Err }

// InstallError is a new version that could not be put in place, or whose probe failed.
// The old version runs on.
type InstallError struct{ Err error }

func (e *InstallError) Error() string { return "install: " + e.Err.Error() }

// Unwrap returns the cause.
func (e *InstallError) Unwrap() error { return e.Err }

// RollbackError is a new version that did not work. The old one was put back.
type RollbackError struct {
	Version string // the new one
	Err     error
}

func (e *RollbackError) Error() string {
	return fmt.Sprintf("version %s does not work, the old one was put back: %v", e.Version, e.Err)
}

// Unwrap returns the cause.
func (e *RollbackError) Unwrap() error { return e.Err }

// Error codes of update_engine, by which servers describe failures.
const (
	codeInstall    = 5
	codeTransfer   = 9
	codeDigest     = 10
	codeSize       = 11
	codeDisk       = 14
	codeRolledBack = 44
)

// codeOf returns the error code of a failed download or installation.
func codeOf(err error) int {
	var (
		digest  *DigestError
		size    *SizeError
		disk    *DiskError
		install *InstallError
	)
	switch {
	case errors.As(err, &install):
		return codeInstall
	case errors.As(err, &digest):
		return codeDigest
	case errors.As(err, &size):
		return codeSize
	case errors.As(err, &disk):
		return codeDisk
	}
	return codeTransfer
}

// stopped reports whether an operation failed only because its caller ended it.
func stopped(ctx context.Context, err error) bool { return err != nil && ctx.Err() != nil }
