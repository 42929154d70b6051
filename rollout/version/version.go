// Package version orders the versions of packages and machines: semantic and numeric
// ones.
package version

import (
	"cmp"
	"strings"

	"golang.org/x/mod/semver"
)

// Version is a version of a package or a machine, stored so that comparing does not
// allocate. The zero value is "no version" and is lower than every version.
//
// A version is semantic or numeric, see Versioning. A text that is both, such as
// "1.2.3", is one Version, so all versions have one order, and stored ones are read
// without knowing their application.
type Version struct {
	v string // "v" + text when it is a semantic version, else the text
}

// Parse parses a semantic or numeric version. For any other text ok is false
// and v is the zero Version.
func Parse(text string) (v Version, ok bool) {
	if v, ok = parseSemantic(text); ok {
		return v, true
	}
	if !isNumeric(text) {
		return Version{}, false
	}
	return Version{v: text}, true
}

// parseSemantic parses a semantic version without a leading "v". Build metadata
// stays in the text and is ignored in comparisons.
func parseSemantic(text string) (v Version, ok bool) {
	if text == "" || text[0] == 'v' {
		return Version{}, false
	}
	s := "v" + text
	if !semver.IsValid(s) || dots(text) != 2 {
		return Version{}, false
	}
	return Version{v: s}, true
}

// dots counts the dots before any pre-release or build metadata. semver.IsValid
// also accepts the short forms "1" and "1.2", which are not semantic versions.
func dots(text string) int {
	n := 0
	for i := 0; i < len(text) && text[i] != '-' && text[i] != '+'; i++ {
		if text[i] == '.' {
			n++
		}
	}
	return n
}

// String returns the text the version was parsed from, "" for the zero value.
func (v Version) String() string {
	if v.semantic() {
		return v.v[1:]
	}
	return v.v
}

// IsZero reports whether there is no version.
func (v Version) IsZero() bool { return v.v == "" }

func (v Version) semantic() bool { return v.v != "" && v.v[0] == 'v' }

// Compare orders semantic versions by their precedence and numeric ones number by
// number; the zero value is lowest.
func (v Version) Compare(w Version) int {
	switch {
	case v.IsZero() || w.IsZero():
		return cmp.Compare(len(v.v), len(w.v))
	case v.semantic() && w.semantic():
		return semver.Compare(v.v, w.v)
	}
	numbers, pre := v.split()
	others, otherPre := w.split()
	return cmp.Or(compareNumbers(numbers, others), cmp.Compare(len(otherPre), len(pre))) // one has no pre-release
}

// Less reports whether v precedes w.
func (v Version) Less(w Version) bool { return v.Compare(w) < 0 }

// split returns the numbers and the pre-release.
func (v Version) split() (numbers, pre string) {
	text, _, _ := strings.Cut(v.String(), "+")
	numbers, pre, _ = strings.Cut(text, "-")
	return numbers, pre
}

// HasPrefix reports whether the version begins with a prefix as Omaha's
// targetversionprefix sends it: by components, so that "1.2" matches 1.2.3 but not
// 1.20.0. A final "." or ".*" changes nothing; a final "$" demands exactly this
// version, without build metadata. The empty prefix matches every version.
func (v Version) HasPrefix(prefix string) bool {
	prefix, exact := strings.CutSuffix(prefix, "$")
	if !exact {
		prefix = strings.TrimSuffix(strings.TrimSuffix(prefix, "*"), ".")
	}
	if prefix == "" || v.IsZero() {
		return prefix == "" && !exact
	}
	numbers, pre := v.split()
	wanted, wantedPre, _ := strings.Cut(prefix, "-")
	if !isNumeric(wanted) {
		return false
	}
	if exact {
		return compareNumbers(numbers, wanted) == 0 && pre == wantedPre
	}
	rest, ok := strings.CutPrefix(pre, wantedPre)
	return compareNumbers(firstNumbers(numbers, dots(wanted)+1), wanted) == 0 &&
		ok && (wantedPre == "" || rest == "" || rest[0] == '.')
}
