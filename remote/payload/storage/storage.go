// Package storage keeps the contents of files under their SHA-256, in a directory or in a
// bucket of S3. A file that is still arriving is a draft in a directory of its own
// (Staging): only a complete one gets into the storage, so that it never has half a file.
// It knows no packages and no database.
package storage

import (
	"context"
	"errors"
	"fmt"
	"io"
	"regexp"
	"time"
)

// Storage keeps complete files. It is safe for concurrent use, and several processes may
// share what is below it.
type Storage interface {
	// Keep moves the file at a path into the storage, on the same disk or by copying it.
	// A content that is there already gets the time of now.
	Keep(ctx context.Context, sha256, path string) error
	// Open returns a content of a size. The error wraps ErrMissing if there is none.
	Open(ctx context.Context, sha256 string, size int64) (io.ReadSeekCloser, error)
	// Delete deletes a content. It is no error if there is none.
	Delete(ctx context.Context, sha256 string) error
	// List returns what is stored.
	List(ctx context.Context) ([]Content, error)
	// Free returns the bytes that there is room for; false if that is not known.
	Free() (int64, bool)
	// String says where it is.
	String() string
}

// Content is a stored file.
type Content struct {
	SHA256 string // lower-case hex
	Size   int64  // bytes
	Since  time.Time
}

// The expected errors.
var (
	ErrMissing = errors.New("the file is not stored")
	ErrBusy    = errors.New("the file is being written by another request")
	ErrTooLong = errors.New("there are more bytes than announced")
)

// FullError says that the disk has too little room.
type FullError struct{ message string }

func (e *FullError) Error() string { return e.message }

func full(format string, args ...any) error { return &FullError{fmt.Sprintf(format, args...)} }

// contentName is the name of a content: its SHA-256.
var contentName = regexp.MustCompile(`^[0-9a-f]{64}$`)
