package rollout

import "testing"

func TestHasPrefixComparesComponents(t *testing.T) {
	for _, c := range []struct {
		version, prefix string
		want            bool
	}{
		{"1.2.3", "", true},
		{"1.2.3", "1", true},
		{"1.2.3", "1.", true},
		{"1.2.3", "1.2", true},
		{"1.2.3", "1.2.", true},
		{"1.2.3", "1.2.*", true},
		{"1.2.3", "1.2.3", true},
		{"1.2.3", "*", true},
		{"1.20.0", "1.2", false},
		{"1.20.0", "1.2.", false},
		{"1.20.0", "1.2.*", false},
		{"10.2.3", "1", false},
		{"1.2.3", "1.2.3.4", false},
		{"1.2.3", "2", false},
		{"1.2.3", "1.2.3$", true},
		{"1.2.30", "1.2.3$", false},
		{"1.2.3", "1.2$", false},
		{"1.2.3", "$", false},
		{"1.2.3+build", "1.2.3$", true},
		{"1.2.3+build", "1.2.3", true},
		{"1.2.3-rc.1", "1.2.3", true},
		{"1.2.3-rc.1", "1.2.3$", false},
		{"1.2.3-rc.1", "1.2.3-rc.1$", true},
		{"1.2.3-rc.10", "1.2.3-rc.1", false},
	} {
		if got := mustVersion(t, c.version).HasPrefix(c.prefix); got != c.want {
			t.Errorf("%s has the prefix %q: %v, want %v", c.version, c.prefix, got, c.want)
		}
	}
	if (Version{}).HasPrefix("1") || !(Version{}).HasPrefix("") {
		t.Error("no version has the empty prefix only")
	}
}
