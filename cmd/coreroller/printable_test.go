package main

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"unicode"
)

// deceptive has an escape sequence, a control character above ASCII, one that reorders
// text and an invisible one outside the basic plane.
const deceptive = "a\x1b[2J\u009b\u202eb\U000e0041\u200b Zürich 東京"

func TestVisibleEscapesWhatATerminalWouldObey(t *testing.T) {
	if got, want := visible(deceptive+"\n"), "a⟨U+001B⟩[2J⟨U+009B⟩⟨U+202E⟩b⟨U+E0041⟩⟨U+200B⟩ Zürich 東京⟨U+000A⟩"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	if got, want := visibleLines("first\n\tsecond\r\u202e"), "first\n\tsecond⟨U+000D⟩⟨U+202E⟩"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

func TestLogLinesHaveNoUnprintableCharacters(t *testing.T) {
	for _, format := range []string{"text", "json"} {
		var out strings.Builder
		log, err := (&Config{LogLevel: "info", LogFormat: format}).logger(&out)
		if err != nil {
			t.Fatal(err)
		}
		log.With("with", deceptive).WithGroup("group").
			Info(deceptive, "text", deceptive, "error", errors.New(deceptive), "any", []string{deceptive}, deceptive, 1)
		line, whole := strings.CutSuffix(out.String(), "\n")
		if !whole || !strings.Contains(line, "Zürich") {
			t.Errorf("%s: %q", format, line)
		}
		if i := strings.IndexFunc(line, func(r rune) bool { return !unicode.IsPrint(r) }); i >= 0 {
			t.Errorf("%s: %q", format, line[i:])
		}
		if format != "json" {
			continue
		}
		var entry struct {
			Msg   string
			With  string
			Group map[string]any
		}
		if err := json.Unmarshal([]byte(line), &entry); err != nil {
			t.Fatal(err)
		}
		if entry.Msg != deceptive || entry.With != deceptive || entry.Group["text"] != deceptive || entry.Group["error"] != deceptive || entry.Group[deceptive] == nil {
			t.Errorf("%+v", entry)
		}
	}
}
