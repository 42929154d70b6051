package rollout

import (
	"strings"

	"golang.org/x/mod/semver"
)

// Version is a semantic version, stored so that comparing does not allocate. The
// zero value is "no version" and is lower than every version.
type Version struct {
	v string // "v" + text when it is a semantic version, else ""
}

// ParseVersion parses a semantic version (https://semver.org) without a leading
// "v". Build metadata stays in the text and is ignored in comparisons. For any
// other text ok is false and v is the zero Version.
func ParseVersion(text string) (v Version, ok bool) {
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
	if v.v == "" {
		return ""
	}
	return v.v[1:]
}

// IsZero reports whether there is no version.
func (v Version) IsZero() bool { return v.v == "" }

// Compare orders by semantic precedence; the zero value is lowest.
func (v Version) Compare(w Version) int { return semver.Compare(v.v, w.v) }

// Less reports whether v precedes w.
func (v Version) Less(w Version) bool { return v.Compare(w) < 0 }

// HasPrefix reports whether the version begins with a prefix as Omaha's
// targetversionprefix sends it: by components, so that "1.2" matches 1.2.3 but not
// 1.20.0. A final "." or ".*" changes nothing; a final "$" demands exactly this
// version, without build metadata. The empty prefix matches every version.
func (v Version) HasPrefix(prefix string) bool {
	text, _, _ := strings.Cut(v.String(), "+")
	if exact, ok := strings.CutSuffix(prefix, "$"); ok {
		return text == exact
	}
	prefix = strings.TrimSuffix(strings.TrimSuffix(prefix, "*"), ".")
	rest, ok := strings.CutPrefix(text, prefix)
	return ok && (prefix == "" || rest == "" || rest[0] == '.' || rest[0] == '-')
}
