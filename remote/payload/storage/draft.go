package storage

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"os"
	"syscall"
	"time"

	"github.com/coreroller/coreroller/remote/payload"
)

// Draft is an open draft: the only one of its file. It is not safe for concurrent use.
type Draft struct {
	State
	staging   *Staging
	file      *os.File // nil when it is closed
	to        io.Writer
	digest    *payload.Digest
	sinceRoom int64 // bytes until the room is looked at again
	limit     int64 // see Limit
	beyond    error // nil: no limit
}

// Limit makes writes beyond a number of bytes fail with an error. It is for files whose
// length is not known.
func (d *Draft) Limit(bytes int64, beyond error) { d.limit, d.beyond = bytes, beyond }

// catchUp brings the digest to the end of the file, and further writes there.
func (d *Draft) catchUp() error {
	if len(d.Digest) > 0 && d.digest.UnmarshalBinary(d.Digest) != nil || d.digest.Size() > d.Offset {
		d.digest = payload.NewDigest() // less is on disk than the state says: power was lost
	}
	if _, err := d.file.Seek(d.digest.Size(), io.SeekStart); err != nil {
		return err
	}
	_, err := io.Copy(d.digest, d.file)
	return err
}

// Write implements io.Writer. It returns a FullError when the disk is full, and ErrTooLong
// behind the announced length.
func (d *Draft) Write(data []byte) (int, error) {
	if d.Length >= 0 && d.Offset+int64(len(data)) > d.Length {
		return 0, ErrTooLong
	}
	if d.beyond != nil && d.Offset+int64(len(data)) > d.limit {
		return 0, d.beyond
	}
	if d.sinceRoom -= int64(len(data)); d.sinceRoom <= 0 {
		if err := d.staging.room(int64(len(data))); err != nil {
			return 0, err
		}
		d.sinceRoom = freeEvery
	}
	n, err := d.to.Write(data)
	_, _ = d.digest.Write(data[:n]) // documented never to fail
	d.Offset += int64(n)
	return n, noRoom(err)
}

// noRoom turns the error of a full disk into a FullError.
func noRoom(err error) error {
	if errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) {
		return full("the disk of the server is full")
	}
	return err
}

// Restart forgets what was written.
func (d *Draft) Restart() error {
	d.digest, d.Offset = payload.NewDigest(), 0
	if err := d.file.Truncate(0); err != nil {
		return err
	}
	_, err := d.file.Seek(0, io.SeekStart)
	return err
}

// Complete reports whether all announced bytes are there.
func (d *Draft) Complete() bool { return d.Length >= 0 && d.Offset == d.Length }

// Facts returns size and digests of what was written.
func (d *Draft) Facts() payload.Facts { return d.digest.Facts() }

// Head returns the first bytes, up to n.
func (d *Draft) Head(n int) ([]byte, error) {
	head := make([]byte, n)
	got, err := d.file.ReadAt(head, 0)
	if errors.Is(err, io.EOF) {
		err = nil
	}
	return head[:got], err
}

// Pause makes what was written durable, at a time, and closes the draft. It can be
// continued.
func (d *Draft) Pause(now time.Time) error {
	if d.file == nil {
		return nil
	}
	d.Touched = now
	err := d.file.Sync()
	if err == nil {
		err = d.save()
	}
	return errors.Join(noRoom(err), d.close())
}

// Keep moves the file into a storage, under its SHA-256, and ends the draft.
func (d *Draft) Keep(ctx context.Context, to Storage) error {
	if err := d.file.Sync(); err != nil {
		return noRoom(err)
	}
	if err := to.Keep(ctx, d.Facts().SHA256, d.staging.path(d.ID)); err != nil {
		return noRoom(err)
	}
	return d.Remove()
}

// Remove deletes the draft. It may be called twice.
func (d *Draft) Remove() error {
	var errs []error
	for _, name := range []string{d.staging.path(d.ID) + noteEnd, d.staging.path(d.ID)} {
		errs = append(errs, removeIfThere(name))
	}
	return errors.Join(append(errs, d.close())...)
}

func (d *Draft) close() error {
	if d.file == nil {
		return nil
	}
	err := d.file.Close()
	d.file = nil
	return err
}

// save writes the state. It replaces the file, so that a crash leaves the old or the new one.
func (d *Draft) save() error {
	var err error
	if d.Digest, err = d.digest.MarshalBinary(); err != nil {
		return err
	}
	text, err := json.Marshal(d.State)
	if err != nil {
		return err
	}
	name := d.staging.path(d.ID) + noteEnd
	if err := os.WriteFile(name+".new", text, 0o600); err != nil {
		return errors.Join(err, removeIfThere(name+".new"))
	}
	return os.Rename(name+".new", name)
}

func removeIfThere(name string) error {
	if err := os.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}
