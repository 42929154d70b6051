package omaha

import "strings"

// plainReader reads the XML that machines write: ASCII, elements and attributes,
// no references, comments or sections, a declaration of UTF-8 at most. It knows
// how such a text goes on, never what is wrong with one: at anything else it
// stops, and the whole text is read again by the standard library's decoder.
type plainReader struct {
	text     string
	at       int
	req      *Request
	open     [maxDepth]string
	depth    int
	elements int
	attrs    [maxAttributes]attribute
	n        int // attributes of the element being read
}

// declarations are the first lines that need no thought.
var declarations = [...]string{
	`<?xml version="1.0" encoding="UTF-8"?>`, `<?xml version="1.0" encoding="utf-8"?>`, `<?xml version="1.0"?>`,
}

// parsePlain reads a plain request; nil when it is not one.
func parsePlain(text string) *Request {
	r := plainReader{text: text, req: new(Request)}
	for _, d := range declarations {
		if strings.HasPrefix(text, d) {
			r.at = len(d)
			break
		}
	}
	for {
		r.skipText()
		if r.at == len(text) {
			break
		}
		if text[r.at] != '<' || !r.tag() {
			return nil
		}
	}
	if r.depth > 0 || r.elements == 0 {
		return nil
	}
	return r.req
}

// What a byte of the text can be part of.
const (
	inName   uint8 = 1 << iota // of an element or attribute
	atName                     // the first of one
	inValue                    // of an attribute in double quotes
	inText                     // between elements
	isSpace                    // white space
	plainEnd = '>'
)

var class = func() (c [256]uint8) {
	for b := byte(' '); b < 0x7f; b++ {
		letter := b >= 'a' && b <= 'z' || b >= 'A' && b <= 'Z' || b == '_'
		if letter {
			c[b] |= atName | inName
		}
		if b >= '0' && b <= '9' || b == '.' || b == '-' {
			c[b] |= inName
		}
		if b != '"' && b != '<' && b != '&' {
			c[b] |= inValue
		}
		if b != '<' && b != '&' && b != ']' {
			c[b] |= inText
		}
	}
	for _, b := range []byte(" \t\r\n") {
		c[b] |= isSpace | inText
	}
	return c
}()

// skipText goes to the end of the text between two tags. Outside of the root
// that is white space only.
func (r *plainReader) skipText() {
	want := inText
	if r.depth == 0 {
		want = isSpace
	}
	r.skip(want)
}

func (r *plainReader) skip(want uint8) {
	for r.at < len(r.text) && class[r.text[r.at]]&want != 0 {
		r.at++
	}
}

// take reads one byte if it is the wanted one.
func (r *plainReader) take(b byte) bool {
	if r.at < len(r.text) && r.text[r.at] == b {
		r.at++
		return true
	}
	return false
}

// name reads a name, "" if there is none.
func (r *plainReader) name() string {
	from := r.at
	if from == len(r.text) || class[r.text[from]]&atName == 0 {
		return ""
	}
	r.skip(inName)
	return r.text[from:r.at]
}

// tag reads a start or an end; false is what is not plain.
func (r *plainReader) tag() bool {
	r.at++ // the <
	if r.take('/') {
		name := r.name()
		r.skip(isSpace)
		if r.depth == 0 || name != r.open[r.depth-1] || !r.take(plainEnd) {
			return false
		}
		r.depth--
		return true
	}
	name := r.name()
	if name == "" || !r.attributes() {
		return false
	}
	empty := r.take('/')
	if !r.take(plainEnd) || !r.start(name) {
		return false
	}
	if empty {
		r.depth--
	}
	return true
}

// attributes reads those of an element, up to the end of its tag.
func (r *plainReader) attributes() bool {
	r.n = 0
	var names uint64 // a bit for each, often of its own, so that few are compared
	for {
		before := r.at
		r.skip(isSpace)
		name := r.name()
		if name == "" {
			return true
		}
		if r.at-len(name) == before || r.n == maxAttributes || !r.take('=') || !r.take('"') {
			return false
		}
		from := r.at
		r.skip(inValue)
		a := attribute{name, r.text[from:r.at]}
		if !r.take('"') {
			return false
		}
		bit := uint64(1) << ((int(name[0]) + int(name[len(name)-1])<<2 + len(name)<<1) & 63)
		if names&bit != 0 && r.twice(name) {
			return false
		}
		names |= bit
		r.attrs[r.n] = a
		r.n++
	}
}

func (r *plainReader) twice(name string) bool {
	for i := range r.n {
		if r.attrs[i].name == name {
			return true
		}
	}
	return false
}

// start opens an element within the limits.
func (r *plainReader) start(name string) bool {
	if r.depth == maxDepth || r.elements == maxElements || r.depth == 0 && (r.elements > 0 || name != "request") {
		return false
	}
	parent := ""
	if r.depth > 0 {
		parent = r.open[r.depth-1]
	}
	r.open[r.depth] = name
	r.depth++
	r.elements++
	return r.req.element(r.depth, parent, name, r.attrs[:r.n]) == nil
}
