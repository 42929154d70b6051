package version

import (
	"strings"
	"testing"
)

func TestPlaceInRelationToAGoal(t *testing.T) {
	for _, c := range []struct {
		version, target string
		want            Place
	}{
		{"1.0.0", "", None}, {"", "", None},
		{"1.0.0", "2.0.0", Behind}, {"", "2.0.0", Behind}, {"2.0.0-rc.1", "2.0.0", Behind},
		{"2.0.0", "2.0.0", OnTarget}, {"3.0.0", "2.0.0", Above}, {"2.0.0+a", "2.0.0+a", OnTarget}, {"3.0.0+b", "2.0.0+a", Above},
		{"2.5.0", "2.0.0", Behind}, {"2.5", "2.0.0", Behind}, {"2.5.0+a", "2.0.0", Above}, {"2.6.0+a", "2.0.0", Behind}, {"2.6.0", "2.0.0", Above},
		{"2.5.0", "2.5.0", OnTarget}, {"2.5.0", "3.0.0", Behind}, {"2.5.0", "", None},
		{"2.0.0+a", "2.0.0", OtherBuild}, {"2.0.0", "2.0.0+a", OtherBuild}, {"2.0.0+a", "2.0.0+b", OtherBuild},
		{"2.0", "2.0.0", OnTarget},
	} {
		goal := Goal{Target: mustVersion(t, c.target), Recalled: []Version{mustVersion(t, "2.5.0"), mustVersion(t, "2.6.0+a")}}
		if got := goal.Place(mustVersion(t, c.version)); got != c.want {
			t.Errorf("the place of %q at %q is %d, want %d", c.version, c.target, got, c.want)
		}
	}
}

func TestTwinSaysWhyOneIsNotOfferedAfterTheOther(t *testing.T) {
	for _, c := range []struct{ a, b, want string }{
		{"1.0.0", "2.0.0", ""}, {"1.0.0", "1.0.0", ""}, {"1.0.0+a", "1.0.0+a", ""},
		{"1.0.0", "1.0.0+a", "differs from 1.0.0+a only in build metadata"}, {"1.0.0+a", "1.0.0+b", "only in build metadata"},
		{"1.0", "1.0.0", "1.0 is the same version as 1.0.0"}, {"1.0.0", "1.0", "is the same version"},
	} {
		got := mustVersion(t, c.a).Twin(mustVersion(t, c.b))
		if c.want == "" && got != "" || !strings.Contains(got, c.want) {
			t.Errorf("%s and %s: %q, want %q", c.a, c.b, got, c.want)
		}
	}
}
