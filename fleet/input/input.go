// Package input checks what people enter: text, names, policies. It
// collects all problems of an input, each with the field it concerns.
package input

import (
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/coreroller/coreroller/fleet/catalog"
	"github.com/coreroller/coreroller/fleet/fault"
	"github.com/coreroller/coreroller/fleet/selector"
	"github.com/coreroller/coreroller/rollout"
	"github.com/coreroller/coreroller/rollout/policy"
)

// Limits of text that people enter, in bytes. They are generous, but the rows are
// read often.
const (
	MaxName        = 200
	MaxTrack       = 256
	MaxDescription = 10_000
	MaxReason      = 1_000
	MaxAlias       = 200
)

// maxWaveExpressions bounds the work of a check-in for which they are evaluated.
const maxWaveExpressions = 20

var (
	colorPattern   = regexp.MustCompile(`^#[0-9a-fA-F]{6}$`)
	archPattern    = regexp.MustCompile(`^[a-z0-9_]{1,20}$`)
	userPattern    = regexp.MustCompile(`^[a-zA-Z0-9._@+-]+$`)
	productPattern = regexp.MustCompile(`^[a-zA-Z][a-zA-Z0-9-]*(\.[a-zA-Z0-9][a-zA-Z0-9-]*)+$`)
)

// Problems collects the problems of an input, so that a form can show all at once.
type Problems []*fault.Error

// Add adds an Invalid problem of a field.
func (p *Problems) Add(field, format string, args ...any) {
	*p = append(*p, fault.Errorf(fault.Invalid, field, format, args...))
}

// Err returns the problems as one error, nil without any. See fault.All.
func (p Problems) Err() error {
	errs := make([]error, len(p))
	for i, e := range p {
		errs[i] = e
	}
	if len(errs) == 1 {
		return errs[0]
	}
	return errors.Join(errs...)
}

// Arch checks an architecture and returns it in the form of catalog.Arch;
// "" stays "".
func (p *Problems) Arch(field, text string) string {
	if text = strings.TrimSpace(text); text == "" {
		return ""
	}
	text = catalog.Arch(text, "")
	if !archPattern.MatchString(text) {
		p.Add(field, "%q is no architecture such as amd64 or arm64", text)
	}
	return text
}

// Color checks an optional colour.
func (p *Problems) Color(field, text string) {
	if text != "" && !colorPattern.MatchString(text) {
		p.Add(field, "must be a colour such as #14b9d6")
	}
}

// ProductID checks an optional product id. It needs a dot, so that it cannot be
// mistaken for an application id.
func (p *Problems) ProductID(field, text string) string {
	if text = strings.TrimSpace(text); text != "" && (len(text) > MaxName || !productPattern.MatchString(text)) {
		p.Add(field, "must be a reverse-domain name such as com.example.app")
	}
	return text
}

// Username checks the name of a new user and returns it trimmed. It has only characters
// that look like no others.
func (p *Problems) Username(field, text string) string {
	before := len(*p)
	text = p.Name(field, text, MaxName)
	if len(*p) == before && !userPattern.MatchString(text) {
		p.Add(field, "may have only the letters a to z and A to Z, digits and . _ - @ +")
	}
	return text
}

// Policy checks a policy. It does not add warnings.
func (p *Problems) Policy(in rollout.Policy) {
	expressions := 0
	for i, w := range in.Waves {
		if field := fmt.Sprintf("policy.waves[%d].expression", i); w.Expression != "" {
			if _, err := selector.Compile(w.Expression); err != nil {
				p.Add(field, "%s", err)
			}
			if expressions++; expressions > maxWaveExpressions {
				p.Add(field, "at most %d waves can have an expression", maxWaveExpressions)
			}
		}
		for j, id := range w.Canaries {
			p.Characters(fmt.Sprintf("policy.waves[%d].canaries[%d]", i, j), id, MaxName)
		}
	}
	for i, f := range in.Freezes {
		p.Text(fmt.Sprintf("policy.freezes[%d].reason", i), f.Reason, MaxReason)
	}
	_, found := policy.Compile(in)
	for _, f := range found {
		if !f.Warning {
			p.Add(f.Field, "%s", f.Message)
		}
	}
}

// CheckReason checks the reason of a verb that has nothing else to check.
func CheckReason(text string) error {
	var p Problems
	p.Text("reason", text, MaxReason)
	return p.Err()
}

// Or returns what given points to, or before for nil.
func Or[T any](given *T, before T) T {
	if given == nil {
		return before
	}
	return *given
}

// Checked returns optional text in the form that check returns.
func Checked(text *string, check func(string) string) *string {
	if text == nil {
		return nil
	}
	form := check(*text)
	return &form
}
