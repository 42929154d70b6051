// Package payload computes what a package says about a file: its size and digests.
// It reads the file from a reader, or from a web server within limits, and never
// keeps it. It knows no packages and no database.
package payload

import (
	"crypto/sha1" //nolint:gosec // Omaha's digest
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
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
	short, long := sha1.New(), sha256.New() //nolint:gosec // Omaha's digest
	digests := io.MultiWriter(short, long)
	block := make([]byte, blockSize)
	var size int64
	for {
		n, err := r.Read(block)
		_, _ = digests.Write(block[:n]) // documented never to fail
		if size += int64(n); n > 0 && progress != nil {
			progress(size, total)
		}
		if err == io.EOF {
			break
		}
		if err != nil {
			return Facts{}, err
		}
	}
	return Facts{
		Size:   size,
		SHA1:   base64.StdEncoding.EncodeToString(short.Sum(nil)),
		SHA256: hex.EncodeToString(long.Sum(nil)),
	}, nil
}
