package omaha

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"strings"

	"github.com/coreroller/coreroller/fleet/fault"
)

// parseXML parses any request with encoding/xml.
func parseXML(body []byte, kept func(appID string) []string) (*Request, error) {
	p := xmlParser{dec: xml.NewDecoder(bytes.NewReader(body)), kept: kept}
	p.dec.CharsetReader = charsetReader
	if err := p.run(); err != nil {
		return nil, err
	}
	return &p.req, nil
}

// xmlParser reads raw tokens and keeps its own stack, which is faster than
// Decoder.Decode and allows it to enforce the limits.
type xmlParser struct {
	dec      *xml.Decoder
	req      Request
	kept     func(appID string) []string
	open     [maxDepth]xml.Name
	depth    int
	elements int
	declared bool // an XML declaration was read
	attrs    []attribute
}

func (p *xmlParser) run() error {
	for {
		token, err := p.dec.RawToken()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return syntaxError(err)
		}
		switch t := token.(type) {
		case xml.StartElement:
			err = p.start(t)
		case xml.EndElement:
			err = p.end(t)
		case xml.CharData:
			if p.depth == 0 && len(bytes.TrimSpace(t)) > 0 {
				err = invalid("text outside the root element")
			}
		case xml.ProcInst:
			if strings.EqualFold(t.Target, "xml") {
				if p.declared || p.elements > 0 {
					err = invalid("misplaced XML declaration")
				}
				p.declared = true
			}
		case xml.Directive:
			err = invalid("document type declarations are not accepted")
		}
		if err != nil {
			return err
		}
	}
	if p.elements == 0 {
		return invalid("no root element")
	}
	if p.depth > 0 {
		return invalid("element %s is not closed", p.open[p.depth-1].Local)
	}
	return nil
}

func (p *xmlParser) start(t xml.StartElement) error {
	switch {
	case p.depth == maxDepth:
		return invalid("more than %d nested elements", maxDepth)
	case p.elements == maxElements:
		return invalid("more than %d elements", maxElements)
	case len(t.Attr) > maxAttributes:
		return invalid("more than %d attributes", maxAttributes)
	case p.depth == 0 && p.elements > 0:
		return invalid("more than one root element")
	case p.depth == 0 && t.Name != (xml.Name{Local: "request"}):
		return invalid("the root element is not request")
	}
	for i := range t.Attr {
		for j := range i {
			if t.Attr[i].Name == t.Attr[j].Name {
				return invalid("duplicate attribute %s", t.Attr[i].Name.Local)
			}
		}
	}
	p.open[p.depth] = t.Name
	p.depth++
	p.elements++
	if t.Name.Space != "" {
		return nil // an extension
	}
	parent := ""
	if p.depth > 1 && p.open[p.depth-2].Space == "" {
		parent = p.open[p.depth-2].Local
	}
	p.attrs = p.attrs[:0]
	for _, a := range t.Attr {
		if a.Name.Space == "" {
			p.attrs = append(p.attrs, attribute{a.Name.Local, a.Value})
		}
	}
	return p.req.element(p.depth, parent, t.Name.Local, p.attrs, p.kept)
}

func (p *xmlParser) end(t xml.EndElement) error {
	if p.depth == 0 || p.open[p.depth-1] != t.Name {
		return invalid("unexpected end of element %s", t.Name.Local)
	}
	p.depth--
	return nil
}

// syntaxError returns the error for XML that is not well-formed.
func syntaxError(err error) error {
	if e, ok := errors.AsType[*fault.Error](err); ok {
		return e // from charsetReader
	}
	if e, ok := errors.AsType[*xml.SyntaxError](err); ok {
		return invalid("invalid XML in line %d: %s", e.Line, e.Msg)
	}
	return invalid("invalid XML: %v", err)
}
