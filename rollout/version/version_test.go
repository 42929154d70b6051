package version

import "testing"

func TestVersionings(t *testing.T) {
	for _, c := range []struct {
		text              string
		semantic, numeric bool
	}{
		{"", false, false}, {"v1.0.0", false, false}, {"ForcedUpdate", false, false}, {" 1.0.0", false, false},
		{"1.0.0", true, true}, {"99999999999.0.0", true, true},
		{"1.0.0-rc.1", true, false}, {"1.0.0+build", true, false}, {"1.0.0-", false, false}, {"9999999999999999999.0.0", true, false},
		{"1", false, true}, {"1.2", false, true}, {"10.0.19045.3803", false, true}, {"2026.01.05", false, true}, {"01.0.0", false, true},
		{"999999999999999999.0", false, true}, {"1.9999999999999999999", false, false},
		{"1.2.3.4.5", false, false}, {".1", false, false}, {"1.", false, false}, {"1..2", false, false}, {"1.2.3.x", false, false}, {"-1", false, false},
	} {
		for versioning, want := range map[Versioning]bool{Semantic: c.semantic, "": c.semantic, Numeric: c.numeric} {
			v, ok := versioning.Parse(c.text)
			if ok != want || v.IsZero() == want || ok && v.String() != c.text {
				t.Errorf("%q parses %q as %q, %v", versioning, c.text, v, ok)
			}
		}
		if _, ok := Parse(c.text); ok != (c.semantic || c.numeric) {
			t.Errorf("%q is a stored version: %v", c.text, ok)
		}
	}
}

func TestVersionsHaveOneOrder(t *testing.T) {
	ordered := [][]string{
		{"0.0.0-other"}, {"0", "0.0", "0.0.0", "0.0.0.0"}, {"0.9.0", "0.9", "0.09"}, {"1.0.0-alpha"}, {"1.0.0-alpha.1"},
		{"1", "1.0.0", "1.0.0.0", "1.0.0+build"}, {"1.0.0.1"}, {"1.0.1", "1.0.1+a", "1.0.1+b"}, {"1.2"}, {"1.10.0"}, {"9.9.9.9"},
		{"10.0.19045.380"}, {"10.0.19045.3803"}, {"2025.12.31"}, {"2026.01.05", "2026.1.5"}, {"2026.10"}, {"99999999999.0.0"}, {"999999999999999999"},
	}
	for i, same := range ordered {
		for j, others := range ordered {
			for _, a := range same {
				for _, b := range others {
					v, w := mustVersion(t, a), mustVersion(t, b)
					if got, want := v.Compare(w), min(1, max(-1, i-j)); got != want {
						t.Errorf("%s compared to %s is %d, want %d", a, b, got, want)
					}
					if n := testing.AllocsPerRun(1, func() { v.Compare(w) }); n > 0 {
						t.Errorf("comparing %s to %s allocates", a, b)
					}
				}
			}
		}
		if v := mustVersion(t, same[0]); !(Version{}).Less(v) || v.Less(Version{}) || (Version{}).Compare(Version{}) != 0 {
			t.Errorf("no version is not below %s", v)
		}
	}
}

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
		{"1.2.3", "1.2.3-rc.1", false},
		{"1.2.3", "1..3", false},
		{"1.2.3", "x", false},
		{"10.0.19045.3803", "10.0.19045.", true},
		{"10.0.19045.3803", "10.0.19045.38", false},
		{"10.0.19045.3803", "10.0.19045.3803$", true},
		{"10.0.19045", "10.0.19045.0", true},
		{"2026.01.05", "2026.1", true},
		{"2026.01.05", "2026.1.5$", true},
		{"2026.10.05", "2026.1", false},
	} {
		if got := mustVersion(t, c.version).HasPrefix(c.prefix); got != c.want {
			t.Errorf("%s has the prefix %q: %v, want %v", c.version, c.prefix, got, c.want)
		}
	}
	if (Version{}).HasPrefix("1") || !(Version{}).HasPrefix("") {
		t.Error("no version has the empty prefix only")
	}
}

func mustVersion(t testing.TB, text string) Version {
	t.Helper()
	v, ok := Parse(text)
	if !ok && text != "" {
		t.Fatalf("%q is not a version", text)
	}
	return v
}

func TestVersioningsAreDescribed(t *testing.T) {
	if Numeric.Describe() == Semantic.Describe() || Versioning("").Describe() != Semantic.Describe() {
		t.Errorf("%q, %q, %q", Numeric.Describe(), Semantic.Describe(), Versioning("").Describe())
	}
}
