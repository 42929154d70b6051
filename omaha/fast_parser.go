package omaha

import "strings"

// fastParser parses the subset of XML that machines send: ASCII elements and
// attributes without references, comments or CDATA sections, and optionally a
// declaration of UTF-8. It reports no errors: on any other input it stops, and
// parseXML parses the whole text.
type fastParser struct {
	text     string
	at       int
	req      *Request
	kept     func(appID string) []string
	open     [maxDepth]string
	depth    int
	elements int
	attrs    [maxAttributes]attribute
	n        int // attributes of the element being read
}

// declarations are the usual XML declarations.
var declarations = [...]string{
	`<?xml version="1.0" encoding="UTF-8"?>`, `<?xml version="1.0" encoding="utf-8"?>`, `<?xml version="1.0"?>`,
}

// parseFast parses a request, or returns nil if the text is not in the subset.
func parseFast(text string, kept func(appID string) []string) *Request {
	p := fastParser{text: text, req: new(Request), kept: kept}
	for _, d := range declarations {
		if strings.HasPrefix(text, d) {
			p.at = len(d)
			break
		}
	}
	for {
		p.skipText()
		if p.at == len(text) {
			break
		}
		if text[p.at] != '<' || !p.tag() {
			return nil
		}
	}
	if p.depth > 0 || p.elements == 0 {
		return nil
	}
	return p.req
}

// Classes of bytes: what a byte may be part of.
const (
	inName    uint8 = 1 << iota // name of an element or attribute
	startName                   // first byte of a name
	inValue                     // attribute value in double quotes
	inText                      // text between elements
	isSpace                     // white space
)

var class = func() (c [256]uint8) {
	for b := byte(' '); b < 0x7f; b++ {
		letter := b >= 'a' && b <= 'z' || b >= 'A' && b <= 'Z' || b == '_'
		if letter {
			c[b] |= startName | inName
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

// skipText skips the text between two tags. Outside the root element only white
// space is allowed.
func (p *fastParser) skipText() {
	want := inText
	if p.depth == 0 {
		want = isSpace
	}
	p.skip(want)
}

func (p *fastParser) skip(want uint8) {
	for p.at < len(p.text) && class[p.text[p.at]]&want != 0 {
		p.at++
	}
}

// take consumes one byte if it is b.
func (p *fastParser) take(b byte) bool {
	if p.at < len(p.text) && p.text[p.at] == b {
		p.at++
		return true
	}
	return false
}

// name consumes a name, or returns "".
func (p *fastParser) name() string {
	from := p.at
	if from == len(p.text) || class[p.text[from]]&startName == 0 {
		return ""
	}
	p.skip(inName)
	return p.text[from:p.at]
}

// tag consumes a start or end tag. It returns false if the text is not in the
// subset.
func (p *fastParser) tag() bool {
	p.at++ // the <
	if p.take('/') {
		name := p.name()
		p.skip(isSpace)
		if p.depth == 0 || name != p.open[p.depth-1] || !p.take('>') {
			return false
		}
		p.depth--
		return true
	}
	name := p.name()
	if name == "" || !p.attributes() {
		return false
	}
	empty := p.take('/')
	if !p.take('>') || !p.start(name) {
		return false
	}
	if empty {
		p.depth--
	}
	return true
}

// attributes consumes the attributes of an element, up to the end of its tag.
func (p *fastParser) attributes() bool {
	p.n = 0
	var names uint64 // one hash bit per name: equal names share a bit, so most names need no comparison
	for {
		before := p.at
		p.skip(isSpace)
		name := p.name()
		if name == "" {
			return true
		}
		if p.at-len(name) == before || p.n == maxAttributes || !p.take('=') || !p.take('"') {
			return false
		}
		from := p.at
		p.skip(inValue)
		a := attribute{name, p.text[from:p.at]}
		if !p.take('"') {
			return false
		}
		bit := uint64(1) << ((int(name[0]) + int(name[len(name)-1])<<2 + len(name)<<1) & 63)
		if names&bit != 0 && p.duplicate(name) {
			return false
		}
		names |= bit
		p.attrs[p.n] = a
		p.n++
	}
}

func (p *fastParser) duplicate(name string) bool {
	for i := range p.n {
		if p.attrs[i].name == name {
			return true
		}
	}
	return false
}

// start opens an element. It returns false if a limit is exceeded.
func (p *fastParser) start(name string) bool {
	if p.depth == maxDepth || p.elements == maxElements || p.depth == 0 && (p.elements > 0 || name != "request") {
		return false
	}
	parent := ""
	if p.depth > 0 {
		parent = p.open[p.depth-1]
	}
	p.open[p.depth] = name
	p.depth++
	p.elements++
	return p.req.element(p.depth, parent, name, p.attrs[:p.n], p.kept) == nil
}
