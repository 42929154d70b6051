package version

import (
	"fmt"
	"strings"
)

// Place is where the version of a machine is in relation to a target.
type Place int8

// The places. Build metadata does not order versions, so a machine that runs the
// target but for its build metadata is never offered the target; it does not run the
// target either.
const (
	None       Place = iota // there is no target
	Behind                  // below the target
	OnTarget                // the target or a higher version
	OtherBuild              // another build of the target
)

// Place returns the place of the version; there is none for the zero target.
func (v Version) Place(target Version) Place {
	if target.IsZero() {
		return None
	}
	switch order := v.Compare(target); {
	case order < 0:
		return Behind
	case order == 0 && v.build() != target.build():
		return OtherBuild
	}
	return OnTarget
}

// build returns the build metadata with its "+", "" without any.
func (v Version) build() string {
	if i := strings.IndexByte(v.v, '+'); i >= 0 {
		return v.v[i:]
	}
	return ""
}

// Twin returns why a machine that runs one of two versions is never offered the
// other although they differ: "" if one of them is lower, or both are the same text.
func (v Version) Twin(w Version) string {
	switch {
	case v == w || v.Compare(w) != 0:
		return ""
	case v.build() != w.build():
		return fmt.Sprintf("%s differs from %s only in build metadata, which does not order versions: a machine that runs one is never offered the other", v, w)
	}
	return fmt.Sprintf("%s is the same version as %s: a machine that runs one is never offered the other", v, w)
}
