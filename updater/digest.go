package updater

import (
	"crypto/sha1" //nolint:gosec // G505: old servers send nothing else
	"crypto/sha256"
	"encoding/hex"
	"hash"
	"io"
	"os"
)

// digest computes the digest by which an update is checked.
type digest struct {
	hash.Hash
	want string // hex
}

func (up *Update) digest() digest {
	if up.SHA256 != "" {
		return digest{sha256.New(), up.SHA256}
	}
	return digest{sha1.New(), up.SHA1} //nolint:gosec // G401: old servers send nothing else
}

// check compares what was written with the wanted digest.
func (d digest) check() error {
	if got := hex.EncodeToString(d.Sum(nil)); got != d.want {
		return &DigestError{Got: got, Want: d.want}
	}
	return nil
}

// verify checks the content of a complete file.
func (up *Update) verify(name string) error {
	f, err := os.Open(name) //nolint:gosec // G304: below Options.Dir
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }()
	d := up.digest()
	if _, err := io.Copy(d, f); err != nil {
		return err
	}
	return d.check()
}

// sha256Of returns the SHA-256 of a file in hex.
func sha256Of(name string) (string, error) {
	f, err := os.Open(name) //nolint:gosec // G304: the file to update
	if err != nil {
		return "", err
	}
	defer func() { _ = f.Close() }()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return "", err
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}
