package omaha

import (
	"encoding/xml"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

func TestDaystartCountsFrom2007(t *testing.T) {
	zone := time.FixedZone("", -11*60*60)
	for _, test := range []struct {
		now  time.Time
		want string
	}{
		{time.Date(2007, 1, 1, 0, 0, 0, 0, time.UTC), `<daystart elapsed_seconds="0" elapsed_days="0"/>`},
		{time.Date(2007, 1, 1, 23, 59, 59, 999, time.UTC), `<daystart elapsed_seconds="86399" elapsed_days="0"/>`},
		{time.Date(2008, 1, 1, 0, 0, 1, 0, time.UTC), `<daystart elapsed_seconds="1" elapsed_days="365"/>`},
		{time.Date(2024, 2, 28, 23, 0, 0, 0, zone), `<daystart elapsed_seconds="36000" elapsed_days="6268"/>`},
		{time.Unix(0, 0), `<daystart elapsed_seconds="0" elapsed_days="0"/>`},
	} {
		if got := string(appendResponse(nil, test.now, nil)); !strings.Contains(got, test.want) {
			t.Errorf("%s: %s", test.now, got)
		}
	}
}

func TestAttributeValuesAreEscaped(t *testing.T) {
	for text, want := range map[string]string{
		"":                    "",
		"plain 1.0 ü 語 🚀 '":   "plain 1.0 ü 語 🚀 '",
		`<a href="x">&amp;`:   "&lt;a href=&quot;x&quot;&gt;&amp;amp;",
		"\t\n\r":              "&#9;&#10;&#13;",
		"a\x00b\x1fc":         "a\uFFFDb\uFFFDc",
		"\xff\xc3(":           "\uFFFD\uFFFD(",
		"\ufffe\uffff\ufffd":  "\uFFFD\uFFFD\uFFFD",
		"\xed\xa0\x80":        "\uFFFD\uFFFD\uFFFD", // a surrogate
		"]]>\u0085\u2028\x7f": "]]&gt;\u0085\u2028\x7f",
	} {
		if got := string(appendEscaped(nil, text)); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}

// encoding/xml decodes an escaped value to the original.
func FuzzEscaped(f *testing.F) {
	for _, s := range []string{"", "a", "<&>\"'\t\r\n ", "\x00\xff\ufffe語", "&amp;", "]]>"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		doc := append(appendText([]byte("<x"), "v", s), "/>"...)
		if !utf8.Valid(doc) {
			t.Fatalf("not UTF-8: %q", doc)
		}
		var got struct {
			V string `xml:"v,attr"`
		}
		if err := xml.Unmarshal(doc, &got); err != nil {
			t.Fatalf("%v in %q", err, doc)
		}
		want := strings.Map(func(r rune) rune {
			if r < ' ' && r != '\t' && r != '\n' && r != '\r' || r == 0xFFFE || r == 0xFFFF {
				return utf8.RuneError
			}
			return r
		}, s)
		// A sequence of invalid bytes may become one or several U+FFFD.
		squeeze := func(s string) string {
			for strings.Contains(s, "\uFFFD\uFFFD") {
				s = strings.ReplaceAll(s, "\uFFFD\uFFFD", "\uFFFD")
			}
			return s
		}
		if squeeze(got.V) != squeeze(want) {
			t.Errorf("%q was decoded as %q", s, got.V)
		}
	})
}
