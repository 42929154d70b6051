package version

import (
	"fmt"
	"slices"
	"strings"
)

// Goal is what the machines of a group are to run.
type Goal struct {
	Target   Version   // zero: none
	Recalled []Version // machines that run one of them go to the target even if it is lower
}

// Place is where the version of a machine is in relation to a goal.
type Place int8

// The places. Build metadata does not order versions, so a machine that runs the
// target but for its build metadata is never offered the target; it does not run the
// target either.
const (
	None       Place = iota // there is no target
	Behind                  // below the target, or recalled
	OnTarget                // the target
	OtherBuild              // another build of the target
	Above                   // above the target
)

// Place returns the place of a version; there is none without a target.
func (g Goal) Place(v Version) Place {
	if g.Target.IsZero() {
		return None
	}
	switch order := v.Compare(g.Target); {
	case order < 0:
		return Behind
	case order > 0 && !g.recalls(v):
		return Above
	case order > 0:
		return Behind
	case v.build() != g.Target.build():
		return OtherBuild
	}
	return OnTarget
}

// recalls reports whether this build of the version is recalled.
func (g Goal) recalls(v Version) bool { return slices.ContainsFunc(g.Recalled, v.SameBuild) }

// SameBuild reports whether two versions are equal, also in their build metadata.
func (v Version) SameBuild(w Version) bool { return v.Compare(w) == 0 && v.build() == w.build() }

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
