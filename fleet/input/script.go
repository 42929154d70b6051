package input

import (
	"fmt"
	"slices"
	"unicode"
)

// written are the scripts that are written together within a word.
var written = []string{"Latin", "Han", "Hiragana", "Katakana", "Hangul", "Bopomofo"}

// mixedScripts names a letter whose word has letters of another script that is not written
// with it, such as a Cyrillic one among Latin ones; "" for none. The scripts may alternate
// between spaces, digits and punctuation.
func mixedScripts(text string) string {
	word, position := "", 0
	for _, r := range text {
		position++
		if !unicode.In(r, unicode.L, unicode.M) {
			word = ""
			continue
		}
		script := scriptOf(r)
		switch {
		case script == "" || script == word:
		case word == "", slices.Contains(written, word) && slices.Contains(written, script):
			word = script
		default:
			return fmt.Sprintf("has %U, a letter of the script %s, as character %d in a word with letters of the script %s: write the word in one script", r, script, position, word)
		}
	}
	return ""
}

// scriptOf returns the script of a letter, "" for one that is used with several.
func scriptOf(r rune) string {
	if r < unicode.MaxASCII {
		return "Latin"
	}
	for name, table := range unicode.Scripts {
		if unicode.Is(table, r) {
			if name == "Common" || name == "Inherited" {
				return ""
			}
			return name
		}
	}
	return ""
}
