package mcp

import (
	"fmt"
	"strings"
	"unicode"
)

const (
	// maxText limits a text inside a value, maxLineText a line, in characters.
	maxText     = 500
	maxLineText = 1_500
	// maxQuoted limits a text that a machine chose.
	maxQuoted = 120
)

// Escape returns a text on one line in which every character is visible: assistants read
// characters that no screen shows, and text could hide in them. A text that is longer
// than the limit is cut.
func Escape(text string, limit int) string {
	var b strings.Builder
	n := 0
	for _, r := range text {
		if n >= limit {
			b.WriteString("…")
			break
		}
		n++
		if hidden(r) {
			n += 7
			fmt.Fprintf(&b, "⟨%U⟩", r)
		} else {
			b.WriteRune(r)
		}
	}
	return b.String()
}

// hidden reports whether a character shows nothing, or controls the output.
func hidden(r rune) bool {
	return !unicode.IsPrint(r) || unicode.Is(unicode.Variation_Selector, r) || unicode.Is(unicode.Other_Default_Ignorable_Code_Point, r)
}

// Quote returns a text that a machine or a person chose, in quotation marks that the text
// cannot end.
func Quote(text string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(Escape(text, maxQuoted)) + `"`
}

func line(text string) string { return Escape(text, maxLineText) }
