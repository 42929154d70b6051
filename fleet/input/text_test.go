package input_test

import (
	"strings"
	"testing"

	"github.com/coreroller/coreroller/fleet/fault"
	"github.com/coreroller/coreroller/fleet/input"
)

const limit = 200

func message(p input.Problems) string {
	if err := p.Err(); err != nil {
		return err.Error()
	}
	return ""
}

func TestNamesThatDeceiveAreRefused(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"prod\u202eexe", "field: has U+202E, which changes the direction of the text, as character 5: remove it"},
		{"a\u2066b\u2069", "U+2066, which changes the direction"},
		{"a\u200fb", "U+200F, which changes the direction"},
		{"a\u200bb", "U+200B, which is invisible"},
		{"a\u200db", "U+200D, which is invisible"},
		{"a\u00adb", "U+00AD, which is invisible"},
		{"\ufeffab", "U+FEFF, which is invisible"},
		{"a\u2060b", "U+2060, which is invisible"},
		{"a\ufe0fb", "U+FE0F, which is invisible"},
		{"a\u034fb", "U+034F, which is invisible"},
		{"a\u3164b", "U+3164, which is invisible"},
		{"a\u2800b", "U+2800, which is invisible"},
		{"a\U000e0041b", "U+E0041, which is invisible"},
		{"a\u00a0b", "U+00A0, a space that is not the usual one"},
		{"ab\u00a0", "U+00A0, a space that is not the usual one, as character 3"},
		{"a\u2003b", "U+2003, a space"},
		{"a\u3000b", "U+3000, a space"},
		{"a\u2028b", "U+2028, a line separator"},
		{"a\u2029b", "U+2029, a line separator"},
		{"a\nb", "U+000A, a control character"},
		{"a\x00b", "U+0000, a control character"},
		{"a\x1b[31mb", "U+001B, a control character"},
		{"a\u0085b", "U+0085, a control character"},
		{"a\ue000b", "U+E000, which Unicode does not define"},
		{"a\uffffb", "U+FFFF, which Unicode does not define"},
		{"\u0301ab", "begins with U+0301"},
		{"p\u0430ypal", "U+0430, a letter of the script Cyrillic, as character 2 in a word with letters of the script Latin"},
		{"web-pr\u03bfd", "U+03BF, a letter of the script Greek, as character 7"},
		{"\u0440rod", "U+0072, a letter of the script Latin, as character 2 in a word with letters of the script Cyrillic"},
		{"a\xffb", "must be UTF-8 text"},
		{strings.Repeat("a", limit+1), "at most 200 bytes"},
		{"  ", "is missing"},
	} {
		var p input.Problems
		p.Name("field", c.text, limit)
		if got := message(p); !strings.Contains(got, c.want) || !strings.HasPrefix(got, "field: ") {
			t.Errorf("%+q: %q, not %q", c.text, got, c.want)
		}
		if e, ok := p.Err().(*fault.Error); !ok || e.Code != fault.Invalid || e.Field != "field" { //nolint:errorlint // one problem is returned as it is
			t.Errorf("%+q: %#v", c.text, p.Err())
		}
	}
}

func TestNamesInAnyScriptAreAccepted(t *testing.T) {
	for text, want := range map[string]string{
		"Edge agent 2.0 (EU) #1": "",
		"  prod ":                "prod",
		"Zu\u0308rich":           "Z\u00fcrich",
		"ёлка":                   "",
		"prod тест":              "", // a word each
		"東京 edge":                "",
		"Tシャツ":                   "",
		"サーバー群":                  "",
		"서버-prod":                "",
		"שרת":                    "",
		"सर्वर":                  "",
		"10 µs":                  "",
		"🚀 rockets":              "",
		"100% ≥ 3":               "",
	} {
		var p input.Problems
		got := p.Name("field", text, limit)
		if want == "" {
			want = text
		}
		if got != want || p.Err() != nil {
			t.Errorf("%+q: %+q, %v", text, got, p.Err())
		}
	}
}

func TestFreeTextMayHaveAnyLanguageButHidesNothing(t *testing.T) {
	for _, text := range []string{"two\nlines\r\n\tand a tab", "می\u200cخواهم", "👩\u200d💻 ❤\ufe0f", "pаypal mixes scripts", "a\u00a0b", ""} {
		var p input.Problems
		if got := p.Text("reason", text, limit); got != text || p.Err() != nil {
			t.Errorf("%+q: %+q, %v", text, got, p.Err())
		}
	}
	for text, code := range map[string]string{
		"a\u202eb": "U+202E", "a\u2067b": "U+2067", "a\u061cb": "U+061C", "a\x00b": "U+0000", "a\x1bb": "U+001B", "a\u2028b": "U+2028", "a\u200bb": "U+200B",
		"a\U000e0041b": "U+E0041",
	} {
		var p input.Problems
		p.Text("reason", text, limit)
		if got := message(p); !strings.HasPrefix(got, "reason: has "+code+", ") {
			t.Errorf("%+q: %q", text, got)
		}
	}
}

// What is sent to machines is not changed on the way.
func TestExactNamesAreRefusedInsteadOfChanged(t *testing.T) {
	for text, want := range map[string]string{
		"update.gz": "", "Z\u00fcrich.gz": "", "": "",
		"Zu\u0308rich.gz": "must be in the Unicode normal form NFC", " a": "must not begin or end with a space", "a\u202egz.exe": "U+202E",
	} {
		var p input.Problems
		p.Exact("filename", text, limit)
		if got := message(p); !strings.Contains(got, want) || (want == "") != (got == "") {
			t.Errorf("%+q: %q", text, got)
		}
	}
}

func TestUsernamesAreASCII(t *testing.T) {
	for _, text := range []string{"ana", "Ana.B-c_d", "ana+test@example.com", "42"} {
		var p input.Problems
		if got := p.Username("username", text); got != text || p.Err() != nil {
			t.Errorf("%q: %q %v", text, got, p.Err())
		}
	}
	for _, text := range []string{"", "a b", "zoë", "аna", "админ", `DOMAIN\ana`, "a/b", "a\u200b", "a:b", "<ana>"} {
		var p input.Problems
		if p.Username("username", text); len(p) != 1 || p[0].Field != "username" {
			t.Errorf("%+q: %v", text, p.Err())
		}
	}
}

func TestNamesThatLookLikeAnotherAreAConflict(t *testing.T) {
	others := []string{"prod-1", "Payments", "modern", "edge agent", "СОРЕ"}
	for _, name := range []string{"prod-l", "prod-I", "payments", "PAYMENTS", "modem", "edge  agent", "Edge Agent", "COPE", "Ｐayments"} {
		err := input.Apart("name", name, others...)
		if fault.CodeOf(err) != fault.Conflict || !strings.Contains(err.Error(), "looks like") {
			t.Errorf("%q: %v", name, err)
		}
	}
	for _, name := range []string{"prod-1", "prod-2", "payment", "modest", "edge-agent", "cope2"} {
		if err := input.Apart("name", name, others...); err != nil {
			t.Errorf("%q: %v", name, err)
		}
	}
}
