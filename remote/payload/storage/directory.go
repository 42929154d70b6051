package storage

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

// Directory is a Storage in a directory, which several processes may share. Each content is
// a file below a folder with the first two digits of its name.
type Directory struct{ root string }

// NewDirectory creates the directory if it is missing.
func NewDirectory(root string) (*Directory, error) {
	if err := makePrivate(root); err != nil {
		return nil, err
	}
	return &Directory{root}, nil
}

// makePrivate creates a directory for this user, and checks that it can be written to.
func makePrivate(dir string) error {
	err := os.MkdirAll(dir, 0o700)
	if err == nil {
		var f *os.File
		if f, err = os.CreateTemp(dir, ".writable-*"); err == nil {
			err = errors.Join(f.Close(), os.Remove(f.Name()))
		}
	}
	if err != nil {
		return fmt.Errorf("the directory of the payloads cannot be written: %w", err)
	}
	return nil
}

func (d *Directory) path(sha256 string) string { return filepath.Join(d.root, sha256[:2], sha256) }

// Keep implements Storage.
func (d *Directory) Keep(_ context.Context, sha256, path string) error {
	target := d.path(sha256)
	folder := filepath.Dir(target)
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return err
	}
	now := time.Now()
	if err := os.Chtimes(path, now, now); err != nil {
		return err
	}
	if err := os.Rename(path, target); err != nil { // replaces the same content
		return err
	}
	return errors.Join(syncFolder(folder), syncFolder(d.root))
}

// syncFolder makes the names of files in a folder durable.
func syncFolder(folder string) error {
	f, err := os.Open(folder) //nolint:gosec // G304: below the configured directory
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

// Open implements Storage.
func (d *Directory) Open(_ context.Context, sha256 string, size int64) (io.ReadSeekCloser, error) {
	f, err := os.Open(d.path(sha256))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, ErrMissing
	}
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err == nil && info.Size() != size {
		err = fmt.Errorf("the stored file %s has %d bytes instead of %d", sha256, info.Size(), size)
	}
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

// Delete implements Storage.
func (d *Directory) Delete(_ context.Context, sha256 string) error {
	if err := os.Remove(d.path(sha256)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// List implements Storage.
func (d *Directory) List(ctx context.Context) (all []Content, err error) {
	err = filepath.WalkDir(d.root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || ctx.Err() != nil {
			return errors.Join(err, ctx.Err())
		}
		name := filepath.Base(path)
		if entry.IsDir() || !contentName.MatchString(name) {
			return nil
		}
		info, err := entry.Info()
		if errors.Is(err, fs.ErrNotExist) {
			return nil // deleted meanwhile
		}
		if err == nil {
			all = append(all, Content{SHA256: name, Size: info.Size(), Since: info.ModTime().UTC()})
		}
		return err
	})
	return all, err
}

// Free implements Storage.
func (d *Directory) Free() (int64, bool) { return freeBytes(d.root) }

func freeBytes(dir string) (int64, bool) {
	free, _, known := Space(dir)
	return free, known
}

// String implements Storage.
func (d *Directory) String() string { return "directory " + d.root }
