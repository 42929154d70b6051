package account

import (
	_ "embed"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"github.com/coreroller/coreroller/fleet/input"
)

// The rules for new passwords follow NIST SP 800-63B: a length, no rules for the kinds of
// characters, and none that a guesser tries first. Stored ones continue to work.
const (
	minPassword = 8   // characters
	maxPassword = 256 // bytes
)

// commonPasswords has one password a line, in lower case.
//
//go:embed common_passwords.txt
var commonPasswords string

// CheckFirstPassword returns Invalid for a password that the first user must not have.
func CheckFirstPassword(text string) error {
	var p input.Problems
	newPassword(&p, "password", firstUser, text)
	return p.Err()
}

// newPassword checks the new password of a user.
func newPassword(p *input.Problems, field, username, text string) {
	switch plain := strings.ToLower(norm.NFKC.String(text)); {
	case utf8.RuneCountInString(text) < minPassword:
		p.Add(field, "at least %d characters", minPassword)
	case len(text) > maxPassword:
		p.Add(field, "at most %d bytes", maxPassword)
	case !utf8.ValidString(text):
		p.Add(field, "must be UTF-8 text")
	case isSequence(plain):
		p.Add(field, "is a sequence of characters, which is guessed first: choose another one, such as a short sentence")
	case repeats(plain):
		p.Add(field, "repeats a few characters: choose another one, such as a short sentence")
	case isNamed(plain, strings.ToLower(username)), isNamed(plain, "coreroller"):
		p.Add(field, "is the name of the user or of this program, at most with digits and punctuation around it: choose another one, such as a short sentence")
	case isCommon(plain), isCommon(core(plain)):
		p.Add(field, "is one of the most used passwords, at most with digits and punctuation around it: choose another one, such as a short sentence")
	}
}

// core returns a text without what people put around a word to make it a password.
func core(text string) string {
	return strings.TrimFunc(text, func(r rune) bool { return !unicode.IsLetter(r) })
}

func isNamed(text, name string) bool {
	return text == name || core(name) != "" && core(text) == core(name)
}

func isCommon(text string) bool {
	return text != "" && strings.Contains(commonPasswords, "\n"+text+"\n")
}

// isSequence reports whether each character follows the one before, up or down, such as
// in abcdefgh and 98765432.
func isSequence(text string) bool {
	all := []rune(text)
	step := all[1] - all[0]
	if step != 1 && step != -1 {
		return false
	}
	for i := 1; i < len(all); i++ {
		if all[i]-all[i-1] != step {
			return false
		}
	}
	return true
}

// repeats reports whether a text is the repetition of less than a password, such as
// aaaaaaaa and adminadmin.
func repeats(text string) bool {
	for n := 1; n < minPassword && n <= len(text)/2; n++ {
		if strings.Repeat(text[:n], len(text)/n+1)[:len(text)] == text {
			return true
		}
	}
	return false
}
