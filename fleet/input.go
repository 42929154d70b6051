package fleet

import (
	"errors"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/coreroller/coreroller/rollout"
)

// Limits of what people write, in bytes; generous, but the rows are read often.
const (
	maxName        = 200
	maxTrack       = 256
	maxDescription = 10_000
	maxReason      = 1_000
	maxAlias       = 200
)

var (
	colorPattern   = regexp.MustCompile(`^#[0-9a-fA-F]{6}$`)
	archPattern    = regexp.MustCompile(`^[a-z0-9_]{1,20}$`)
	productPattern = regexp.MustCompile(`^[a-zA-Z][a-zA-Z0-9-]*(\.[a-zA-Z0-9][a-zA-Z0-9-]*)+$`)
)

// problems collects everything that is wrong with an input, so that a form can
// show all of it at once.
type problems []*Error

func (p *problems) add(field, format string, args ...any) {
	*p = append(*p, Errorf(Invalid, field, format, args...))
}

// err is nil when nothing is wrong. See Errors.
func (p problems) err() error {
	errs := make([]error, len(p))
	for i, e := range p {
		errs[i] = e
	}
	if len(errs) == 1 {
		return errs[0]
	}
	return errors.Join(errs...)
}

// Errors are the expected failures in err: one as a rule, several when an
// input has several problems, none for an error that is not expected.
func Errors(err error) []*Error {
	switch e := any(err).(type) {
	case *Error:
		return []*Error{e}
	case interface{ Unwrap() []error }:
		var all []*Error
		for _, one := range e.Unwrap() {
			all = append(all, Errors(one)...)
		}
		return all
	case interface{ Unwrap() error }:
		return Errors(e.Unwrap())
	}
	return nil
}

// name checks a required line of text and returns it without space around it.
func (p *problems) name(field, text string, limit int) string {
	text = strings.TrimSpace(text)
	if text == "" {
		p.add(field, "is missing")
	}
	return p.line(field, text, limit)
}

// line checks optional text of one line.
func (p *problems) line(field, text string, limit int) string {
	if strings.ContainsFunc(text, unicode.IsControl) {
		p.add(field, "must be one line of printable text")
	}
	return p.text(field, strings.TrimSpace(text), limit)
}

// text checks optional text of any number of lines.
func (p *problems) text(field, text string, limit int) string {
	switch {
	case len(text) > limit:
		p.add(field, "at most %d bytes", limit)
	case !utf8.ValidString(text) || strings.ContainsRune(text, 0):
		p.add(field, "must be UTF-8 text")
	}
	return text
}

// arch checks an architecture and returns it as machines are matched with it;
// "" stays "".
func (p *problems) arch(field, text string) string {
	if text = strings.TrimSpace(text); text == "" {
		return ""
	}
	text = Arch(text, "")
	if !archPattern.MatchString(text) {
		p.add(field, "%q is no architecture such as amd64 or arm64", text)
	}
	return text
}

func (p *problems) color(field, text string) {
	if text != "" && !colorPattern.MatchString(text) {
		p.add(field, "must be a colour such as #14b9d6")
	}
}

// productID checks an optional product id; it must not look like an id, which
// is why it needs a dot.
func (p *problems) productID(field, text string) string {
	if text = strings.TrimSpace(text); text != "" && (len(text) > maxName || !productPattern.MatchString(text)) {
		p.add(field, "must be a reverse-domain name such as com.example.app")
	}
	return text
}

func (p *problems) reason(text string) { p.text("reason", text, maxReason) }

// policy checks a policy; warnings do not keep it from being stored.
func (p *problems) policy(policy rollout.Policy) {
	_, found := rollout.Compile(policy)
	for _, f := range found {
		if !f.Warning {
			p.add(f.Field, "%s", f.Message)
		}
	}
}

// checkReason is reason for verbs that have nothing else to check.
func checkReason(text string) error {
	var p problems
	p.reason(text)
	return p.err()
}
