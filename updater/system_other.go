//go:build !(linux || darwin || freebsd || netbsd || openbsd || dragonfly)

package updater

import (
	"errors"
	"fmt"
)

// replaceable reports whether a running executable can be replaced.
const replaceable = false

// Exec returns errors.ErrUnsupported on this system.
func Exec(_, _ []string) error { return fmt.Errorf("updater: exec: %w", errors.ErrUnsupported) }

func lock(string) (unlock func() error, err error) { return func() error { return nil }, nil }

func syncDir(string) error { return nil }
