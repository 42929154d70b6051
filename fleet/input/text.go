package input

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// Name checks a required line of text and returns it as Line does.
func (p *Problems) Name(field, text string, limit int) string {
	if strings.Trim(text, " ") == "" {
		p.Add(field, "is missing")
	}
	return p.Line(field, text, limit)
}

// Line checks an optional name or id. It returns the text in the normal form NFC and
// without spaces at its ends, so that texts that look the same are stored the same.
func (p *Problems) Line(field, text string, limit int) string {
	text = norm.NFC.String(strings.Trim(text, " "))
	if p.stored(field, text, limit) {
		p.refuse(field, deceptionInName(text))
	}
	return text
}

// Exact checks an optional name that is sent to machines or used in a URL as it is.
// It must be in the form that Line returns.
func (p *Problems) Exact(field, text string, limit int) {
	if !p.stored(field, text, limit) {
		return
	}
	why := deceptionInName(text)
	if why == "" && text != strings.Trim(text, " ") {
		why = "must not begin or end with a space"
	}
	if why == "" && !norm.NFC.IsNormalString(text) {
		why = "must be in the Unicode normal form NFC"
	}
	p.refuse(field, why)
}

// Text checks optional text of any number of lines, in any language. It may have what
// languages and emoji need (joiners), but nothing that hides or reorders a part.
func (p *Problems) Text(field, text string, limit int) string {
	if p.stored(field, text, limit) {
		p.refuse(field, firstProblem(text, problemInText))
	}
	return text
}

// Characters checks an optional id that machines send: only for characters that are not
// visible, because machines choose their ids.
func (p *Problems) Characters(field, text string, limit int) {
	if p.stored(field, text, limit) {
		p.refuse(field, firstProblem(text, problemInName))
	}
}

// stored reports whether the databases can store a text, and adds a problem if not.
func (p *Problems) stored(field, text string, limit int) bool {
	switch {
	case len(text) > limit:
		p.Add(field, "at most %d bytes", limit)
	case !utf8.ValidString(text):
		p.Add(field, "must be UTF-8 text")
	default:
		return true
	}
	return false
}

func (p *Problems) refuse(field, why string) {
	if why != "" {
		p.Add(field, "%s", why)
	}
}

// deceptionInName returns what makes a name look like another one, "" for nothing.
func deceptionInName(text string) string {
	if isASCII(text) { // the usual name, without the tables
		return firstProblem(text, problemInName)
	}
	if first, _ := utf8.DecodeRuneInString(text); unicode.Is(unicode.M, first) {
		return fmt.Sprintf("begins with %U, which joins the character before it: remove it", first)
	}
	if why := firstProblem(text, problemInName); why != "" {
		return why
	}
	return mixedScripts(text)
}

func isASCII(text string) bool {
	return !strings.ContainsFunc(text, func(r rune) bool { return r >= utf8.RuneSelf })
}

// firstProblem names the first character that a check refuses, by its code and its
// position, because it may be invisible.
func firstProblem(text string, check func(rune) string) string {
	position := 0
	for _, r := range text {
		position++
		if why := check(r); why != "" {
			return fmt.Sprintf("has %U, %s, as character %d: remove it", r, why, position)
		}
	}
	return ""
}

// problemInName returns what is wrong with a character in a name, "" for nothing.
func problemInName(r rune) string {
	switch {
	case unicode.IsControl(r):
		return "a control character"
	case unicode.Is(unicode.Bidi_Control, r):
		return "which changes the direction of the text"
	case invisible(r):
		return "which is invisible"
	case unicode.In(r, unicode.Zl, unicode.Zp):
		return "a line separator"
	case unicode.Is(unicode.Zs, r) && r != ' ':
		return "a space that is not the usual one"
	case !unicode.In(r, unicode.L, unicode.M, unicode.N, unicode.P, unicode.S, unicode.Zs):
		return "which Unicode does not define"
	}
	return ""
}

// problemInText returns what is wrong with a character in free text, "" for nothing.
func problemInText(r rune) string {
	const zeroWidthNonJoiner, zeroWidthJoiner = '\u200c', '\u200d' // in Persian and in emoji
	switch {
	case strings.ContainsRune("\n\r\t", r):
		return ""
	case unicode.IsControl(r):
		return "a control character"
	case unicode.Is(unicode.Bidi_Control, r):
		return "which changes the direction of the text"
	case unicode.In(r, unicode.Zl, unicode.Zp):
		return "a line separator"
	case unicode.Is(unicode.Cf, r) && r != zeroWidthNonJoiner && r != zeroWidthJoiner:
		return "which is invisible"
	}
	return ""
}

// invisible reports whether a character shows nothing: the default ignorable ones of
// Unicode, and a blank that is a symbol.
func invisible(r rune) bool {
	const brailleBlank = '\u2800'
	return r == brailleBlank || unicode.In(r, unicode.Cf, unicode.Variation_Selector, unicode.Other_Default_Ignorable_Code_Point)
}
