package version

import (
	"cmp"
	"strings"
)

// Versioning says which texts are versions of an application.
type Versioning string

const (
	// Semantic versions (https://semver.org), without a leading "v". It is also the
	// meaning of the zero value.
	Semantic Versioning = "semver"
	// Numeric versions are one to four decimal numbers joined by dots, as those of
	// Windows, Chrome and dates: "10.0.19045.3803", "2026.01.05". They are compared
	// number by number; a missing number is 0, and leading zeros change nothing.
	Numeric Versioning = "numeric"
)

const (
	maxNumbers = 4
	// maxDigits of a number have room for a time to the millisecond, such as
	// 20260105123000000.
	maxDigits = 18
)

// Parse parses a version of an application. For any other text ok is false and v is
// the zero Version.
func (s Versioning) Parse(text string) (v Version, ok bool) {
	v, ok = Parse(text)
	if s == Numeric {
		ok = ok && isNumeric(text)
	} else {
		ok = ok && v.semantic()
	}
	if !ok {
		return Version{}, false
	}
	return v, true
}

// Describe returns what a version is, with its article.
func (s Versioning) Describe() string {
	if s == Numeric {
		return "a version of one to four numbers such as 10.0.19045.3803"
	}
	return "a semantic version such as 1.2.3"
}

// isNumeric reports whether a text is one to four numbers joined by dots.
func isNumeric(text string) bool {
	numbers, digits := 1, 0
	for i := range len(text) {
		switch c := text[i]; {
		case c >= '0' && c <= '9':
			digits++
		case c == '.' && digits > 0:
			numbers, digits = numbers+1, 0
		default:
			return false
		}
		if digits > maxDigits || numbers > maxNumbers {
			return false
		}
	}
	return digits > 0
}

// compareNumbers compares numbers joined by dots one by one; a missing one is 0.
func compareNumbers(a, b string) int {
	for a != "" || b != "" {
		var x, y string
		x, a, _ = strings.Cut(a, ".")
		y, b, _ = strings.Cut(b, ".")
		x, y = strings.TrimLeft(x, "0"), strings.TrimLeft(y, "0")
		if order := cmp.Or(cmp.Compare(len(x), len(y)), cmp.Compare(x, y)); order != 0 {
			return order
		}
	}
	return 0
}

// firstNumbers returns the first n of numbers joined by dots, or all.
func firstNumbers(numbers string, n int) string {
	for i := range len(numbers) {
		if numbers[i] != '.' {
			continue
		}
		if n--; n == 0 {
			return numbers[:i]
		}
	}
	return numbers
}
