package main

import (
	"fmt"
	"io"
	"strings"
	"unicode"
	"unicode/utf16"
)

// visible returns a text that a client chose, for the terminal: with an escape such as
// ⟨U+202E⟩ for each character that could move the cursor, or hide or reorder a part of it.
func visible(text string) string {
	return replaceUnprintable(text, func(r rune) string { return fmt.Sprintf("⟨%U⟩", r) })
}

// visibleLines is visible for a text of several lines, which may have tabs.
func visibleLines(text string) string {
	return replaceUnprintable(text, func(r rune) string {
		if r == '\n' || r == '\t' {
			return string(r)
		}
		return visible(string(r))
	})
}

// jsonLog writes log lines in JSON. slog's JSON has characters that change the direction of
// text and the control characters above ASCII as they are; here they are escaped, which
// changes nothing for a program that reads the line. slog's text format quotes them itself.
type jsonLog struct{ w io.Writer }

func (l jsonLog) Write(line []byte) (int, error) {
	text, end := strings.CutSuffix(string(line), "\n")
	escaped := replaceUnprintable(text, func(r rune) string {
		if high, low := utf16.EncodeRune(r); high != unicode.ReplacementChar {
			return fmt.Sprintf(`\u%04x\u%04x`, high, low)
		}
		return fmt.Sprintf(`\u%04x`, r)
	})
	if end {
		escaped += "\n"
	}
	if _, err := io.WriteString(l.w, escaped); err != nil {
		return 0, err
	}
	return len(line), nil
}

// replaceUnprintable replaces the characters that show nothing or control the output.
func replaceUnprintable(text string, escape func(rune) string) string {
	unprintable := func(r rune) bool { return !unicode.IsPrint(r) }
	if !strings.ContainsFunc(text, unprintable) {
		return text
	}
	var out strings.Builder
	for _, r := range text {
		if unprintable(r) {
			out.WriteString(escape(r))
		} else {
			out.WriteRune(r)
		}
	}
	return out.String()
}
