package storage

import (
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/coreroller/coreroller/remote/payload"
)

const (
	// DefaultReserve is the room on the disk, in bytes, that uploads leave for the database
	// and the system.
	DefaultReserve = 1 << 30
	// freeEvery is the number of bytes after which a draft looks at the room again.
	freeEvery = 64 << 20
	// noteEnd ends the name of the file with the State of a draft.
	noteEnd = ".json"
)

// Staging is a directory with the drafts: files that are still arriving.
type Staging struct {
	dir     string
	reserve int64 // bytes that uploads leave free
	free    func(dir string) (int64, bool)
	wrap    func(io.Writer) io.Writer // what drafts write to; a test breaks it
}

// NewStaging creates the directory if it is missing. Uploads leave reserve bytes of the
// disk free.
func NewStaging(dir string, reserve int64) (*Staging, error) {
	if err := makePrivate(dir); err != nil {
		return nil, err
	}
	return &Staging{dir: dir, reserve: reserve, free: freeBytes, wrap: func(w io.Writer) io.Writer { return w }}, nil
}

// State is what is known about a draft.
type State struct {
	ID      string
	Length  int64           // announced, in bytes; -1: not known
	Note    json.RawMessage // of the caller
	Started time.Time
	Touched time.Time // the end of the last write
	Offset  int64     `json:"-"` // bytes on disk
	Digest  []byte    // state of the digest
}

// Create creates a draft for a file of a length, -1 if it is not known. The error is a
// FullError if there is no room for it. Close or Remove must be called.
func (s *Staging) Create(now time.Time, length int64, note any) (*Draft, error) {
	text, err := json.Marshal(note)
	if err != nil {
		return nil, err
	}
	all, err := s.List()
	if err != nil {
		return nil, err
	}
	need := max(length, 1)
	for _, other := range all {
		need += max(other.Length-other.Offset, 0)
	}
	if err := s.room(need); err != nil {
		return nil, err
	}
	state := State{ID: uuid.NewString(), Length: length, Note: text, Started: now, Touched: now}
	f, err := os.OpenFile(s.path(state.ID), os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return nil, noRoom(err)
	}
	lock(f) // of a new file: it cannot be locked
	d := &Draft{State: state, staging: s, file: f, to: s.wrap(f), digest: payload.NewDigest(), sinceRoom: freeEvery}
	if err := d.save(); err != nil {
		return nil, errors.Join(noRoom(err), d.Remove())
	}
	return d, nil
}

// room returns a FullError unless the disk has room for more bytes.
func (s *Staging) room(need int64) error {
	if free, known := s.free(s.dir); known && free-s.reserve < need {
		return full("the disk of the server has no room for %d more bytes: %d are free, and %d must stay free", need, free, s.reserve)
	}
	return nil
}

// Open opens a draft to continue it. The error is ErrMissing, or ErrBusy while another
// request writes it.
func (s *Staging) Open(id string) (*Draft, error) {
	if _, err := s.State(id); err != nil {
		return nil, err
	}
	f, err := os.OpenFile(s.path(id), os.O_RDWR, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, ErrMissing
	}
	if err != nil {
		return nil, err
	}
	if !lock(f) {
		return nil, errors.Join(ErrBusy, f.Close())
	}
	state, err := s.State(id) // under the lock
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	d := &Draft{State: *state, staging: s, file: f, to: s.wrap(f), digest: payload.NewDigest(), sinceRoom: freeEvery}
	if err := d.catchUp(); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return d, nil
}

// State returns what is known about a draft, or ErrMissing.
func (s *Staging) State(id string) (*State, error) {
	if parsed, err := uuid.Parse(id); err != nil || parsed.String() != id {
		return nil, ErrMissing
	}
	text, err := os.ReadFile(s.path(id) + noteEnd)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, ErrMissing
	}
	if err != nil {
		return nil, err
	}
	state := &State{}
	if err := json.Unmarshal(text, state); err != nil {
		return nil, ErrMissing
	}
	info, err := os.Stat(s.path(id))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, ErrMissing
	}
	if err != nil {
		return nil, err
	}
	state.ID, state.Offset = id, info.Size()
	return state, nil
}

// List returns all drafts.
func (s *Staging) List() (all []*State, err error) {
	entries, err := os.ReadDir(s.dir)
	if err != nil {
		return nil, err
	}
	for _, entry := range entries {
		id, is := strings.CutSuffix(entry.Name(), noteEnd)
		if !is {
			continue
		}
		switch state, err := s.State(id); {
		case errors.Is(err, ErrMissing): // completed meanwhile
		case err != nil:
			return nil, err
		default:
			all = append(all, state)
		}
	}
	return all, nil
}

// Expire deletes what was not written to since a time, also files without a state. Drafts
// that are being written stay.
func (s *Staging) Expire(before time.Time) error {
	entries, err := os.ReadDir(s.dir)
	if err != nil {
		return err
	}
	var errs []error
	for _, entry := range entries {
		info, err := entry.Info()
		if err != nil || entry.IsDir() || !info.ModTime().Before(before) {
			continue
		}
		id := strings.TrimSuffix(entry.Name(), noteEnd)
		switch d, err := s.Open(id); {
		case errors.Is(err, ErrBusy):
		case err == nil && d.Touched.Before(before):
			errs = append(errs, d.Remove())
		case err == nil:
			errs = append(errs, d.close())
		default:
			errs = append(errs, removeIfThere(filepath.Join(s.dir, entry.Name())))
		}
	}
	return errors.Join(errs...)
}

func (s *Staging) path(id string) string { return filepath.Join(s.dir, id) }
