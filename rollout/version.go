package rollout

import "golang.org/x/mod/semver"

// Version is a version as a machine or an operator wrote it, kept in the form
// that compares without allocation. The zero value is "no version", which is
// lower than every real one.
type Version struct {
	v string // "v" + text when it is a semantic version, else ""
}

// ParseVersion reads a semantic version (https://semver.org), without a
// leading "v". Build metadata is kept in the text and ignored in comparisons.
// ok is false for anything else; the zero Version is returned then.
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

// dots counts the dots of the numeric core: semver.IsValid also accepts the
// shorthands "1" and "1.2", which no machine may run.
func dots(text string) int {
	n := 0
	for i := 0; i < len(text) && text[i] != '-' && text[i] != '+'; i++ {
		if text[i] == '.' {
			n++
		}
	}
	return n
}

// String is the text the version was parsed from, "" for the zero value.
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
