package client

import (
	"bytes"
	"strings"
	"testing"
)

// Machines and users choose texts. A terminal would execute the sequences in them.
func TestTextsCannotControlTheTerminal(t *testing.T) {
	const hostile = "web\x1b]0;x\x07\u009b2J\u202e\n1"
	const harmless = "web�]0;x��2J��1"
	for _, colour := range []bool{false, true} {
		var out bytes.Buffer
		p := &printer{out: &out, format: "table", colour: colour}
		p.line("%s %s", hostile, ink{hostile, red})
		p.table([]string{"A", "B"}, [][]any{{hostile, 1}, {ink{hostile, bold}, 12}})
		text := out.String()
		if n := strings.Count(text, harmless); n != 4 {
			t.Errorf("colour %v: %d texts of 4 are harmless: %q", colour, n, text)
		}
		for _, sequence := range []string{"\x1b[31m", "\x1b[1m", "\x1b[2m", "\x1b[0m"} {
			if colour != strings.Contains(text, sequence) {
				t.Errorf("colour %v: %q", colour, text)
			}
			text = strings.ReplaceAll(text, sequence, "")
		}
		if strings.ContainsAny(text, "\x1b\x07\u009b\u202e") || strings.Count(text, "\n") != 4 {
			t.Errorf("colour %v: %q", colour, text)
		}
	}
}

func TestTableColumnsAlign(t *testing.T) {
	var out bytes.Buffer
	p := &printer{out: &out, format: "table"}
	p.table([]string{"NAME", "N"}, [][]any{{"Zürich", 1}, {"–", ink{"22", red}}})
	if want := "NAME    N\nZürich  1\n–       22\n"; out.String() != want {
		t.Errorf("%q, want %q", out.String(), want)
	}
}

func TestScreenRedrawsInPlace(t *testing.T) {
	var out bytes.Buffer
	s := screen{out: &out, size: func() (int, int) { return 5, 4 }}
	for _, c := range []struct{ text, want string }{
		{"one\ntwo\n", "one\ntwo\n"},
		{"\x1b[31mthree\x1b[0m four\n", "\x1b[2A\r\x1b[J\x1b[31mthree\x1b[0m\n"}, // a cut line keeps its end of the colour
		{"1\n2\n3\n4\n5\n", "\x1b[1A\r\x1b[J1\n2\n3\n"},                          // a line is free for the cursor
		{"x\n", "\x1b[3A\r\x1b[Jx\n"},
	} {
		out.Reset()
		if err := s.draw(c.text); err != nil || out.String() != c.want {
			t.Errorf("%q: %q, want %q (%v)", c.text, out.String(), c.want, err)
		}
	}
}

func TestPercentOfAllIsOnlyAll(t *testing.T) {
	for share, want := range map[float64]string{0: "0.0 %", 0.9999: "99.9 %", 1: "100.0 %"} {
		if got := percent(share); got != want {
			t.Errorf("%v: %s, want %s", share, got, want)
		}
	}
}

func TestOnlyOtherMachinesNeedEncryption(t *testing.T) {
	for address, want := range map[string]bool{
		"http://localhost:8000": false, "http://127.0.0.1": false, "http://[::1]:1": false, "https://updates.example.com": false,
		"http://updates.example.com": true, "http://10.0.0.1:8000": true,
	} {
		if got := unencrypted(address); got != want {
			t.Errorf("%s: %v, want %v", address, got, want)
		}
	}
}
