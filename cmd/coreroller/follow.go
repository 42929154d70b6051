package main

import (
	"fmt"
	"log/slog"
	"os"
	"sync"
	"time"
)

// certificateCheck is how often a new connection looks whether the files changed.
const certificateCheck = time.Second

// followed is what was read from files, and is read again when they change: for new
// connections, open ones continue. Files that cannot be used keep the old contents, and
// are read again after their next change.
type followed[T any] struct {
	files []string
	read  func() (T, error)
	log   *slog.Logger
	now   func() time.Time

	mu      sync.Mutex
	current T
	stamp   string    // of the files that were read last
	checked time.Time // when the stamp was compared
}

// follow reads the files for the first time.
func (f *followed[T]) follow(log *slog.Logger, now func() time.Time, read func() (T, error), files ...string) (err error) {
	f.files, f.read, f.log, f.now, f.checked = files, read, log, now, now()
	f.stamp = f.stampOf()
	f.current, err = read()
	return err
}

// stampOf changes with the files.
func (f *followed[T]) stampOf() (stamp string) {
	for _, file := range f.files {
		if info, err := os.Stat(file); err == nil {
			stamp += fmt.Sprint(info.ModTime().UnixNano(), " ", info.Size(), " ")
		}
	}
	return stamp
}

// latest returns what the files contain now.
func (f *followed[T]) latest() T {
	f.mu.Lock()
	defer f.mu.Unlock()
	now := f.now()
	if since := now.Sub(f.checked); since >= 0 && since < certificateCheck {
		return f.current
	}
	f.checked = now
	stamp := f.stampOf()
	if stamp == f.stamp {
		return f.current
	}
	f.stamp = stamp
	if changed, err := f.read(); err != nil {
		f.log.Error("a changed file of certificates cannot be used; the old contents stay in use", "error", err)
	} else {
		f.current = changed
		f.log.Info("a changed file of certificates was read again", "file", f.files[0])
	}
	return f.current
}
