//go:build !unix

package sqlite

import "errors"

// ErrInUse is returned by Lock while another server uses the database.
var ErrInUse = errors.New("another server uses this database")

// Lock does nothing: this system has no locks that end with the process.
func Lock(string) (release func() error, err error) { return func() error { return nil }, nil }
