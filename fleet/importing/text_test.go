package importing

import (
	"encoding/hex"
	"testing"
)

func TestSizes(t *testing.T) {
	for text, want := range map[string]int64{"": 0, "154967458": 154967458, "1.54967458e+08": 154967458, " 7 ": 7, "0": 0} {
		if got, ok := parseSize(text); !ok || got != want {
			t.Errorf("%q is read as %d, %t", text, got, ok)
		}
	}
	for _, text := range []string{"big", "-1", "1.5", "1e300", "NaN", "Inf", "0x10", "1,000"} {
		if got, ok := parseSize(text); ok {
			t.Errorf("%q is read as %d", text, got)
		}
	}
}

func TestDigests(t *testing.T) {
	const sha1 = "aaf4c61ddcc5e8a2dabede0f3b482cd9aea9434d"
	for _, text := range []string{sha1, "qvTGHdzF6KLavt4PO0gs2a6pQ00=", "qvTGHdzF6KLavt4PO0gs2a6pQ00", " " + sha1 + " "} {
		if got, ok := parseDigest(text, 20); !ok || hex.EncodeToString(got) != sha1 {
			t.Errorf("%q is read as %x, %t", text, got, ok)
		}
	}
	if got, ok := parseDigest("", 20); !ok || got != nil {
		t.Errorf("no digest is read as %x, %t", got, ok)
	}
	for _, text := range []string{"what", sha1[:38], sha1 + "00", "qvTGHdzF6KLavt4PO0gs2a6pQ0="} {
		if got, ok := parseDigest(text, 20); ok {
			t.Errorf("%q is read as %x", text, got)
		}
	}
}

func TestFates(t *testing.T) {
	for _, c := range []struct {
		there, here, last string
		fresh, force      bool
		want              fate
	}{
		{"a", "", "", false, false, fateNew},
		{"a", "a", "", false, false, fateSame},
		{"a", "a", "b", false, false, fateSame},
		{"b", "a", "a", false, false, fateChanged},  // changed there
		{"a", "b", "a", false, false, fateSame},     // changed here
		{"b", "c", "a", false, false, fateConflict}, // on both sides
		{"b", "c", "a", false, true, fateChanged},
		{"b", "a", "", false, false, fateConflict}, // of a person, never imported
		{"b", "a", "", true, false, fateChanged},   // of a new database
		{"a", "", "a", false, false, fateDeleted},
		{"a", "", "a", false, true, fateNew},
	} {
		if got := decide(c.there, c.here, c.last, c.fresh, c.force); got != c.want {
			t.Errorf("%+v: %d", c, got)
		}
	}
}

func TestMachineIDs(t *testing.T) {
	i := &Importer{}
	for id, taken := range map[string]bool{
		"0123456789abcdef0123456789abcdef": true, "web-1": true, "{web-1}": true,
		"{dddddddd-0000-4000-8000-000000000001}": false, "": false, "a\nb": false, "a\u202eb": false,
	} {
		if why := i.refused(id); (why == "") != taken {
			t.Errorf("%q: %q", id, why)
		}
	}
	i.options.Syncers = true
	if why := i.refused("{dddddddd-0000-4000-8000-000000000001}"); why != "" {
		t.Errorf("a syncer that was asked for: %s", why)
	}
}

func TestSlugs(t *testing.T) {
	for text, want := range map[string]string{"Twin": "twin", " Web  Servers (EU)": "web-servers-eu", "äöü": "", "a_b.c": "a_b.c"} {
		if got := slug(text); got != want {
			t.Errorf("%q becomes %q, want %q", text, got, want)
		}
	}
}
