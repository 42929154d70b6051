package omaha

import (
	"io"
	"strings"
	"unicode/utf8"
)

// charsetReader is the xml.Decoder.CharsetReader for ASCII and ISO 8859-1. ASCII
// needs no conversion; the decoder rejects bytes above 127 as invalid UTF-8.
func charsetReader(label string, input io.Reader) (io.Reader, error) {
	switch strings.ToLower(label) {
	case "us-ascii", "ascii", "utf8":
		return input, nil
	case "iso-8859-1", "latin1", "latin-1":
		return &latin1Reader{in: input}, nil
	}
	return nil, invalid("encoding %.40q is not supported", label)
}

// latin1Reader converts ISO 8859-1 to UTF-8. Its bytes are the first 256 code
// points.
type latin1Reader struct {
	in   io.Reader
	rest [1]byte // second byte of a rune, if it did not fit
	have bool
}

func (r *latin1Reader) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	if r.have {
		p[0], r.have = r.rest[0], false
		return 1, nil
	}
	var b [1]byte
	n, err := r.in.Read(b[:])
	if n == 0 {
		return 0, err
	}
	var u [utf8.UTFMax]byte
	size := utf8.EncodeRune(u[:], rune(b[0]))
	n = copy(p, u[:size])
	if n < size {
		r.rest[0], r.have = u[1], true
	}
	return n, err
}
