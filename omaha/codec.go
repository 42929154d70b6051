package omaha

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"strings"

	"coreroller/fleet"
)

// The limits of a request. A real one has less than 1 kB, one app, one event
// and a depth of three; Google's with a dozen applications has some kB.
const (
	maxBody       = 64 << 10 // bytes; more is answered with 413
	maxDepth      = 16       // elements inside one another
	maxElements   = 2048     // all together
	maxAttributes = 64       // of one element
	maxApps       = 32
	maxEvents     = 64 // of one app

	// maxText bounds what is stored without being looked at (alias, OEM …);
	// longer texts are cut. Ids and versions are judged by the fleet instead.
	maxText = 256 // bytes

	maxMessage = 200 // bytes of an error text sent back
)

// Parse reads one request. It accepts only well-formed XML without document
// type declaration, so without entities other than XML's own five and character
// references. Numbers that are none count as 0. Any error is a *fleet.Error
// with code invalid. The result holds no reference to body.
func Parse(body []byte) (*Request, error) {
	body = bytes.TrimPrefix(body, []byte("\xef\xbb\xbf"))
	if len(body) == 0 {
		return nil, invalid("empty body")
	}
	p := parser{dec: xml.NewDecoder(bytes.NewReader(body))}
	p.dec.CharsetReader = charsetReader
	if err := p.run(); err != nil {
		return nil, err
	}
	return &p.req, nil
}

// parser walks the raw tokens with its own stack, which is faster than
// Decoder.Decode and is where the limits are.
type parser struct {
	dec      *xml.Decoder
	req      Request
	open     [maxDepth]xml.Name
	depth    int
	elements int
	prologue bool // an XML declaration was seen
}

func (p *parser) run() error {
	for {
		token, err := p.dec.RawToken()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return broken(err)
		}
		switch t := token.(type) {
		case xml.StartElement:
			err = p.start(t)
		case xml.EndElement:
			err = p.end(t)
		case xml.CharData:
			if p.depth == 0 && len(bytes.TrimSpace(t)) > 0 {
				err = invalid("text outside of the root element")
			}
		case xml.ProcInst:
			if strings.EqualFold(t.Target, "xml") {
				if p.prologue || p.elements > 0 {
					err = invalid("misplaced xml declaration")
				}
				p.prologue = true
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

func (p *parser) start(t xml.StartElement) error {
	switch {
	case p.depth == maxDepth:
		return invalid("more than %d elements inside one another", maxDepth)
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
				return invalid("attribute %s twice", t.Attr[i].Name.Local)
			}
		}
	}
	p.open[p.depth] = t.Name
	p.depth++
	p.elements++
	if t.Name.Space != "" {
		return nil // somebody's extension
	}
	return p.element(t.Name.Local, t.Attr)
}

func (p *parser) end(t xml.EndElement) error {
	if p.depth == 0 || p.open[p.depth-1] != t.Name {
		return invalid("unexpected end of element %s", t.Name.Local)
	}
	p.depth--
	return nil
}

// element takes what is known from an element, by its place.
func (p *parser) element(name string, attrs []xml.Attr) error {
	switch {
	case p.depth == 1:
		p.req.OnDemand = attr(attrs, "installsource") == onDemand
	case p.depth == 2 && name == "os":
		p.req.Arch = attr(attrs, "arch")
	case p.depth == 2 && name == "app":
		if len(p.req.Apps) == maxApps {
			return invalid("more than %d apps", maxApps)
		}
		p.req.Apps = append(p.req.Apps, readApp(attrs))
	case p.depth == 3 && p.open[1] == xml.Name{Local: "app"}:
		return p.child(&p.req.Apps[len(p.req.Apps)-1], name, attrs)
	}
	return nil
}

// child takes what is known from a child of an app.
func (p *parser) child(app *App, name string, attrs []xml.Attr) error {
	switch name {
	case "ping":
		app.Ping = true
	case "updatecheck":
		app.UpdateCheck = true
		app.UpdatesDisabled = truth(attr(attrs, "updatedisabled"))
	case "event":
		if len(app.Events) == maxEvents {
			return invalid("more than %d events", maxEvents)
		}
		app.Events = append(app.Events, readEvent(attrs))
	}
	return nil
}

// invalid is an error for the client to read; quoted input may make it long.
func invalid(format string, args ...any) error {
	e := fleet.Errorf(fleet.Invalid, "", format, args...)
	e.Message = clip(strings.ToValidUTF8(e.Message, "?"), maxMessage)
	return e
}

// broken is the error for what is not well-formed XML.
func broken(err error) error {
	if e, ok := errors.AsType[*fleet.Error](err); ok {
		return e // from charsetReader
	}
	if e, ok := errors.AsType[*xml.SyntaxError](err); ok {
		return invalid("broken xml in line %d: %s", e.Line, e.Msg)
	}
	return invalid("broken xml: %v", err)
}
