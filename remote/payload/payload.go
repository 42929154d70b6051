// Package payload computes what a package says about a file: its size and digests.
// It reads the file from a reader, or from a web server within limits; the package
// storage below it keeps files. It knows no packages and no database.
package payload

import (
	"crypto/sha1" //nolint:gosec // Omaha's digest
	"crypto/sha256"
	"encoding"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"hash"
	"io"
)

// Facts are what a package says about a file.
type Facts struct {
	Size   int64  // bytes
	SHA1   string // base64 with padding
	SHA256 string // lower-case hex
}

// Progress receives the number of bytes read so far and the size of the file, 0 if
// it is not known. It is called in the goroutine that reads, after each block.
type Progress func(done, total int64)

// blockSize is the number of bytes between two calls of Progress.
const blockSize = 256 << 10

// Read reads a file to its end. total is passed to progress, which may be nil.
func Read(r io.Reader, total int64, progress Progress) (Facts, error) {
	digest := NewDigest()
	if err := copyTo(digest, r, total, progress); err != nil {
		return Facts{}, err
	}
	return digest.Facts(), nil
}

// copyTo copies a file to w, which writes all or returns an error.
func copyTo(w io.Writer, r io.Reader, total int64, progress Progress) error {
	block := make([]byte, blockSize)
	var size int64
	for {
		n, err := r.Read(block)
		if n > 0 {
			if _, err := w.Write(block[:n]); err != nil {
				return &sinkError{err}
			}
			if size += int64(n); progress != nil {
				progress(size, total)
			}
		}
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// sinkError is an error of what a file is copied to.
type sinkError struct{ error }

func (e *sinkError) Unwrap() error { return e.error }

// Digest computes the facts of what is written to it. Its state can be saved, so that a
// file that arrives in parts is read once.
type Digest struct {
	short, long hash.Hash
	size        int64
}

// NewDigest returns the Digest of an empty file.
func NewDigest() *Digest {
	return &Digest{short: sha1.New(), long: sha256.New()} //nolint:gosec // Omaha's digest
}

// Write implements io.Writer. It never fails.
func (d *Digest) Write(data []byte) (int, error) {
	_, _ = d.short.Write(data) // documented never to fail
	_, _ = d.long.Write(data)
	d.size += int64(len(data))
	return len(data), nil
}

// Size is the number of bytes written.
func (d *Digest) Size() int64 { return d.size }

// Facts returns what was computed so far.
func (d *Digest) Facts() Facts {
	return Facts{
		Size:   d.size,
		SHA1:   base64.StdEncoding.EncodeToString(d.short.Sum(nil)),
		SHA256: hex.EncodeToString(d.long.Sum(nil)),
	}
}

// digestState is the saved form of a Digest.
type digestState struct {
	Size        int64
	Short, Long []byte
}

// MarshalBinary implements encoding.BinaryMarshaler.
func (d *Digest) MarshalBinary() ([]byte, error) {
	s := digestState{Size: d.size}
	var err error
	if s.Short, err = d.short.(encoding.BinaryMarshaler).MarshalBinary(); err != nil {
		return nil, err
	}
	if s.Long, err = d.long.(encoding.BinaryMarshaler).MarshalBinary(); err != nil {
		return nil, err
	}
	return json.Marshal(s)
}

// UnmarshalBinary implements encoding.BinaryUnmarshaler.
func (d *Digest) UnmarshalBinary(data []byte) error {
	var s digestState
	if err := json.Unmarshal(data, &s); err != nil {
		return err
	}
	d.size = s.Size
	return errors.Join(d.short.(encoding.BinaryUnmarshaler).UnmarshalBinary(s.Short), d.long.(encoding.BinaryUnmarshaler).UnmarshalBinary(s.Long))
}
